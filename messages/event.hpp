#pragma once

#include <kestrion/messages/agent.hpp>
#include <kestrion/messages/call_lane.hpp>
#include <kestrion/messages/conversation.hpp>
#include <kestrion/messages/model_call.hpp>
#include <kestrion/messages/run_id.hpp>
#include <kestrion/messages/run_status.hpp>
#include <kestrion/messages/time.hpp>

#include <boost/describe/class.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// The facts that a run's log may hold. Append alternatives, never edit one: a
/// changed meaning is a new tag, `name/2`, with an upcast.
///
/// Ids: `m2` is the second model call of the run, `c2.0` the first tool call it
/// asked for. They count, so they are the same after every crash.
namespace kestrion {

/// A run exists. Always the first event.
struct run_started {
  static constexpr std::string_view tag = "run_started";
  std::string agent;
  std::string definition; ///< Digest of the agent's definition.
  run_limits limits;
  std::optional<run_id> parent;
  std::optional<std::string> parent_call;
  std::optional<std::string> tenant;
  std::optional<std::string> key; ///< The caller's idempotency key.
  std::map<std::string, std::string> labels;
  std::optional<std::int64_t> depth; ///< In its tree; nothing: 0.
  std::optional<run_id> handed_from; ///< Whose conversation it goes on with.
  std::optional<call_lane> lane;     ///< Of its model calls; nothing: batch.
  /// Of its model calls, within its tenant: -100 to 100; nothing: 0.
  std::optional<std::int64_t> priority;
  std::optional<timestamp> deadline; ///< Passed, the run fails.
  bool operator==(const run_started&) const = default;
};
BOOST_DESCRIBE_STRUCT(run_started, (),
                      (agent, definition, limits, parent, parent_call, tenant,
                       key, labels, depth, handed_from, lane, priority,
                       deadline))

/// Something was said to the agent: the prompt, or what was said before a
/// handoff, or, while the run goes on, by somebody. What is said while the
/// model or a batch is at work waits for the next model call.
struct message_received {
  static constexpr std::string_view tag = "message_received";
  kestrion::message message;
  std::optional<std::string> by; ///< While the run went on; else nothing.
  bool operator==(const message_received&) const = default;
};
BOOST_DESCRIBE_STRUCT(message_received, (), (message, by))

/// The model answered. Durable before anything that it asks for happens.
struct model_call_completed {
  static constexpr std::string_view tag = "model_call_completed";
  std::string call;
  std::string model;
  std::vector<part> parts;
  stop_reason stop = stop_reason::end_turn;
  token_usage usage;
  std::optional<std::int64_t> cost_usd_micros;
  kestrion::duration duration{};
  std::int64_t attempt = 1;
  std::optional<std::string> request_id;
  bool operator==(const model_call_completed&) const = default;
};
BOOST_DESCRIBE_STRUCT(model_call_completed, (),
                      (call, model, parts, stop, usage, cost_usd_micros,
                       duration, attempt, request_id))

/// An attempt failed. Without `retry_at` it was the last one.
struct model_call_failed {
  static constexpr std::string_view tag = "model_call_failed";
  std::string call;
  std::int64_t attempt = 1;
  std::string code; ///< Name of the errc.
  std::string detail;
  kestrion::duration duration{};
  std::optional<timestamp> retry_at;
  bool operator==(const model_call_failed&) const = default;
};
BOOST_DESCRIBE_STRUCT(model_call_failed, (),
                      (call, attempt, code, detail, duration, retry_at))

/// From here on the call may have an effect on the world.
struct tool_call_started {
  static constexpr std::string_view tag = "tool_call_started";
  std::string call;
  std::optional<std::string> by; ///< Who asked to run it again, when in doubt.
  bool operator==(const tool_call_started&) const = default;
};
BOOST_DESCRIBE_STRUCT(tool_call_started, (), (call, by))

struct tool_call_completed {
  static constexpr std::string_view tag = "tool_call_completed";
  std::string call;
  std::string content;
  kestrion::duration duration{};
  std::optional<std::string> by; ///< Who says so, when it was in doubt.
  std::optional<std::vector<content_part>> attachments{};
  bool operator==(const tool_call_completed&) const = default;
};
BOOST_DESCRIBE_STRUCT(tool_call_completed, (),
                      (call, content, duration, by, attachments))

/// Why a tool call gave the model an error result (a denial is an event of its
/// own).
enum class tool_failure : std::uint8_t {
  unknown_tool,
  invalid_arguments,
  failed, ///< The tool threw or returned an error.
  timed_out,
  not_executed, ///< In doubt, and a person knows that it did not happen.
};
BOOST_DESCRIBE_ENUM(tool_failure, unknown_tool, invalid_arguments, failed,
                    timed_out, not_executed)

/// An error result for the model, which goes on.
struct tool_call_failed {
  static constexpr std::string_view tag = "tool_call_failed";
  std::string call;
  tool_failure reason = tool_failure::failed;
  std::string detail; ///< What the model is told.
  kestrion::duration duration{};
  std::optional<std::string> by;
  bool operator==(const tool_call_failed&) const = default;
};
BOOST_DESCRIBE_STRUCT(tool_call_failed, (),
                      (call, reason, detail, duration, by))

/// The process died while a `once` call ran: nobody knows whether it happened.
struct tool_call_in_doubt {
  static constexpr std::string_view tag = "tool_call_in_doubt";
  std::string call;
  bool operator==(const tool_call_in_doubt&) const = default;
};
BOOST_DESCRIBE_STRUCT(tool_call_in_doubt, (), (call))

/// A person has to agree to exactly this call.
struct approval_requested {
  static constexpr std::string_view tag = "approval_requested";
  std::string call;
  std::string tool;
  std::string digest; ///< SHA-256 of the tool and its arguments.
  std::vector<std::string> roles;
  std::optional<timestamp> deadline;
  bool operator==(const approval_requested&) const = default;
};
BOOST_DESCRIBE_STRUCT(approval_requested, (),
                      (call, tool, digest, roles, deadline))

struct approval_granted {
  static constexpr std::string_view tag = "approval_granted";
  std::string call;
  std::string by;
  std::string role;
  std::string digest;                   ///< Of what will run.
  std::optional<std::string> arguments; ///< If the approver edited them.
  bool operator==(const approval_granted&) const = default;
};
BOOST_DESCRIBE_STRUCT(approval_granted, (), (call, by, role, digest, arguments))

struct approval_denied {
  static constexpr std::string_view tag = "approval_denied";
  std::string call;
  std::string by;
  std::string role;
  std::string digest;
  std::string reason; ///< The model sees it.
  bool operator==(const approval_denied&) const = default;
};
BOOST_DESCRIBE_STRUCT(approval_denied, (), (call, by, role, digest, reason))

/// The deadline passed; `run_expired` follows in the same append.
struct approval_expired {
  static constexpr std::string_view tag = "approval_expired";
  std::string call;
  bool operator==(const approval_expired&) const = default;
};
BOOST_DESCRIBE_STRUCT(approval_expired, (), (call))

/// The run's answer is the text of its last message.
struct run_completed {
  static constexpr std::string_view tag = "run_completed";
  /// The answer, where the message has words around it.
  std::optional<std::string> output;
  bool operator==(const run_completed&) const = default;
};
BOOST_DESCRIBE_STRUCT(run_completed, (), (output))

struct run_failed {
  static constexpr std::string_view tag = "run_failed";
  std::string code; ///< Name of the errc.
  std::string reason;
  bool operator==(const run_failed&) const = default;
};
BOOST_DESCRIBE_STRUCT(run_failed, (), (code, reason))

struct run_expired {
  static constexpr std::string_view tag = "run_expired";
  std::string reason;
  bool operator==(const run_expired&) const = default;
};
BOOST_DESCRIBE_STRUCT(run_expired, (), (reason))

/// After this no effect starts.
struct run_cancelled {
  static constexpr std::string_view tag = "run_cancelled";
  std::string by;
  std::string reason;
  bool operator==(const run_cancelled&) const = default;
};
BOOST_DESCRIBE_STRUCT(run_cancelled, (), (by, reason))

/// Another life of the run took over while effects were open.
struct run_recovered {
  static constexpr std::string_view tag = "run_recovered";
  std::optional<std::string> model_call; ///< Made again; may have cost already.
  std::int64_t lost_tokens_estimate = 0;
  std::int64_t lost_usd_micros_estimate = 0;
  bool operator==(const run_recovered&) const = default;
};
BOOST_DESCRIBE_STRUCT(run_recovered, (),
                      (model_call, lost_tokens_estimate,
                       lost_usd_micros_estimate))

/// It crashed too often; it stays as it is until `run_resumed`.
struct run_parked {
  static constexpr std::string_view tag = "run_parked";
  std::string reason;
  bool operator==(const run_parked&) const = default;
};
BOOST_DESCRIBE_STRUCT(run_parked, (), (reason))

struct run_resumed {
  static constexpr std::string_view tag = "run_resumed";
  std::string by;
  bool operator==(const run_resumed&) const = default;
};
BOOST_DESCRIBE_STRUCT(run_resumed, (), (by))

// -- other agents -------------------------------------------------------------

/// The call is a run of another agent, which is started for it exactly once.
struct child_started {
  static constexpr std::string_view tag = "child_started";
  std::string call; ///< The run is `child_id(this run, call)`.
  std::string agent;
  bool operator==(const child_started&) const = default;
};
BOOST_DESCRIBE_STRUCT(child_started, (), (call, agent))

/// The run of a call ended, or could not be started.
struct child_ended {
  static constexpr std::string_view tag = "child_ended";
  std::string call;
  run_status status = run_status::completed; ///< As it ended.
  std::string
    content;         ///< What the model is told: the answer, or what happened.
  token_usage usage; ///< Of the child and all below it.
  std::int64_t cost_usd_micros = 0;
  std::int64_t descendants = 0; ///< Runs started below the child.
  bool operator==(const child_ended&) const = default;
};
BOOST_DESCRIBE_STRUCT(child_ended, (),
                      (call, status, content, usage, cost_usd_micros,
                       descendants))

/// The conversation moves to a new run of another agent. Once that exists,
/// `run_completed` follows.
struct handed_off {
  static constexpr std::string_view tag = "handed_off";
  std::string call; ///< The run is `child_id(this run, call)`.
  std::string agent;
  bool operator==(const handed_off&) const = default;
};
BOOST_DESCRIBE_STRUCT(handed_off, (), (call, agent))

// -- people and the world -----------------------------------------------------

/// The call is a question to a person; the answer is `tool_call_completed`.
struct question_asked {
  static constexpr std::string_view tag = "question_asked";
  std::string call;
  std::string question;
  std::vector<std::string> choices; ///< If any, only these are answers.
  bool operator==(const question_asked&) const = default;
};
BOOST_DESCRIBE_STRUCT(question_asked, (), (call, question, choices))

/// Something happened that the agent has to know; heard like a message.
struct signal_received {
  static constexpr std::string_view tag = "signal_received";
  std::string name;
  std::string data;
  std::string by;
  bool operator==(const signal_received&) const = default;
};
BOOST_DESCRIBE_STRUCT(signal_received, (), (name, data, by))

/// An attempt was given up for what was said meanwhile; the next follows.
struct model_call_interrupted {
  static constexpr std::string_view tag = "model_call_interrupted";
  std::string call;
  std::int64_t attempt = 1; ///< The one given up; may have cost already.
  std::int64_t lost_tokens_estimate = 0;
  std::int64_t lost_usd_micros_estimate = 0;
  bool operator==(const model_call_interrupted&) const = default;
};
BOOST_DESCRIBE_STRUCT(model_call_interrupted, (),
                      (call, attempt, lost_tokens_estimate,
                       lost_usd_micros_estimate))

/// An attempt of a tool call failed, and the call is not over: the next starts
/// at `retry_at`. The model does not hear of it.
struct tool_attempt_failed {
  static constexpr std::string_view tag = "tool_attempt_failed";
  std::string call;
  std::int64_t attempt = 1;
  tool_failure reason = tool_failure::failed; ///< Or `timed_out`.
  std::string detail;
  kestrion::duration duration{};
  timestamp retry_at;
  bool operator==(const tool_attempt_failed&) const = default;
};
BOOST_DESCRIBE_STRUCT(tool_attempt_failed, (),
                      (call, attempt, reason, detail, duration, retry_at))

// -- typed output -------------------------------------------------------------

/// The answer fits the schema of the agent's output; its check looks at it.
struct output_check_started {
  static constexpr std::string_view tag = "output_check_started";
  std::string call;                  ///< `o3`: about the answer of `m3`.
  std::optional<std::string> output; ///< As in `run_completed`.
  bool operator==(const output_check_started&) const = default;
};
BOOST_DESCRIBE_STRUCT(output_check_started, (), (call, output))

/// The answer does not fit the agent's output, or its check says no. The model
/// hears why, and answers again.
struct output_rejected {
  static constexpr std::string_view tag = "output_rejected";
  std::string call; ///< As in `output_check_started`.
  std::string reason;
  bool operator==(const output_rejected&) const = default;
};
BOOST_DESCRIBE_STRUCT(output_rejected, (), (call, reason))

// -- limits -------------------------------------------------------------------

/// The run may use no more, and asks people; `approval_requested` for the same
/// call follows in the same append. Nothing new starts meanwhile.
struct limit_reached {
  static constexpr std::string_view tag = "limit_reached";
  std::string call;  ///< `l1`: the first time that it asks.
  std::string limit; ///< Its name in `run_limits`.
  std::int64_t used = 0;
  std::int64_t max = 0;
  std::string proposal; ///< A `limit_raise` as JSON: what people agree to.
  bool operator==(const limit_reached&) const = default;
};
BOOST_DESCRIBE_STRUCT(limit_reached, (), (call, limit, used, max, proposal))

/// All who had to agree have; from here on these limits hold.
struct limits_raised {
  static constexpr std::string_view tag = "limits_raised";
  std::string call;
  limit_raise limits;
  bool operator==(const limits_raised&) const = default;
};
BOOST_DESCRIBE_STRUCT(limits_raised, (), (call, limits))

// -- other models -------------------------------------------------------------

/// The next attempt of the call is made with another model of the agent's list.
struct model_switched {
  static constexpr std::string_view tag = "model_switched";
  std::string call;
  std::string from; ///< Its name.
  std::string to;
  std::int64_t place = 0; ///< In the list, of `to`; 0 is the first.
  std::string reason;     ///< Name of the errc.
  /// Calls that begin before go there at once; later ones to the first again.
  timestamp until;
  bool operator==(const model_switched&) const = default;
};
BOOST_DESCRIBE_STRUCT(model_switched, (),
                      (call, from, to, place, reason, until))

// -- compaction ---------------------------------------------------------------

/// A model sums up older messages, for the context has grown too long. The
/// model call that is open waits for it.
struct compaction_started {
  static constexpr std::string_view tag = "compaction_started";
  std::string call;       ///< `k3`: before `m3`.
  std::int64_t first = 0; ///< Of these messages, in the conversation; from 0.
  std::int64_t messages = 0; ///< How many.
  std::int64_t tokens = 0;   ///< Of the whole context, about.
  std::int64_t place = 0;    ///< Of the model, as in `model_switched`.
  bool operator==(const compaction_started&) const = default;
};
BOOST_DESCRIBE_STRUCT(compaction_started, (),
                      (call, first, messages, tokens, place))

/// From here on the summary stands for these messages, towards models. They
/// stay in the log.
struct conversation_compacted {
  static constexpr std::string_view tag = "conversation_compacted";
  std::string call;
  std::int64_t first = 0;
  std::int64_t messages = 0;
  std::int64_t kept = 0; ///< Messages behind them.
  std::string summary;
  std::int64_t tokens_before = 0; ///< Of the whole context, about.
  std::int64_t tokens_after = 0;
  std::int64_t said_bytes = 0; ///< Of text in the conversation.
  std::string model;
  token_usage usage;
  std::optional<std::int64_t> cost_usd_micros;
  kestrion::duration duration{};
  std::int64_t attempt = 1;
  std::optional<std::string> request_id;
  bool operator==(const conversation_compacted&) const = default;
};
BOOST_DESCRIBE_STRUCT(conversation_compacted, (),
                      (call, first, messages, kept, summary, tokens_before,
                       tokens_after, said_bytes, model, usage, cost_usd_micros,
                       duration, attempt, request_id))

/// An attempt gave no summary. Without `retry_at` it was the last one, and the
/// run goes on with the conversation as it is.
struct compaction_failed {
  static constexpr std::string_view tag = "compaction_failed";
  std::string call;
  std::int64_t attempt = 1;
  std::string code; ///< Name of the errc.
  std::string detail;
  token_usage usage; ///< Of an answer that was no good.
  std::optional<std::int64_t> cost_usd_micros;
  kestrion::duration duration{};
  std::optional<timestamp> retry_at;
  bool operator==(const compaction_failed&) const = default;
};
BOOST_DESCRIBE_STRUCT(compaction_failed, (),
                      (call, attempt, code, detail, usage, cost_usd_micros,
                       duration, retry_at))

// -- time ---------------------------------------------------------------------

/// The call is a sleep; when it is over, `tool_call_completed` follows.
struct sleep_started {
  static constexpr std::string_view tag = "sleep_started";
  std::string call;
  timestamp until;
  bool operator==(const sleep_started&) const = default;
};
BOOST_DESCRIBE_STRUCT(sleep_started, (), (call, until))

/// The log so far is that of another run, but for what its first event says of
/// parent, key and deadline. Nothing happens here until `run_resumed`.
struct run_forked {
  static constexpr std::string_view tag = "run_forked";
  run_id from;
  std::int64_t at = 0; ///< The last event of `from` that is here.
  std::string by;
  bool operator==(const run_forked&) const = default;
};
BOOST_DESCRIBE_STRUCT(run_forked, (), (from, at, by))

/// The agent is another than the run went on with so far.
struct definition_changed {
  static constexpr std::string_view tag = "definition_changed";
  std::string from; ///< Digests.
  std::string to;
  bool operator==(const definition_changed&) const = default;
};
BOOST_DESCRIBE_STRUCT(definition_changed, (), (from, to))

using event = std::variant<
  run_started, message_received, model_call_completed, model_call_failed,
  tool_call_started, tool_call_completed, tool_call_failed, tool_call_in_doubt,
  approval_requested, approval_granted, approval_denied, approval_expired,
  run_completed, run_failed, run_expired, run_cancelled, run_recovered,
  run_parked, run_resumed, child_started, child_ended, handed_off,
  question_asked, signal_received, model_call_interrupted, tool_attempt_failed,
  output_check_started, output_rejected, limit_reached, limits_raised,
  model_switched, compaction_started, conversation_compacted, compaction_failed,
  sleep_started, run_forked, definition_changed>;

/// An event at its place in the log.
struct recorded_event {
  std::uint64_t seq = 0; ///< 1-based, dense.
  timestamp at;
  kestrion::event event;
  bool operator==(const recorded_event&) const = default;
};

/// An event as the store keeps it.
struct encoded_event {
  timestamp at;
  std::string_view type; ///< The tag; static storage.
  std::string data;      ///< A JSON object, without the tag.
};

std::string_view tag_of(const event& e);

encoded_event encode(const event& e, timestamp at);

/// Inverse of `encode`.
/// @par Errors `corrupt` for an unknown tag, JSON that is none, or a missing,
///             mistyped or unknown member; the sentence names it.
result<event> decode_event(std::string_view type, std::string_view data);

} // namespace kestrion
