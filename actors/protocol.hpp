#pragma once

#include <kestrion/actors/agent_code.hpp>
#include <kestrion/actors/run_result.hpp>
#include <kestrion/actors/scheduler_protocol.hpp>
#include <kestrion/messages/command.hpp>
#include <kestrion/messages/model_call.hpp>
#include <kestrion/providers/tools/tool.hpp>
#include <kestrion/store/event_store.hpp>

#include <caf/actor_addr.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/error.hpp>
#include <caf/replies_to.hpp>
#include <caf/result.hpp>
#include <caf/typed_actor.hpp>

#include <stop_token>

/// Every actor and every message, one sentence each; those that a program's own
/// actors talk to besides are in embedding.hpp.
namespace kestrion {

// -- messages -----------------------------------------------------------------

struct flush_journal {};

/// Forget a message unless somebody acted on it.
struct take_back_message {
  std::uint64_t id = 0;
};

/// Tell other processes that this one lives.
struct renew_lease {};

/// Forget messages whose answers were read.
struct forget_messages {
  std::vector<std::uint64_t> ids;
};

/// A person's command, for the run it names.
struct run_command {
  run_id run;
  kestrion::command command;
  std::optional<std::uint64_t> post = {}; ///< The inbox's message it came by.
};

/// A command was taken, or was taken before; the run is here now.
struct run_receipt {
  run_id run;
  std::uint64_t seq = 0; ///< Length of its log.
};

struct start_request {
  std::string agent;
  message input;
  run_started options; ///< tenant, labels, key, parent; the rest is filled in.
  /// Asking again with the same id gives the run that exists.
  std::optional<run_id> id = {};
};

/// When a wait is over.
enum class wait_until : std::uint8_t {
  at_rest, ///< The run ended, or waits for a person, or is parked.
  ended,   ///< The run ended, or is parked and will not end by itself.
  over,    ///< The run ended; a parked one may go on yet.
};

struct await_run {
  run_id run;
  wait_until until = wait_until::at_rest;
};

/// Start, and answer only when it has ended.
struct run_to_end {
  start_request start;
};

struct run_settled {
  run_result result;
  std::uint64_t commands_taken = 0; ///< By this life of the run.
  std::optional<run_id> parent = {};
  std::string parent_call = {};
  std::int64_t descendants = 0; ///< Runs started below it.
  std::optional<run_id> handed_from = {};
};

/// A run owes the start of another one, and wants to hear of its end.
struct child_request {
  run_id from;
  start_child child;
  run_started header;                ///< What follows from the run that asks.
  std::vector<message> history = {}; ///< Of a handoff.
};

/// What one run has to tell another until it was heard.
struct tell_run {
  run_command what;
  std::string about; ///< With the run: what need not be told twice at a time.
};

/// A run ended before those that it started.
struct cancel_children {
  std::vector<run_id> runs;
  std::string by;
};

struct settle_query {};

/// Answered when what came before it is decided and durable.
struct ready_query {};

/// The directory is new: tell it all that it has to know.
struct meet_directory {};

/// The supervisor is new, and watches nobody yet.
struct meet_supervisor {};
struct passivate {};

/// The time of a delayed effect has come.
struct resume_owed {
  std::string call;
  std::int64_t attempt = 1;
};

struct run_due {};

struct wake_run_at {
  run_id run;
  timestamp at;
};

struct timers_due {};

/// What a process that starts looks after, the most urgent first.
enum class recovery_stage : std::uint8_t {
  running,  ///< Goes on from its log.
  parents,  ///< Wait for runs, which may have ended.
  children, ///< Wait for people; their parents may have ended.
};

/// Where to go on; the default is the beginning.
struct recover_all {
  bool rest = true; ///< Those that wait, too.
  recovery_stage stage = recovery_stage::running;
  std::optional<run_id> after = {};
};

struct look_at_store {};

/// A schedule has changed, or may be due.
struct look_at_schedules {
  std::uint64_t alarm = 0; ///< Which; another one may be set since. 0: none.
};

/// Another process may have done something.
struct store_news {
  bool may_take_over =
    false;                ///< It may have died; somebody waits for its runs.
  bool may_adopt = false; ///< Nobody may look after its runs any more.
};

struct respawn_run {
  run_id run;
  caf::actor_addr gone = {}; ///< Whose place it takes; another one may have it.
};

struct model_work {
  caf::actor_addr run;
  std::string call;
  std::int64_t attempt = 1;
  model_ptr model;
  model_request request;
  std::stop_token stop;
  /// Where its blobs are, of images and documents; null if it has none.
  std::shared_ptr<const event_store> blobs = {};
  delta_sink on_delta = {}; ///< Empty: nobody sees the answer being made.
};

struct tool_work {
  caf::actor_addr run;
  std::shared_ptr<const agent_code> agent;
  run_tool effect;
  tool_context context;
};

struct sweep_tools {};

/// What became of a permit that was asked for. One message for both, since each
/// kind that an actor takes costs it 40 bytes, and there are many runs.
struct call_decided {
  std::uint64_t permit = 0;
  /// Why the call may not be made, and the permit is gone; else it may be.
  std::optional<error> denied = {};
};

/// A child of a supervisor had its time to end by itself.
struct grace_over {
  caf::actor_addr child;
};

struct start_children {};

/// Whom a supervisor looks after at this moment.
struct which_children {};

struct supervised_actor {
  std::string name; ///< Of a run: its id.
  caf::actor_addr actor;
};

struct children_there {
  std::vector<supervised_actor> children; ///< Those that live.
};

// -- actors -------------------------------------------------------------------

/// The only writer of a store. Group-commits whatever came while it was busy.
using journal_actor = caf::typed_actor<
  // Appends; replies with the log's new length once it is durable.
  caf::replies_to<append_request>::with<std::uint64_t>,
  // INTERNAL: commits what has arrived.
  caf::reacts_to<flush_journal>,
  // Replies with the message's id once it is durable.
  caf::replies_to<inbox_post>::with<std::uint64_t>,
  // Replies whether it was there without an answer.
  caf::replies_to<take_back_message>::with<bool>,
  // Answers a message that no append follows from.
  caf::reacts_to<inbox_answer>,
  // Clears up; losing it does no harm.
  caf::reacts_to<forget_messages>,
  // Keeps a snapshot with the next commit; losing it does no harm.
  caf::reacts_to<run_snapshot>,
  // INTERNAL: about once a second.
  caf::reacts_to<renew_lease>,
  // Renews leases of limits; replies with this process's slices.
  caf::replies_to<lease_limits>::with<limit_leases>>;

/// Sees to the timeouts of tools.
using tool_watch_actor = caf::typed_actor<
  // Gives up on calls whose time is up.
  caf::reacts_to<sweep_tools>>;

/// One run: its mailbox is its log.
using run_actor = caf::typed_actor<
  // Decides; replies when the decision is durable, or with its refusal.
  caf::replies_to<run_command>::with<run_receipt>,
  // INTERNAL: outcome of an effect. Late and duplicate ones are ignored.
  caf::reacts_to<model_done>,
  // INTERNAL: outcome of an effect. Late and duplicate ones are ignored.
  caf::reacts_to<tool_done>,
  // INTERNAL: its model call may start, or fails without being made.
  caf::reacts_to<call_decided>,
  // INTERNAL: a deadline or limit may be due.
  caf::reacts_to<run_due>,
  // INTERNAL: a delayed effect may be due.
  caf::reacts_to<resume_owed>,
  // INTERNAL: tells a new directory what it has to know.
  caf::replies_to<meet_directory>::with<bool>,
  // Sends `run_settled` to the directory if the run is at rest.
  caf::reacts_to<settle_query>,
  // INTERNAL: whether all that was sent before has been taken up.
  caf::replies_to<ready_query>::with<bool>,
  // Leaves memory; only sent when nothing else is under way to the run.
  caf::reacts_to<passivate>>;

/// A strong handle: an address of an actor that is gone already can't be
/// monitored.
struct watch_run {
  run_id run;
  run_actor actor;
};

/// Finds, starts and wakes runs; at most one live actor for each.
using directory_actor = caf::typed_actor<
  // Starts a run; replies once its start is durable. A key that was used
  // before gives the run that exists.
  caf::replies_to<start_request>::with<run_receipt>,
  // Starts a run; replies once it has ended.
  caf::replies_to<run_to_end>::with<run_result>,
  // Replies once the run is at rest or has ended; resumes it if nobody did.
  caf::replies_to<await_run>::with<run_result>,
  // Wakes the run up if need be and passes the command on.
  caf::replies_to<run_command>::with<run_receipt>,
  // INTERNAL: a run is at rest.
  caf::reacts_to<run_settled>,
  // INTERNAL: the supervisor was started anew.
  caf::reacts_to<meet_supervisor>,
  // INTERNAL: a run needs another one, new or not.
  caf::reacts_to<child_request>,
  // INTERNAL: something for a run was not heard, and is told again.
  caf::reacts_to<tell_run>,
  // INTERNAL: a run ended before its children.
  caf::reacts_to<cancel_children>,
  // INTERNAL: a run has a deadline.
  caf::reacts_to<wake_run_at>,
  // INTERNAL: the earliest deadline may be due.
  caf::reacts_to<timers_due>,
  // Resumes every unfinished run whose agent is known here.
  caf::reacts_to<recover_all>,
  // INTERNAL: another process may have gone on with a run.
  caf::reacts_to<store_news>,
  // INTERNAL: the supervisor lets a crashed run live again, or parked it.
  caf::reacts_to<respawn_run>>;

/// Looks out for what other processes do with the store.
using store_watch_actor = caf::typed_actor<
  // INTERNAL: every few milliseconds.
  caf::reacts_to<look_at_store>>;

/// Starts runs by the clock, as schedules have it.
using schedule_actor = caf::typed_actor<
  // Starts what is due.
  caf::reacts_to<look_at_schedules>>;

/// Restarts runs that crash, and parks those that crash too often.
using supervisor_actor = caf::typed_actor<
  // Monitors a run's actor.
  caf::reacts_to<watch_run>,
  // Replies with the runs that have an actor, as far as it was told.
  caf::replies_to<which_children>::with<children_there>>;

// -- errors -------------------------------------------------------------------

/// The crossing from our errors into CAF's ...
caf::error to_caf(const error& e);

template <class T>
caf::result<T> to_caf(const result<T>& r) {
  if (r)
    return *r;
  return to_caf(r.error());
}

/// Whether the code is an errc.
bool is_ours(const caf::error& e);

/// ... and back. CAF's own errors become `unavailable`: an actor that was
/// needed ended, and is started anew.
error from_caf(const caf::error& e);

} // namespace kestrion

// Messages never leave this process; their durable form is JSON, not inspect().
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::append_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::flush_journal)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::inbox_post)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::take_back_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::inbox_answer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::forget_messages)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::renew_lease)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::run_snapshot)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::run_command)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::run_receipt)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::start_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::await_run)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::run_to_end)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::run_result)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::run_settled)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::child_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::tell_run)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::cancel_children)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::settle_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::ready_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::meet_directory)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::meet_supervisor)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::passivate)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::resume_owed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::run_due)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::wake_run_at)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::timers_due)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::recover_all)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::look_at_store)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::look_at_schedules)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::store_news)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::respawn_run)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::watch_run)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::model_done)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::tool_done)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::sweep_tools)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::call_decided)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::grace_over)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::start_children)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::which_children)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::children_there)
CAF_ERROR_CODE_ENUM(kestrion::errc, "kestrion") // At most 10 characters.
