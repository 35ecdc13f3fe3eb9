#pragma once

#include <kestrion/actors/run_header.hpp>
#include <kestrion/actors/vendor_ids.hpp>
#include <kestrion/messages/boxed.hpp>
#include <kestrion/messages/effect.hpp>
#include <kestrion/messages/event.hpp>
#include <kestrion/messages/run_status.hpp>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kestrion {

/// A rough mean, for what nobody has counted.
inline constexpr std::int64_t bytes_per_token = 4;

/// One role's yes to exactly these arguments.
struct role_grant {
  std::string by;
  std::string role;
  std::string digest;
  bool operator==(const role_grant&) const = default;
};
BOOST_DESCRIBE_STRUCT(role_grant, (), (by, role, digest))

enum class call_phase : std::uint8_t {
  waiting,  ///< For its gate, or for another gate of the same batch.
  started,  ///< May be having its effect right now.
  in_doubt, ///< Was started in an earlier life; a person has to say.
  done,     ///< Has its result.
  child,    ///< Is a run of another agent, which may not have started yet.
  asking,   ///< Waits for a person's answer.
  sleeping, ///< Until `open_call::not_before`.
};
BOOST_DESCRIBE_ENUM(call_phase, waiting, started, in_doubt, done, child, asking,
                    sleeping)

/// A tool call of the open batch.
struct open_call {
  std::string id;
  std::string tool;
  std::string arguments; ///< As they will run: edited ones replace the model's.
  call_phase phase = call_phase::waiting;
  std::int64_t attempt = 0;
  std::int64_t failures = 0; ///< Attempts that failed since its start.
  /// Of the next attempt, or of the end of a sleep; the epoch: at once.
  timestamp not_before{};
  bool interrupted = false; ///< Begun before; it may have happened.
  std::string agent{};      ///< Of the child.
  bool handoff = false;     ///< The child takes the conversation over.
  std::string question{};
  std::vector<std::string> choices{};
  bool gated = false;
  std::string digest; ///< Gated calls only, as all that follows.
  std::vector<std::string> roles;
  std::optional<timestamp> deadline;
  std::vector<role_grant> grants;
  bool operator==(const open_call&) const = default;
};
BOOST_DESCRIBE_STRUCT(open_call, (),
                      (id, tool, arguments, phase, attempt, failures,
                       not_before, interrupted, agent, handoff, question,
                       choices, gated, digest, roles, deadline, grants))

/// Which roles still have to agree; nothing if the gate is open. A gate for
/// anyone that nobody opened yet gives one empty role.
std::vector<std::string> missing_roles(const open_call& call);

/// The call of `raise_limits`, while people are asked for more.
struct limit_request {
  open_call call;
  std::string why; ///< "tokens_max of 500 (used: 510)"
  bool operator==(const limit_request&) const = default;
};
BOOST_DESCRIBE_STRUCT(limit_request, (), (call, why))

/// What people added to the limits that the run was started with.
struct raised_limits {
  std::int64_t times = 0;
  limit_raise limits;
  bool operator==(const raised_limits&) const = default;
};
BOOST_DESCRIBE_STRUCT(raised_limits, (), (times, limits))

/// A gate that was decided, kept so that the same decision twice is one.
struct closed_gate {
  std::string call;
  std::string tool;
  std::string digest;
  std::vector<role_grant> grants;
  std::optional<role_grant> denial;
  bool operator==(const closed_gate&) const = default;
};
BOOST_DESCRIBE_STRUCT(closed_gate, (), (call, tool, digest, grants, denial))

/// A question that was answered, kept so that the same answer twice is one.
struct closed_question {
  std::string call;
  std::string by;
  std::string text;
  bool operator==(const closed_question&) const = default;
};
BOOST_DESCRIBE_STRUCT(closed_question, (), (call, by, text))

/// A call that moved the conversation to another run.
struct handover {
  std::string call;
  std::string agent;
  bool operator==(const handover&) const = default;
};
BOOST_DESCRIBE_STRUCT(handover, (), (call, agent))

struct open_model_call {
  std::string id;
  std::int64_t attempt = 1;
  timestamp not_before; ///< The epoch: at once.
  /// Attempts that do not count: those that somebody interrupted, and those
  /// with other models.
  std::int64_t given_up = 0;
  std::int64_t place = 0; ///< Of its model in the agent's list.
  bool operator==(const open_model_call&) const = default;
};
BOOST_DESCRIBE_STRUCT(open_model_call, (),
                      (id, attempt, not_before, given_up, place))

/// Models of the agent's list are out, as far as the run knows.
struct model_detour {
  std::int64_t place = 0;     ///< Of the model that took over.
  timestamp until;            ///< Later calls begin with the first again.
  std::int64_t tried = 0;     ///< Models that the open call has given up on.
  std::int64_t found_out = 0; ///< Times in a row that the first was out.
  bool operator==(const model_detour&) const = default;
};
BOOST_DESCRIBE_STRUCT(model_detour, (), (place, until, tried, found_out))

/// Older messages are being summed up; the open model call waits for it.
struct open_compaction {
  std::string call; ///< `k3`: before `m3`.
  std::int64_t attempt = 1;
  timestamp not_before;      ///< As in `open_model_call`.
  std::int64_t place = 0;    ///< Likewise.
  std::int64_t first = 0;    ///< Of the messages, in the conversation.
  std::int64_t messages = 0; ///< How many.
  std::int64_t tokens = 0;   ///< Of the whole context, about.
  bool operator==(const open_compaction&) const = default;
};
BOOST_DESCRIBE_STRUCT(open_compaction, (),
                      (call, attempt, not_before, place, first, messages,
                       tokens))

