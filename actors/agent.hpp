#pragma once

#include <kestrion/actors/agent_code.hpp>
#include <kestrion/messages/agent.hpp>
#include <kestrion/messages/json_schema.hpp>
#include <kestrion/providers/models/model.hpp>
#include <kestrion/providers/tools/function_tool.hpp>

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace kestrion {

/// When an agent's conversation has grown too long, a model sums up its older
/// messages. The first message and the last ones stay, and so do calls of tools
/// with their results. The log keeps all of it.
struct compaction {
  double at = 0.7;            ///< Share of the context window that is too much.
  std::int64_t keep_last = 8; ///< Messages that stay as they are, at least.
  /// Tokens; unset: the smallest window of the agent's models, as
  /// `model::context_window` knows it.
  std::optional<std::int64_t> window = {};
  model_ptr model = {}; ///< Who sums up; unset: who makes the run's calls.
  std::int64_t summary_tokens_max = 4'096;
};

/// Describes an agent: its model, what it is told, what it may do.
///
///     auto ops = kestrion::agent("ops")
///                  .model(kestrion::anthropic("claude-sonnet-4-6"))
///                  .system("You look after the checkout cluster.")
///                  .tool("restart", "Restarts a service.", restart,
///                        kestrion::requires_approval("engineer"));
///
/// A value: copy it, keep it, give it to several runtimes.
/// @par Threading As any value: one thread at a time.
class agent {
public:
  explicit agent(std::string name);

  agent& model(model_ptr model);

  /// Another model, for when those that were given before are out: overloaded,
  /// not reachable, slowed down for long, or out of quota. Give several in the
  /// order of preference. The conversation is translated; what one vendor's
  /// models thought is not shown to another's. The trace tells of each switch,
  /// and the first model is tried again by itself.
  agent& fallback(model_ptr model);

  /// When the next one takes over, and for how long.
  agent& fallback_when(fallback_rule rule);

  /// Has older messages summed up when the conversation outgrows a share of the
  /// context window.
  agent& compacts(compaction rule = {});

  agent& system(std::string prompt);
  agent& limits(run_limits limits);

  /// A run that reaches one of its limits (turns, tool calls, tokens, cost,
  /// wall time, descendants) asks people for more, instead of failing: it is
  /// held, `waiting_on_human`, with a call of `raise_limits` to approve, to
  /// approve with other numbers (`limit_raise`), or to deny, which fails it.
  /// @param who  As for a tool; a deadline that passes expires the run.
  agent& asks_for_more(const requires_approval& who = requires_approval{});
  agent& options(model_options options);
  agent& tool(kestrion::tool tool);

  /// As `make_tool`.
  template <class F, class... Options>
  agent& tool(std::string name, std::string description, F f,
              Options... options) {
    return tool(make_tool(std::move(name), std::move(description), std::move(f),
                          std::move(options)...));
  }

  /// A tool that starts a run of another agent, as often as it is called; the
  /// run's answer is the result. The model writes the prompt.
  /// @param target   The other agent's name; the runtime has to know it.
  /// @param options  `requires_approval`, for the call itself. What the other
  ///   agent's tools require is asked for besides.
  template <class... Options>
  agent& subagent(std::string name, std::string description, std::string target,
                  Options... options) {
    return tool(make_tool_of(tool_kind::subagent, std::move(name),
                             std::move(description), std::move(target),
                             std::move(options)...));
  }

  /// A tool that moves the whole conversation to a run of another agent; this
  /// agent's run completes with a link to it.
  /// @param options  `requires_approval`.
  template <class... Options>
  agent& handoff(std::string name, std::string description, std::string target,
                 Options... options) {
    return tool(make_tool_of(tool_kind::handoff, std::move(name),
                             std::move(description), std::move(target),
                             std::move(options)...));
  }

  /// Lets the model ask people, with the tool `ask_human`. The run waits for
  /// the answer.
  agent& can_ask();

  /// Lets the model sleep, with the tool `sleep`: for 1 s up to `sleep_max`.
  /// The run leaves memory meanwhile, and no crash makes it sleep longer or
  /// shorter. A signal, or a message that interrupts, wakes it. Slept time
  /// counts as wall time.
  agent& can_sleep();

  /// The answer has to be a T, a struct described with BOOST_DESCRIBE_STRUCT.
  /// A model that can be given a schema gets that of T; another answers with a
  /// tool. What does not fit goes back to the model, with what is wrong, up to
  /// `run_limits::output_attempts_max` answers in all; then the run fails with
  /// `invalid_output`. `run_result::output_as<T>()` is the answer.
  template <class T>
  agent& output() {
    return set_output(schema_of_output<T>(), {});
  }

  /// As above; `check` may say no to what fits the schema, with a reason that
  /// the model gets.
  /// @param check  Takes a `const T&`, returns a `result<void>`; what it throws
  ///   is a no as well. Runs as a tool does: on a thread that may block, for
  ///   five minutes at the most, several at once, and again after a crash: it
  ///   must have no effect of its own.
  template <class T, class F>
  agent& output(F check) {
    return set_output(schema_of_output<T>(),
                      detail::to_output_check<T>(std::move(check)));
  }

  /// Has the model's answers streamed, so that who watches a run sees them
  /// while they are made (`runtime::watch_drafts`, `run::drafts`). The log is
  /// the same as without. Costs the text of each answer in memory until it is
  /// finished, watched or not.
  agent& streams();

  const std::string& name() const { return definition_.name; }

  /// Checks everything, once; a runtime does it for you.
  /// @par Errors `invalid_argument`: no model, a bad name, a tool registered
  ///   twice or with the name `final_answer` beside an output, a schema that is
  ///   none, a limit below 1, a compaction without a window. `unsupported`: an
  ///   option, tools or the output are nothing for one of its models.
  result<std::shared_ptr<const agent_code>> build() const;

private:
  template <class... Options>
  static kestrion::tool make_tool_of(tool_kind kind, std::string name,
                                     std::string description,
                                     std::string target, Options... options) {
    static_assert((std::same_as<Options, requires_approval> && ...),
                  "a tool without code takes requires_approval only");
    kestrion::tool t;
    t.spec.name = std::move(name);
    t.spec.description = std::move(description);
    t.spec.kind = kind;
    t.spec.agent = std::move(target);
    (detail::apply(t, options), ...);
    return t;
  }

  template <class T>
  static std::string schema_of_output() {
    static_assert(detail::described_struct<T>,
                  "the output of an agent is a struct described with "
                  "BOOST_DESCRIBE_STRUCT");
    return json_schema<T>(empty_member::absent_or_null);
  }

  agent& set_output(std::string schema, tool_function check);

  agent_definition definition_;
  model_ptr model_;
  std::vector<model_ptr> fallbacks_;
  std::optional<compaction> compaction_;
  std::vector<kestrion::tool> tools_;
  tool_function output_check_;
  bool streams_ = false;
};

} // namespace kestrion
