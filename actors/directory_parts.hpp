#pragma once

#include <kestrion/actors/directory_actor.hpp>

/// What the sources of the directory share. Internal.
namespace kestrion::directory_parts {

using directory_self = directory_actor::stateful_pointer<directory_state>;
using receipt_promise = caf::typed_response_promise<run_receipt>;

/// The live actor of a run that has not ended; wakes it up if need be.
/// @par Errors `not_found` if its agent is not known here; `conflict` if it
///   runs in another process that lives
result<resident*> wake(directory_self self, const run_row& row);

/// Passes a person's command on to its run, wherever that lives.
void forward(directory_self self, const run_command& c,
             receipt_promise promise);

/// Spawns the actor of a run that has none.
/// @param fresh  It has no log yet.
resident& admit(directory_self self, const run_id& id,
                std::shared_ptr<const agent_code> agent, bool fresh);

/// Answers who waits for this run as far as the result is what they wait for.
/// @param needs_person  It, or a run below it, waits for a person.
void settle_waiters(directory_self self, const run_result& r,
                    bool needs_person);

// -- runs of runs -------------------------------------------------------------

/// Starts the run that another one needs, or goes on with it, or tells its end.
void start_child_run(directory_self self, const child_request& x);

/// The parent hears of an end; who waits for those above, of a need for people.
void tell_parent(directory_self self, const run_settled& x);

/// Until the run has heard it.
void tell_again(directory_self self, const tell_run& x);

void cancel_all(directory_self self, const cancel_children& x);

/// Cancels a run whose parent ended without coming to it.
void cancel_if_orphan(directory_self self, const run_row& row);

// -- recovery and timers ------------------------------------------------------

/// Takes up a page of what an earlier process left, and goes on with the next
/// when that is under way.
void recover_some(directory_self self, const recover_all& from);

/// Wakes the runs whose time has come, page by page.
void ring(directory_self self);

/// Some run wants to be woken up then.
void set_alarm(directory_self self, timestamp at);

// -- runs of other processes --------------------------------------------------

/// Leaves the command for the process that owns its run; the promise is kept
/// when that has answered.
void post(directory_self self, const run_command& c, receipt_promise promise);

/// Whatever others may have left for our runs, or answered us.
/// @param may_take_over  Also look after messages whose owner may have died.
void look_at_inbox(directory_self self, bool may_take_over);

} // namespace kestrion::directory_parts
