#pragma once

#include <kestrion/actors/run_state.hpp>
#include <kestrion/messages/agent.hpp>
#include <kestrion/messages/command.hpp>
#include <kestrion/messages/effect.hpp>
#include <kestrion/messages/error.hpp>
#include <kestrion/messages/event.hpp>

#include <optional>
#include <vector>

/// The run, as three pure functions: no CAF, no clock, no I/O, no randomness.
///
///   pending --start_run--> running
///   running: model_call open --model_done(text)--> completed
///            model_call open --model_done(tool calls)--> batch open
///            model_call open --model_done(failure)--> open again, later |
///            open again with another model | failed
///            too long --> compaction open --model_done(summary, failure)-->
///            model_call open
///   batch:   any gate closed --> waiting_on_human
///            all gates open --> every call started, in one append
///            last call done --> model_call open | failed (limits)
///            only runs of other agents open --> waiting_on_child
///   waiting_on_child --child_done--> batch
///   batch of a handoff --child_done(running)--> completed
///   question open (waiting_on_human) --answer_question--> batch
///   only sleep left (sleeping) --tick at its time, signal_run--> batch
///   a limit reached, and people may raise it: held (waiting_on_human); nothing
///            new starts  --approve--> where it was, --deny--> failed
///   waiting_on_human --approve/deny--> batch
///                    --tick after deadline--> expired
///   any but terminal --send_message, signal_run--> heard before the next model
///            call; an answer then is not the last word
///   recover: started `once` calls --> in doubt (waiting_on_human); the other
///            effects are simply owed again
///   any but terminal --cancel_run--> cancelled
///                    --park_run--> parked: people may decide, nothing starts
///   parked --unpark_run--> where it was, taken over as by recover; a fork
///            begins so
namespace kestrion {

/// What follows from a command.
struct decision {
  std::vector<event> events;               ///< Facts to append, atomically.
  run_status status = run_status::pending; ///< After `events`, if any.
  std::optional<timestamp> wake_at; ///< What `wake_up` they lead to, if any.
  /// The answer for who asked, once `events` are durable. A decision that came
  /// too late expires the run *and* is refused.
  std::optional<error> refusal;
};

/// The next state. Total: never fails, never looks at the world. An event that
/// does not fit the state changes only what it can.
run_state fold(run_state state, recorded_event e);

/// What `c` changes. An answer to an effect that is settled decides nothing.
/// @param definition  As `prepare` made it.
/// @par Errors `refused`, `forbidden`, `not_found`, `invalid_argument`: the
///   command does not fit; nothing is to be appended.
result<decision> decide(const run_state& state,
                        const agent_definition& definition, const command& c);

/// What the state owes the world, in a stable order. A restarted run starts all
/// of it; a live one what is not in flight yet.
std::vector<effect> owed(const run_state& state);

/// When a run has to look whether a deadline or its limit of wall time has
/// passed; nothing if it has ended, is parked, or has no log yet, or if people
/// are asked for more and may take their time.
std::optional<timestamp> wake_time(const run_progress& p,
                                   const run_started& header);

} // namespace kestrion
