#pragma once

#include <kestrion/actors/embedding.hpp>

#include <caf/actor_system.hpp>

#include <functional>
#include <utility>

namespace kestrion {

/// Hears of events for somebody who is no actor, on a thread of its own. Ends
/// with the front, too.
/// @returns The subscriber, and what ends it: no call comes after that has
///   returned, unless it is called from within one.
std::pair<event_subscriber_actor, subscription>
spawn_event_callback(caf::actor_system& system, const front_actor& front,
                     std::function<void(const run_event&)> on_event,
                     std::function<void(const events_missed&)> on_missed);

} // namespace kestrion
