#pragma once

#include <kestrion/actors/run_actor.hpp>

/// The permits of a run's model calls: how the run's actor gets and ends them.
/// Internal to it.
namespace kestrion::run_permits {

/// Whether its calls of the model at `place` have to ask. Not those of a model
/// behind no server, where no limit is declared: they cost nothing.
bool has_to_ask(const run_actor_state& st, std::int64_t place);

/// Asks for a permit to call it. The run hears `call_decided`.
/// @returns Its number.
std::uint64_t ask(const run_actor_state& st, std::int64_t place,
                  const caf::actor_addr& holder);

/// Ends the permit of a call that has its outcome, if it had one.
void settle(const run_actor_state& st, const effect_in_flight& call,
            const model_outcome& outcome);

/// The call is not wanted any more: takes it out of the queue, or gives its
/// permit back. Of no other effect anything follows.
void drop(const run_actor_state& st, const effect_in_flight& call);

/// A run that has ended needs its budget no more.
void leave(const run_context& context, const run_id& run);

/// Nor does one that leaves memory, until it asks again: unless others go on
/// below it, or one above it counts what it used.
void leave_if_alone(const run_actor_state& st);

} // namespace kestrion::run_permits
