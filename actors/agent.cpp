#include <kestrion/actors/agent.hpp>

#include <algorithm>

namespace kestrion {

namespace {

/// Servers cache no beginning of a prompt that is shorter: 1,024 tokens.
constexpr std::int64_t cached_bytes_min = 4'096;

/// What the system prompt, the tools and the output's schema come to in each
/// call.
std::int64_t fixed_bytes_of(const agent_definition& d) {
  auto bytes = d.system.size();
  for (const auto& tool : d.tools)
    bytes +=
      tool.name.size() + tool.description.size() + tool.input_schema.size();
  if (d.output)
    bytes += d.output->schema.size();
  return static_cast<std::int64_t>(bytes);
}

void set_calls(agent_code& code) {
  const auto endpoint = code.model->endpoint();
  const auto& definition = *code.definition;
  code.route = {endpoint.provider, definition.model, endpoint.key};
  code.fixed_bytes = fixed_bytes_of(definition);
  code.delegates = std::any_of(
    definition.tools.begin(), definition.tools.end(),
    [](const tool_spec& t) { return t.kind == tool_kind::subagent; });
  if (endpoint.caches && code.fixed_bytes >= cached_bytes_min)
    code.prefix = definition.digest;
}

} // namespace

agent::agent(std::string name) {
  definition_.name = std::move(name);
}

agent& agent::model(model_ptr model) {
  model_ = std::move(model);
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

agent& agent::asks_for_more(requires_approval who) {
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
  if (!model_)
    return error{errc::invalid_argument,
                 "agent \"" + definition_.name
                   + "\" has no model; give it one with .model(...)"};
  auto definition = definition_;
  definition.model = model_->name();
  definition.price = model_->price();
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
  code->model = model_;
  code->streams = streams_;
  set_calls(*code);
  return std::shared_ptr<const agent_code>{std::move(code)};
}

} // namespace kestrion
