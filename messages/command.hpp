#pragma once

#include <kestrion/messages/event.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// What may reach a run. Each carries the time at which its shell took it up,
/// and fresh randomness where a decision needs some.
namespace kestrion {

struct start_run {
  run_started header;
  message input; ///< May be empty if there is a history.
  timestamp now;
  std::vector<message> history{}; ///< What was said before a handoff.
};

struct model_done {
  std::string call; ///< The effect it answers.
  model_outcome outcome;
  kestrion::duration duration{};
  timestamp now;
  std::uint32_t jitter = 0; ///< Uniform over its range.
  /// Of the effect it answers; another than the open one is late. 0: not said.
  std::int64_t attempt = 0;
};

/// What became of a tool call that ran.
struct tool_outcome {
  std::string content; ///< The result, or what went wrong.
  std::optional<tool_failure> failure;
  bool is_permanent = false; ///< Another attempt would fail as well.
  std::vector<content_part> attachments{}; ///< Of a result, behind `content`.
  bool operator==(const tool_outcome&) const = default;
};

struct tool_done {
  std::string call;
  tool_outcome outcome;
  kestrion::duration duration{};
  timestamp now;
  std::int64_t attempt = 0; ///< As in `model_done`.
  std::uint32_t jitter = 0; ///< As in `model_done`.
};

/// A person's yes or no. Names the call by its id, or by its tool if only one
/// call of that tool waits; neither is needed if only one call waits at all.
/// Repeating it is safe if it names the call; otherwise it may mean a later
/// one.
struct approval {
  std::string call{};
  std::string tool{};
  std::string by{};     ///< Who decides; required.
  std::string role{};   ///< In which role; required if the gate names roles.
  std::string digest{}; ///< What was looked at; if given, it has to match.
  std::optional<std::string> arguments{}; ///< Edited ones, as JSON.
};
BOOST_DESCRIBE_STRUCT(approval, (), (call, tool, by, role, digest, arguments))

struct denial {
  std::string call{};
  std::string tool{};
  std::string by{};
  std::string role{};
  std::string digest{};
  std::string reason{}; ///< The model sees it and goes on.
};
BOOST_DESCRIBE_STRUCT(denial, (), (call, tool, by, role, digest, reason))

struct approve_call {
  static constexpr std::string_view tag = "approve";
  approval decision;
  timestamp now;
};
BOOST_DESCRIBE_STRUCT(approve_call, (), (decision))

struct deny_call {
  static constexpr std::string_view tag = "deny";
  denial decision;
  timestamp now;
};
BOOST_DESCRIBE_STRUCT(deny_call, (), (decision))

/// The three answers to "did it happen?".
enum class doubt_answer : std::uint8_t { happened, did_not_happen, run_again };
BOOST_DESCRIBE_ENUM(doubt_answer, happened, did_not_happen, run_again)

struct doubt_resolution {
  std::string call{}; ///< Not needed if only one call is in doubt.
  doubt_answer answer = doubt_answer::happened;
  std::string by{};      ///< Required.
  std::string content{}; ///< The result, for `happened`.
};
BOOST_DESCRIBE_STRUCT(doubt_resolution, (), (call, answer, by, content))

struct resolve_doubt {
  static constexpr std::string_view tag = "resolve";
  doubt_resolution decision;
  timestamp now;
};
BOOST_DESCRIBE_STRUCT(resolve_doubt, (), (decision))

struct cancel_run {
  static constexpr std::string_view tag = "cancel";
  std::string by;
  std::string reason;
  timestamp now;
};
BOOST_DESCRIBE_STRUCT(cancel_run, (), (by, reason))

/// Time passed; deadlines and limits may be due.
struct tick {
  timestamp now;
};

/// A new life of the run begins; nothing is in flight any more.
struct recover_run {
  timestamp now;
};

struct park_run {
  std::string reason;
  timestamp now;
};

struct unpark_run {
  static constexpr std::string_view tag = "unpark";
  std::string by;
  timestamp now;
};
BOOST_DESCRIBE_STRUCT(unpark_run, (), (by))

/// The end of a call that is a run of another agent.
struct child_done {
  static constexpr std::string_view tag = "child_done";
  std::string call; ///< The effect it answers.
  /// How it ended. `failed` also if it could not be started. Of one that has
  /// not ended nothing follows, but for a handoff: there any status other than
  /// `failed` says that the new run exists.
  run_status status = run_status::completed;
  std::string content; ///< Its answer, or why it ended so.
  token_usage usage;   ///< Of it and all below it.
  std::int64_t cost_usd_micros = 0;
  std::int64_t descendants = 0; ///< Runs started below it.
  timestamp now;
};
BOOST_DESCRIBE_STRUCT(child_done, (),
                      (call, status, content, usage, cost_usd_micros,
                       descendants))

/// A person's answer to a question of the model.
struct question_answer {
  std::string call{}; ///< Not needed if only one question is open.
  std::string by{};   ///< Required.
  std::string text{}; ///< Required; one of the choices if there are some.
};
BOOST_DESCRIBE_STRUCT(question_answer, (), (call, by, text))

struct answer_question {
  static constexpr std::string_view tag = "answer";
  question_answer answer;
  timestamp now;
};
BOOST_DESCRIBE_STRUCT(answer_question, (), (answer))

/// Tells a run something while it goes on.
struct send_message {
  static constexpr std::string_view tag = "message";
  kestrion::message message; ///< Text and images.
  std::string by;            ///< Required.
  bool interrupt = false;    ///< Gives up a model call that is under way.
  timestamp now;
};
BOOST_DESCRIBE_STRUCT(send_message, (), (message, by, interrupt))

/// Tells a run that something happened.
struct signal_run {
  static constexpr std::string_view tag = "signal";
  std::string name; ///< Required.
  std::string data;
  std::string by; ///< Required.
  timestamp now;
};
BOOST_DESCRIBE_STRUCT(signal_run, (), (name, data, by))

using command = std::variant<start_run, model_done, tool_done, approve_call,
                             deny_call, resolve_doubt, cancel_run, tick,
                             recover_run, park_run, unpark_run, child_done,
                             answer_question, send_message, signal_run>;

/// A command that people or other runs give. As JSON, it may wait in the inbox
/// of a run that lives in another process.
/// @par Errors `invalid_argument` for the commands that come from a run's own
///   process only.
result<std::string> encode_command(const command& c);

/// Inverse of `encode_command`; the time is left for who takes it up.
/// @par Errors `invalid_argument`, naming what is missing or not expected.
result<command> decode_command(std::string_view json);

} // namespace kestrion
