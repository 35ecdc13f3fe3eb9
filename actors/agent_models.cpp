#include <kestrion/actors/agent_models.hpp>

#include <kestrion/actors/compaction.hpp>

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

agent_model with_route(const agent_code& code, const model_ptr& model) {
  const auto endpoint = model->endpoint();
  agent_model out;
  out.model = model;
  out.route = {endpoint.provider, model->name(), endpoint.key};
  if (endpoint.caches && code.fixed_bytes >= cached_bytes_min)
    out.prefix = code.definition->digest;
  return out;
}

error about(const agent_definition& d, const std::string& why) {
  return {errc::invalid_argument, "agent \"" + d.name + "\"" + why};
}

/// What all that may get the conversation can take in.
result<std::int64_t> window_of(const agent_models& models,
                               const agent_definition& d) {
  if (models.summing_up->window)
    return *models.summing_up->window;
  auto all = models.fallbacks;
  all.push_back(models.first);
  std::optional<std::int64_t> smallest;
  for (const auto& each : all) {
    const auto window = each->context_window();
    if (!window)
      return about(d, ", compaction: the context window of model "
                        + each->name() + " is not known; say it with .window");
    smallest = std::min(smallest.value_or(*window), *window);
  }
  return *smallest;
}

result<void> describe_compaction(const agent_models& models,
                                 agent_definition& d) {
  const auto& rule = *models.summing_up;
  const auto window = window_of(models, d);
  if (!window)
    return window.error();
  compaction_spec spec{
    *window, rule.at, rule.keep_last, rule.summary_tokens_max, {}};
  if (rule.model) {
    spec.model = fallback_model{rule.model->name(), rule.model->price()};
    const auto room = rule.model->context_window();
    if (room && *room < spec.tokens_max())
      return about(
        d, ", compaction: model " + rule.model->name() + " takes in "
             + std::to_string(*room) + " tokens; expected at least the "
             + std::to_string(spec.tokens_max()) + " at which it is to sum up");
  }
  d.compaction = std::move(spec);
  return {};
}

} // namespace

result<void> describe_models(const agent_models& models, agent_definition& d) {
  if (!models.first)
    return about(d, " has no model; give it one with .model(...)");
  d.model = models.first->name();
  d.price = models.first->price();
  for (const auto& other : models.fallbacks) {
    if (!other)
      return about(d, " has no model where it has a fallback");
    d.fallbacks.push_back({other->name(), other->price()});
  }
  return models.summing_up ? describe_compaction(models, d) : result<void>{};
}

result<void> add_models(const agent_models& models, agent_code& code) {
  const auto& d = *code.definition;
  code.fixed_bytes = fixed_bytes_of(d);
  code.delegates =
    std::any_of(d.tools.begin(), d.tools.end(), [](const tool_spec& t) {
      return t.kind == tool_kind::subagent;
    });
  const auto add =
    [&](const model_ptr& model,
        const std::shared_ptr<const agent_definition>& asks) -> result<void> {
    if (auto fits = model->check(asks); !fits)
      return error{fits.error().code,
                   "agent \"" + d.name + "\": " + fits.error().detail};
    code.models.push_back(with_route(code, model));
    return {};
  };
  if (auto ok = add(models.first, code.definition); !ok)
    return ok;
  for (const auto& other : models.fallbacks)
    if (auto ok = add(other, code.definition); !ok)
      return ok;
  if (models.summing_up && models.summing_up->model)
    return add(models.summing_up->model,
               std::make_shared<const agent_definition>(summary_agent(d)));
  return {};
}

} // namespace kestrion
