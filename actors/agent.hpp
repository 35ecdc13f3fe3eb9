#pragma once

#include <kestrion/actors/agent_code.hpp>
#include <kestrion/messages/agent.hpp>
#include <kestrion/providers/models/model.hpp>
#include <kestrion/providers/tools/function_tool.hpp>

#include <concepts>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace kestrion {

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
  agent& system(std::string prompt);
  agent& limits(run_limits limits);
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

  /// Has the model's answers streamed, so that who watches a run sees them
  /// while they are made (`runtime::watch_drafts`, `run::drafts`). The log is
  /// the same as without. Costs the text of each answer in memory until it is
  /// finished, watched or not.
  agent& streams();

  const std::string& name() const { return definition_.name; }

  /// Checks everything, once; a runtime does it for you.
  /// @par Errors `invalid_argument`: no model, a bad name, a tool registered
  ///   twice, a schema that is none, a limit below 1.
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

  agent_definition definition_;
  model_ptr model_;
  std::vector<kestrion::tool> tools_;
  bool streams_ = false;
};

} // namespace kestrion
