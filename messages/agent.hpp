#pragma once

#include <kestrion/messages/error.hpp>
#include <kestrion/messages/schema.hpp>
#include <kestrion/messages/time.hpp>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kestrion {

class redactor;

/// What may be done about a call that was running when the process died.
enum class effect_contract : std::uint8_t {
  pure,       ///< Only reads: run again.
  idempotent, ///< Run again under the same key; the tool sees to the rest.
  probe,      ///< Ask the tool's own probe whether it happened.
  once,       ///< Never run again: the run waits for a person, `in_doubt`.
};
BOOST_DESCRIBE_ENUM(effect_contract, pure, idempotent, probe, once)

/// Who has to agree before a call may run.
struct approval_gate {
  bool required = false; ///< Else the rest has to be empty.
  /// Empty: anyone. One: that role. More: each of them, in any order.
  std::vector<std::string> roles;
  /// Counted from the request on; passed, the run expires.
  std::optional<duration> deadline;
  bool operator==(const approval_gate&) const = default;
};
BOOST_DESCRIBE_STRUCT(approval_gate, (), (required, roles, deadline))

/// How often a call that fails is tried, and how long between. A call fails if
/// the tool throws, returns an error or takes too long.
struct retry_rule {
  std::int64_t attempts_max = 1; ///< The first included; 1: never again.
  /// Before the second attempt; doubles with each, less up to 25 % at random.
  duration backoff_first = std::chrono::milliseconds{500};
  duration backoff_max = std::chrono::seconds{30};
  bool operator==(const retry_rule&) const = default;
};
BOOST_DESCRIBE_STRUCT(retry_rule, (),
                      (attempts_max, backoff_first, backoff_max))

/// What a call of a tool does.
enum class tool_kind : std::uint8_t {
  function, ///< Runs code.
  subagent, ///< Starts a run of another agent; its answer is the result.
  handoff,  ///< Moves the conversation to a run of another agent.
  question, ///< Asks a person.
  sleep,    ///< Waits for a time.
};
BOOST_DESCRIBE_ENUM(tool_kind, function, subagent, handoff, question, sleep)

/// The longest that one call may sleep.
inline constexpr duration sleep_max = std::chrono::days{366};

/// What calls of this kind take, as JSON Schema; empty for functions, which
/// each have their own.
std::string_view input_schema_of(tool_kind kind);

/// A tool as the machine and the models see it; its code is in the tool pool.
struct tool_spec {
  std::string name;         ///< 1 to 64 of A-Z a-z 0-9 _ -
  std::string description;  ///< For the model.
  std::string input_schema; ///< JSON Schema of an object, as text.
  effect_contract contract = effect_contract::idempotent;
  approval_gate gate;
  duration timeout = std::chrono::minutes{5}; ///< Of one attempt.
  tool_kind kind = tool_kind::function;
  std::string agent{}; ///< Whose run a subagent or handoff starts.
  retry_rule retry{};  ///< Of functions; not for the contract `once`.
  /// So many calls at once in one runtime, over all runs of the agent; the
  /// others wait in order. Of functions; nothing: as many as there are.
  std::optional<std::int64_t> concurrency_max{};
  std::shared_ptr<const schema> validator; ///< `input_schema`, compiled.
};

/// How deep a tree of runs may get where its agents do not say.
inline constexpr std::int64_t default_depth_max = 8;
/// How many runs may be started below one whose agent does not say.
inline constexpr std::int64_t default_descendants_max = 1'000;

/// How many runs work for one at the same time whose agent does not say.
inline constexpr std::int64_t default_children_at_once_max = 16;

/// How many answers that do not fit a run takes whose agent does not say.
inline constexpr std::int64_t default_output_attempts_max = 3;

/// Where a run ends for certain. Reaching one fails the run with its name, or
/// asks people (`agent_definition::limit_gate`), but for `depth_max`, which is
/// an error result, and `children_at_once_max`, at which the next ones wait.
struct run_limits {
  std::int64_t turns_max = 100; ///< Model calls that completed.
  std::int64_t tool_calls_max = 1'000;
  std::int64_t tokens_max = 10'000'000;          ///< All kinds, all calls.
  std::int64_t cost_usd_micros_max = 50'000'000; ///< Where the price is known.
  duration wall_time_max = std::chrono::days{30};
  std::int64_t model_attempts_max =
    6; ///< Of one model call, the first included.
  /// A run so deep starts no other; a run that no run started has depth 0.
  std::optional<std::int64_t> depth_max{};       ///< default_depth_max
  std::optional<std::int64_t> descendants_max{}; ///< default_descendants_max
  /// Runs of one batch that work at the same time; the others follow, in the
  /// order of their calls. Nothing: default_children_at_once_max.
  std::optional<std::int64_t> children_at_once_max{};
  /// So many answers that are not the output which the agent declares, and the
  /// run fails. Nothing: default_output_attempts_max.
  std::optional<std::int64_t> output_attempts_max{};
  bool operator==(const run_limits&) const = default;
};
BOOST_DESCRIBE_STRUCT(run_limits, (),
                      (turns_max, tool_calls_max, tokens_max,
                       cost_usd_micros_max, wall_time_max, model_attempts_max,
                       depth_max, descendants_max, children_at_once_max,
                       output_attempts_max))

/// The tool by which a run asks people for more, once a limit is reached.
inline constexpr std::string_view raise_limits_name = "raise_limits";

