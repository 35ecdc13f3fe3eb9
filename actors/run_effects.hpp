#pragma once

#include <kestrion/actors/run_actor.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

/// What a run's actor does because its state owes it: calls of models and
/// tools, runs below it, words to the directory.
/// @par Threading The run's actor only.
namespace kestrion::run_effects {

using run_self = run_actor::stateful_pointer<run_actor_state>;

constexpr std::int64_t no_attempt = 0; ///< A child is asked for once a life.

/// Nothing if there is no directory: the next one asks.
template <class Message>
void tell_directory(run_self self, Message&& m) {
  if (auto directory = strong<directory_actor>(self->state.context->directory))
    self->send(directory, std::forward<Message>(m));
}

/// Starts what the state owes and is not in flight; stops what it does not owe
/// any more; reports rest, and quits at the end.
void settle(run_self self);

/// That the run is at rest, so that it may leave memory.
void tell_rest(run_self self);

/// Makes the model call that waited for this permit, or fails it. Does nothing
/// if the call is not wanted any more: then the scheduler was told.
void take_up(run_self self, const call_decided& x);

/// An effect has ended.
void land(run_actor_state& st, const std::string& call, std::int64_t attempt);

/// Asks all effects to stop, the last first.
void stop_all(std::vector<effect_in_flight>& flights);

} // namespace kestrion::run_effects
