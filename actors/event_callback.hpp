#pragma once

#include <kestrion/actors/embedding.hpp>

#include <caf/actor_system.hpp>

#include <functional>
#include <utility>

/// Subscribers that call functions of somebody who is no actor, each on a
/// thread of its own. They end with the front, too. Beside the subscriber comes
/// what ends it: no call comes after that has returned, unless it is called
/// from within one.
namespace kestrion {

std::pair<event_subscriber_actor, subscription>
spawn_event_callback(caf::actor_system& system, const front_actor& front,
                     std::function<void(const run_event&)> on_event,
                     std::function<void(const events_missed&)> on_missed);

std::pair<draft_subscriber_actor, subscription>
spawn_draft_callback(caf::actor_system& system, const front_actor& front,
                     std::function<void(const draft_update&)> on_update);

} // namespace kestrion