/// The limits of a run that people may raise, each to its new value; these are
/// the arguments of `raise_limits`. Nothing: as it is.
struct limit_raise {
  std::optional<std::int64_t> turns_max;
  std::optional<std::int64_t> tool_calls_max;
  std::optional<std::int64_t> tokens_max;
  std::optional<std::int64_t> cost_usd_micros_max;
  std::optional<duration> wall_time_max; ///< In JSON: microseconds.
  std::optional<std::int64_t> descendants_max;
  bool operator==(const limit_raise&) const = default;
};
BOOST_DESCRIBE_STRUCT(limit_raise, (),
                      (turns_max, tool_calls_max, tokens_max,
                       cost_usd_micros_max, wall_time_max, descendants_max))

/// Micro-dollars per million tokens.
struct model_price {
  std::int64_t input = 0;
  std::int64_t output = 0;
  std::int64_t cache_read = 0;
  std::int64_t cache_write = 0;
  bool operator==(const model_price&) const = default;
};
BOOST_DESCRIBE_STRUCT(model_price, (), (input, output, cache_read, cache_write))

/// How to ask the model; what is not set is left to the vendor.
struct model_options {
  std::int64_t output_tokens_max = 8'192;
  std::optional<double> temperature;
  std::optional<std::string> effort; ///< low, medium, high; vendors add some.
  duration timeout = std::chrono::minutes{10}; ///< One attempt, end to end.
  bool operator==(const model_options&) const = default;
};
BOOST_DESCRIBE_STRUCT(model_options, (),
                      (output_tokens_max, temperature, effort, timeout))

/// A model that takes over when those before it in an agent's list are out.
struct fallback_model {
  std::string name;
  std::optional<model_price> price;
};

/// When the next model of an agent's list takes over, and for how long.
struct fallback_rule {
  /// Of a model call with each model but the last, for which only
  /// `model_attempts_max` counts.
  std::int64_t attempts_max = 2;
  /// A longer wait before the next attempt is not worth it.
  duration wait_max = std::chrono::seconds{5};
  /// So long the first model is left alone, or as long as its server asks for.
  /// Doubles each time that it is found still out.
  duration rest_first = std::chrono::minutes{1};
  duration rest_max = std::chrono::minutes{30};
  bool operator==(const fallback_rule&) const = default;
};
BOOST_DESCRIBE_STRUCT(fallback_rule, (),
                      (attempts_max, wait_max, rest_first, rest_max))

/// When and how older messages of a conversation are summed up.
struct compaction_spec {
  std::int64_t window_tokens = 0; ///< What the agent's models can take in.
  double at = 0.7;                ///< Share of it that is too much.
  std::int64_t keep_last = 8;     ///< Messages that stay as they are.
  std::int64_t summary_tokens_max = 4'096;
  /// Who sums up; nothing: the model that makes the run's calls.
  std::optional<fallback_model> model{};

  std::int64_t tokens_max() const; ///< From here on it is due.
};

/// The tool by which models answer that can't be given a schema; the agent's
/// check of an answer runs under the same name.
inline constexpr std::string_view output_tool_name = "final_answer";

/// What the answer of an agent has to be, if not any text.
struct output_spec {
  std::string schema; ///< JSON Schema of an object, as text.
  /// What fits the schema has to pass the agent's own check besides.
  bool is_checked = false;
  std::shared_ptr<const kestrion::schema> validator; ///< `schema`, compiled.
};

/// An agent as data: all that decides what its runs do, without any code.
/// @par Threading Immutable once a runtime has it; any thread.
struct agent_definition {
  std::string name;
  std::string system;
  std::string model; ///< The vendor's name of the model.
  std::vector<tool_spec> tools;
  run_limits limits;
  /// Who may raise the limits of a run that reached one; not required: the run
  /// fails instead.
  approval_gate limit_gate{};
  model_options options;
  std::optional<output_spec> output;     ///< Nothing: any text.
  std::optional<model_price> price;      ///< For the estimate of lost calls.
  std::vector<fallback_model> fallbacks; ///< In the order of preference.
  fallback_rule fallback;
  std::optional<compaction_spec> compaction;
  std::string digest; ///< Of all above; `digest_of`.
  /// What its runs never record; of the runtime, so it is no part of the
  /// digest.
  std::shared_ptr<const redactor> redaction = {};

  const tool_spec* find_tool(std::string_view tool_name) const;

  /// Of `model` and its fallbacks, which are the places 0, 1, 2 ... One behind
  /// the last is a model that only sums up, if there is one.
  std::int64_t models() const;
  /// A place that the list has not, or not any more, counts as 0; also below.
  const std::string& model_name(std::int64_t place) const;
  const std::optional<model_price>& model_price_of(std::int64_t place) const;
};

/// SHA-256 over the canonical JSON of the definition without its prices.
std::string digest_of(const agent_definition& definition);

/// Checks names, schemas and limits, compiles the validators, sets the digest.
/// A tool that is no function gets the schema of its kind if it has none.
/// @par Errors `invalid_argument`: an empty or overlong name, a tool twice, a
///             schema that is none or not one of an object or not that of the
///             tool's kind, a subagent or handoff without an agent, another
///             tool with one, a limit below 1, several attempts of a tool whose
///             contract is `once`, a tool with the name that answers have,
///             or `raise_limits` where people may be asked to, a rule for
///             fallbacks or compaction that makes no sense.
result<agent_definition> prepare(agent_definition definition);

} // namespace kestrion
