#pragma once

#include <kestrion/actors/drafts.hpp>
#include <kestrion/actors/fan_out.hpp>
#include <kestrion/actors/protocol.hpp>
#include <kestrion/actors/watching.hpp>

#include <memory>
#include <vector>

/// Every message and every actor that other actors of a program talk to, one
/// sentence each. `front_of(rt)` is where they begin.
namespace kestrion {

// -- messages -----------------------------------------------------------------

/// A handle to a run, like any actor: to monitor, to link to, to talk to.
struct attach_run {
  run_id run;
};

/// Start runs, and answer when all of them have ended.
struct start_all_of {
  std::vector<start_request> starts;
  fan_out_options options = {};
};

/// In the order of the requests. One that could not be started has no id, and
/// failed.
struct fan_out_results {
  std::vector<run_result> results;
};

/// Start runs, answer when one of them has ended, and cancel the others.
struct start_first_of {
  std::vector<start_request> starts;
  fan_out_options options = {};
};

/// Where the run of this handle is, once it is at rest or has ended.
struct await_this {
  wait_until until = wait_until::at_rest;
};

/// The runtime stops; the run goes on with the next one.
struct leave_run {};

/// Requests without an answer are asked again.
struct ask_again {};

/// There is something new for who watches drafts.
struct look_at_draft {};

/// What one commit made durable.
struct appended_events {
  struct part {
    run_id run;
    std::uint64_t first_seq = 0;
    std::vector<encoded_event> events;
    run_status status = run_status::pending; ///< After them.
  };
  std::vector<part> parts;
  std::shared_ptr<const void> place = {}; ///< Among those that may wait.
};

// -- actors -------------------------------------------------------------------

/// Hears of events. What it does with one has to be done before so many more
/// come: `events_in_flight_max`.
using event_subscriber_actor = caf::typed_actor<
  // An event that is durable; those of a run in order, each once.
  caf::reacts_to<run_event>,
  // Some were left out, for it was too slow; the store has them.
  caf::reacts_to<events_missed>>;

/// Hear of events, as messages, until the subscriber ends.
struct watch_events {
  event_filter filter;
  event_subscriber_actor subscriber;
};

/// Sees drafts of answers. It gets the next message when it has dealt with the
/// one before; what comes meanwhile is in that one.
using draft_subscriber_actor = caf::typed_actor<
  // Something new of the answer that a model is making.
  caf::reacts_to<draft_update>>;

/// See the drafts of a run, as messages, until the subscriber ends.
struct watch_drafts {
  run_id run;
  draft_subscriber_actor subscriber;
};

/// Gives the drafts of one run to one who watches.
using draft_reader_actor = caf::typed_actor<
  // INTERNAL: there is something new.
  caf::reacts_to<look_at_draft>>;

/// A run as an actor that lives as long as the run does, across passivation and
/// crashes of all that works for it.
///
/// It ends with the reason `normal` when the run has completed, also if that
/// was before, and else with an error that says how the run ended: `cancelled`,
/// `timeout` for an expired one, the code of one that failed. A parked run has
/// not ended. An exit message to it that is not `normal`, such as that of a
/// linked actor which failed, cancels the run; `kill` ends the handle only. It
/// ends with `user_shutdown` if the runtime stops before the run.
using run_handle_actor = caf::typed_actor<
  // Says yes to a call; replies when that is durable, as all decisions here.
  caf::replies_to<approve_call>::with<run_receipt>,
  // Says no to a call.
  caf::replies_to<deny_call>::with<run_receipt>,
  // Says what became of a call in doubt.
  caf::replies_to<resolve_doubt>::with<run_receipt>,
  // Answers a question of the model.
  caf::replies_to<answer_question>::with<run_receipt>,
  // Steers: the model reads it with its next call, or now.
  caf::replies_to<send_message>::with<run_receipt>,
  // Tells that something happened.
  caf::replies_to<signal_run>::with<run_receipt>,
  // Stops it.
  caf::replies_to<cancel_run>::with<run_receipt>,
  // Lets it go on that was parked.
  caf::replies_to<unpark_run>::with<run_receipt>,
  // Replies where the run is, once it is at rest or has ended.
  caf::replies_to<await_this>::with<run_result>,
  // INTERNAL: the store failed, and may be well again.
  caf::reacts_to<ask_again>,
  // INTERNAL: ends the handle, not the run.
  caf::reacts_to<leave_run>>;

/// What programs' actors talk to: the handle stays good as long as the runtime
/// does, whatever crashes behind it. Each request gets an answer. One that was
/// under way when an actor behind it crashed is made again if twice is once;
/// else the answer is `unavailable`, and the run's log says whether it was
/// heard (`send_message`, `signal_run`, `unpark_run`, `resolve_doubt`, and
/// decisions that do not name their call).
using front_actor = caf::typed_actor<
  // Starts a run; replies once its start is durable. A key that was used
  // before gives the run that exists.
  caf::replies_to<start_request>::with<run_receipt>,
  // Starts a run; replies once it has ended.
  caf::replies_to<run_to_end>::with<run_result>,
  // Replies once the run is at rest or has ended.
  caf::replies_to<await_run>::with<run_result>,
  // Decides about a run, steers or stops it; replies when that is durable.
  caf::replies_to<run_command>::with<run_receipt>,
  // Replies with a handle to a run, which behaves as an actor does.
  caf::replies_to<attach_run>::with<run_handle_actor>,
  // Replies true when the subscriber will hear of all that follows.
  caf::replies_to<watch_events>::with<bool>,
  // Replies true when the subscriber will see the draft that is being made, and
  // all that follow.
  caf::replies_to<watch_drafts>::with<bool>,
  // Starts runs, some at a time; replies when all have ended.
  caf::replies_to<start_all_of>::with<fan_out_results>,
  // Starts runs, some at a time; replies with the first one that ended, when
  // the others are cancelled.
  caf::replies_to<start_first_of>::with<run_result>,
  // INTERNAL: somebody may be there again.
  caf::reacts_to<ask_again>>;

/// Gives events to those who watch.
using event_hub_actor = caf::typed_actor<
  // Replies true when the subscriber will hear of all that follows.
  caf::replies_to<watch_events>::with<bool>,
  // INTERNAL: the journal has committed.
  caf::reacts_to<appended_events>,
  // INTERNAL: other processes may have appended.
  caf::reacts_to<look_at_store>>;

} // namespace kestrion

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::attach_run)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::watch_events)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::watch_drafts)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::draft_update)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::look_at_draft)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::start_all_of)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::fan_out_results)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::start_first_of)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::await_this)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::leave_run)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::ask_again)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::appended_events)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::run_event)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::events_missed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::run_handle_actor)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::approve_call)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::deny_call)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::resolve_doubt)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::answer_question)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::send_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::signal_run)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::cancel_run)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::unpark_run)