/// What remains of compactions.
struct compaction_past {
  /// So many messages, from the first on, are older than the last summary or
  /// are it.
  std::int64_t rebased = 0;
  std::int64_t not_below = 0; ///< After a failure: tokens for the next try.
  bool operator==(const compaction_past&) const = default;
};
BOOST_DESCRIBE_STRUCT(compaction_past, (), (rebased, not_below))

/// An answer that the agent's check looks at.
struct open_check {
  std::string call;                  ///< `o3`: about the answer of `m3`.
  std::optional<std::string> output; ///< Nothing: the text of the last message.
  bool operator==(const open_check&) const = default;
};
BOOST_DESCRIBE_STRUCT(open_check, (), (call, output))

/// Everything about a run but what was said: small, so that deciding on a copy
/// is cheap however long the conversation is.
struct run_progress {
  run_status status = run_status::pending;
  std::uint64_t seq = 0; ///< Events folded.
  /// Events by which the run got on: all but recoveries and parking. What a
  /// restart policy means by progress.
  std::uint64_t steps = 0;
  timestamp started_at;
  timestamp updated_at;
  boxed<open_model_call> model_call;
  boxed<model_detour> detour;   ///< Nothing: the first model of the list works.
  std::vector<open_call> calls; ///< The open batch, in the model's order.
  std::vector<closed_gate> closed_gates;
  std::vector<closed_question> closed_questions;
  std::int64_t heard = 0; ///< Messages that wait for the next model call.
  boxed<handover> handed_over;
  boxed<open_check> check;
  /// Set: a limit is reached, and nothing new starts until people decide.
  boxed<limit_request> limit;
  boxed<raised_limits> raised;
  std::int64_t rejections = 0; ///< Of answers.
  boxed<std::string> output;   ///< As in `run_completed`.
  std::int64_t turns = 0;      ///< Model calls that completed.
  std::int64_t tool_calls = 0;
  token_usage usage;
  std::int64_t lost_tokens_estimate = 0; ///< Of calls lost in crashes.
  std::int64_t cost_usd_micros = 0;      ///< Lost calls included.
  std::int64_t said_bytes = 0;           ///< Text in the conversation.
  /// What the context has in tokens beyond those of `said_bytes`, as it was
  /// last counted; may be negative.
  std::int64_t context_offset = 0;
  boxed<open_compaction> compaction;
  boxed<compaction_past> compacted;
  std::int64_t descendants = 0; ///< Runs started for it, theirs included.
  /// Calls whose runs had not ended when it did.
  std::vector<std::string> left_children;
  bool parked = false;
  boxed<std::string> definition; ///< Its digest, if it is not the first one's.
  std::string code;              ///< Why it failed: an errc's name.
  std::string reason;            ///< Why it ended or was parked.
  bool operator==(const run_progress&) const = default;
};
BOOST_DESCRIBE_STRUCT(run_progress, (),
                      (status, seq, steps, started_at, updated_at, model_call,
                       detour, calls, closed_gates, closed_questions, heard,
                       handed_over, check, limit, raised, rejections, output,
                       turns, tool_calls, usage, lost_tokens_estimate,
                       cost_usd_micros, said_bytes, context_offset, compaction,
                       compacted, descendants, left_children, parked,
                       definition, code, reason))

/// The digest of the agent's definition that the run went on with last.
const std::string& definition_of(const run_started& header,
                                 const run_progress& p);

/// The limits that hold now.
/// @param declared  Those that the run was started with.
run_limits limits_of(const run_limits& declared, const run_progress& p);

/// Calls `f` with each call that waits for people to agree, in the order of
/// their batch; that of `raise_limits` comes last.
template <class F>
void for_each_closed_gate(const run_progress& p, F f) {
  const auto look = [&](const open_call& call) {
    if (call.phase == call_phase::waiting && !missing_roles(call).empty())
      f(call);
  };
  for (const auto& call : p.calls)
    look(call);
  if (p.limit)
    look(p.limit->call);
}

/// The fold of a run's log. Equal logs have equal states. Another member, here
/// or above, needs a place in `encode_snapshot` and a new `snapshot_version`.
struct run_state {
  run_header header;
  run_progress progress;
  kestrion::conversation conversation; ///< As models see it: compacted.
  kestrion::conversation heard;        ///< Said, but not to the model yet.
  std::vector<std::optional<tool_result_part>> results; ///< As progress.calls.
  kestrion::vendor_ids vendor_ids{}; ///< Of the conversation.
};

/// The limits that hold for a run now.
inline run_limits limits_of(const run_state& state) {
  return limits_of(state.header->limits, state.progress);
}

/// How many tokens the next model call has to take in, about: what the vendor
/// counted last, and a token for four bytes that were said since.
std::int64_t context_tokens(const run_progress& progress);

/// Compares what was said, not where it is stored.
bool operator==(const run_state& a, const run_state& b);

/// Calls that are runs which have not ended, as far as this run knows; after
/// its own end those that it left behind. The run of a call is
/// `child_id(this run, call)`.
std::vector<std::string> open_children(const run_state& state);

/// The conversation as the run that `call` hands it over to starts with it:
/// each call of the open batch has a result, and what was heard is there too.
std::vector<message> handoff_history(const run_state& state,
                                     std::string_view call);

/// The handoff that is being done; nothing if there is none.
const open_call* open_handoff(const run_progress& progress);

/// The answer: what the last message holds of it, if the model said it.
std::string output_of(const run_state& state);

} // namespace kestrion
