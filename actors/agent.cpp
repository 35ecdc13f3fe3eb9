#include <kestrion/actors/agent.hpp>

#include <kestrion/actors/agent_models.hpp>

namespace kestrion {

agent::agent(std::string name) {
  definition_.name = std::move(name);
}

agent& agent::model(model_ptr model) {
  model_ = std::move(model);
  return *this;
}

agent& agent::fallback(model_ptr model) {
  fallbacks_.push_back(std::move(model));
  return *this;
}

agent& agent::fallback_when(fallback_rule rule) {
  definition_.fallback = rule;
  return *this;
}

agent& agent::compacts(compaction rule) {
  compaction_ = std::move(rule);
  return *this;
}

agent& agent::system(std::string prompt) {
  definition_.system = std::move(prompt);
  return *this;
}

agent& agent::limits(run_limits limits) {
  definition_.limits = limits;
  return *this;
}

agent& agent::asks_for_more(const requires_approval& who) {
  definition_.limit_gate = who.gate();
  return *this;
}

agent& agent::options(model_options options) {
  definition_.options = std::move(options);
  return *this;
}

agent& agent::tool(kestrion::tool tool) {
  tools_.push_back(std::move(tool));
  return *this;
}

agent& agent::can_ask() {
  return tool(make_tool_of(tool_kind::question, "ask_human",
                           "Asks a person, and waits for the answer. For what "
                           "only people can know or decide.",
                           {}));
}

agent& agent::can_sleep() {
  return tool(make_tool_of(tool_kind::sleep, "sleep",
                           "Waits for so many seconds; days are fine. For what "
                           "has to be looked at again later.",
                           {}));
}

agent& agent::set_output(std::string schema, tool_function check) {
  definition_.output = output_spec{std::move(schema), check != nullptr, {}};
  output_check_ = std::move(check);
  return *this;
}

agent& agent::streams() {
  streams_ = true;
  return *this;
}

result<std::shared_ptr<const agent_code>> agent::build() const {
  const agent_models models{model_, fallbacks_, compaction_};
  auto definition = definition_;
  if (auto ok = describe_models(models, definition); !ok)
    return ok.error();
  auto code = std::make_shared<agent_code>();
  for (const auto& t : tools_) {
    if (t.spec.kind != tool_kind::function) {
      definition.tools.push_back(t.spec);
      continue;
    }
    if (!t.code.run)
      return error{errc::invalid_argument, "agent \"" + definition_.name
                                             + "\": the tool \"" + t.spec.name
                                             + "\" has no code"};
    if (t.spec.contract == effect_contract::probe && !t.code.probe)
      return error{errc::invalid_argument,
                   "agent \"" + definition_.name + "\": the tool \""
                     + t.spec.name
                     + "\" has the contract probe but no probe; give it one "
                       "with probe_with"};
    definition.tools.push_back(t.spec);
    code->tools.emplace(t.spec.name, t.code);
  }
  if (output_check_)
    code->tools.emplace(output_tool_name, tool_code{output_check_, {}});
  auto prepared = prepare(std::move(definition));
  if (!prepared)
    return prepared.error();
  code->definition =
    std::make_shared<const agent_definition>(std::move(*prepared));
  code->streams = streams_;
  if (auto ok = add_models(models, *code); !ok)
    return ok.error();
  return std::shared_ptr<const agent_code>{std::move(code)};
}

} // namespace kestrion
