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

/// Makes the model call that has its permit, or needs none.
void call(run_self self, const effect_in_flight& flight);

/// The call that waits for this permit. Nothing if it is not wanted any more:
/// then the scheduler was told.
effect_in_flight* find_waiting(run_actor_state& st, std::uint64_t permit);

/// The call ends like one that the model failed.
void deny(run_self self, effect_in_flight& flight, const call_denied& x);

/// An effect has ended.
void land(run_actor_state& st, const std::string& call, std::int64_t attempt);

/// Asks all effects to stop, the last first.
void stop_all(std::vector<effect_in_flight>& flights);

} // namespace kestrion::run_effects
