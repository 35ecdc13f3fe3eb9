#include <kestrion/messages/agent.hpp>

#include <kestrion/messages/canonical_json.hpp>
#include <kestrion/messages/described.hpp>
#include <kestrion/messages/digest.hpp>

#include <algorithm>

namespace kestrion {

namespace {

constexpr std::size_t name_length_max = 64; // What all three vendors accept.

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= name_length_max
         && std::all_of(name.begin(), name.end(), [](char c) {
              return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
                     || (c >= '0' && c <= '9') || c == '_' || c == '-';
            });
}

error invalid(std::string detail) {
  return {errc::invalid_argument, std::move(detail)};
}

result<void> check_limits(const agent_definition& d) {
  const auto& l = d.limits;
  const auto at_least_one = [&](std::int64_t value, const char* name) {
    return value >= 1
             ? result<void>{}
             : invalid("agent \"" + d.name + "\": limit " + name + " is "
                       + std::to_string(value) + "; expected at least 1");
  };
  for (auto checked :
       {at_least_one(l.turns_max, "turns_max"),
        at_least_one(l.tool_calls_max, "tool_calls_max"),
        at_least_one(l.tokens_max, "tokens_max"),
        at_least_one(l.cost_usd_micros_max, "cost_usd_micros_max"),
        at_least_one(l.wall_time_max.count(), "wall_time_max"),
        at_least_one(l.model_attempts_max, "model_attempts_max"),
        at_least_one(l.depth_max.value_or(1), "depth_max"),
        at_least_one(l.descendants_max.value_or(1), "descendants_max"),
        at_least_one(l.children_at_once_max.value_or(1),
                     "children_at_once_max"),
        at_least_one(l.output_attempts_max.value_or(1), "output_attempts_max"),
        at_least_one(d.options.output_tokens_max, "output_tokens_max"),
        at_least_one(d.options.timeout.count(), "timeout")})
    if (!checked)
      return checked;
  return {};
}

result<void> check_fallback(const agent_definition& d) {
  const auto about = "agent \"" + d.name + "\", fallback: ";
  const auto& rule = d.fallback;
  if (rule.attempts_max < 1)
    return invalid(about + "attempts_max is "
                   + std::to_string(rule.attempts_max)
                   + "; expected at least 1");
  if (rule.wait_max < duration::zero())
    return invalid(about + "wait_max is negative");
  if (rule.rest_first < duration::zero() || rule.rest_max < rule.rest_first)
    return invalid(about
                   + "the rest has to begin with zero or more and to end with "
                     "no less");
  return {};
}

result<void> check_compaction(const agent_definition& d) {
  if (!d.compaction)
    return {};
  const auto about = "agent \"" + d.name + "\", compaction: ";
  const auto& rule = *d.compaction;
  if (!(rule.at > 0 && rule.at <= 1))
    return invalid(about + "at is " + std::to_string(rule.at)
                   + "; expected a share of the context window, over 0 and up "
                     "to 1");
  if (rule.keep_last < 1)
    return invalid(about + "keep_last is " + std::to_string(rule.keep_last)
                   + "; expected at least 1");
  if (rule.summary_tokens_max < 1)
    return invalid(about + "summary_tokens_max is "
                   + std::to_string(rule.summary_tokens_max)
                   + "; expected at least 1");
  if (rule.tokens_max() < 1)
    return invalid(about + "the window is " + std::to_string(rule.window_tokens)
                   + " tokens; expected more");
  return {};
}

/// What is particular to tools that are no functions.
result<void> check_kind(const std::string& about, tool_spec& tool) {
  const bool starts_runs =
    tool.kind == tool_kind::subagent || tool.kind == tool_kind::handoff;
  const std::string kind =
    boost::describe::enum_to_string(tool.kind, "tool of an unknown kind");
  if (starts_runs && !is_name(tool.agent))
    return invalid(about + "a " + kind + " has to name its agent, 1 to 64 of "
                   + "A-Z a-z 0-9 _ -; it names \"" + tool.agent + "\"");
  if (!starts_runs && !tool.agent.empty())
    return invalid(about + "a " + kind
                   + " starts no run, but names the agent \"" + tool.agent
                   + "\"");
  const auto schema = input_schema_of(tool.kind);
  if (!schema.empty() && !tool.input_schema.empty()
      && tool.input_schema != schema)
    return invalid(about + "the input schema of a " + kind + " is "
                   + std::string{schema});
  if (!schema.empty())
    tool.input_schema = schema;
  return {};
}

/// Compiles what has to be a schema of an object.
result<std::shared_ptr<const schema>>
compile_object_schema(const std::string& about, std::string_view what,
                      std::string_view text) {
  auto json = parse_json(text, what);
  if (!json)
    return invalid(about + json.error().detail);
  const auto* object = json->if_object();
  const auto* type = object ? object->if_contains("type") : nullptr;
  if (!type || *type != "object")
    return invalid(about + std::string{what}
                   + " has to have \"type\": \"object\"");
  auto compiled = schema::compile(text);
  if (!compiled)
    return invalid(about + compiled.error().detail);
  return *compiled;
}

result<void> prepare_output(agent_definition& d) {
  if (!d.output)
    return {};
  const auto about = "agent \"" + d.name + "\", output: ";
  auto validator = compile_object_schema(about, "the schema", d.output->schema);
  if (!validator)
    return validator.error();
  d.output->validator = *validator;
  if (d.find_tool(output_tool_name))
    return invalid(about + "no tool may have the name "
                   + std::string{output_tool_name}
                   + ", by which some models give their answers");
  return {};
}

result<void> check_gate(const std::string& about, const approval_gate& gate) {
  if (gate.deadline && *gate.deadline <= duration::zero())
    return invalid(about + "the approval deadline is not positive");
  auto roles = gate.roles;
  std::sort(roles.begin(), roles.end());
  if (std::adjacent_find(roles.begin(), roles.end()) != roles.end())
    return invalid(about + "a role stands twice in the chain of approvals");
  if (std::find(roles.begin(), roles.end(), "") != roles.end())
    return invalid(about + "a role of the approval is empty");
  if (!gate.required && (!roles.empty() || gate.deadline))
    return invalid(about
                   + "the gate has roles or a deadline, but is not "
                     "required");
  return {};
}

result<void> check_limit_gate(const agent_definition& d) {
  const auto about = "agent \"" + d.name + "\", limits: ";
  if (d.limit_gate.required && d.find_tool(raise_limits_name))
    return invalid(about + "no tool may have the name "
                   + std::string{raise_limits_name}
                   + ", by which people are asked for more");
  return check_gate(about, d.limit_gate);
}

/// How its calls may run: what only functions have a say in.
result<void> check_calls(const std::string& about, const tool_spec& tool) {
  const auto& retry = tool.retry;
  if (tool.timeout <= duration::zero())
    return invalid(about + "the timeout is not positive");
  if (retry.attempts_max < 1)
    return invalid(about + "attempts_max is "
                   + std::to_string(retry.attempts_max)
                   + "; expected at least 1");
  if (retry.backoff_first < duration::zero()
      || retry.backoff_max < retry.backoff_first)
    return invalid(about
                   + "the backoff has to begin with zero or more and to end "
                     "with no less");
  if (retry.attempts_max > 1 && tool.contract == effect_contract::once)
    return invalid(about + "attempts_max is "
                   + std::to_string(retry.attempts_max)
                   + ", but its contract is once: an attempt that failed may "
                     "have had its effect. Only pure, idempotent and probe "
                     "tools are tried again");
  if (tool.concurrency_max.value_or(1) < 1)
    return invalid(about + "concurrency_max is "
                   + std::to_string(*tool.concurrency_max)
                   + "; expected at least 1");
  if (tool.kind != tool_kind::function
      && (retry != retry_rule{} || tool.concurrency_max))
    return invalid(about + "only a function has attempts or a concurrency_max");
  return {};
}

result<void> prepare(const std::string& agent, tool_spec& tool) {
  const auto about = "agent \"" + agent + "\", tool \"" + tool.name + "\": ";
  if (!is_name(tool.name))
    return invalid(about + "a tool's name is 1 to 64 of A-Z a-z 0-9 _ -");
  if (auto checked = check_kind(about, tool); !checked)
    return checked;
  auto validator =
    compile_object_schema(about, "the input schema", tool.input_schema);
  if (!validator)
    return validator.error();
  tool.validator = *validator;
  if (auto checked = check_calls(about, tool); !checked)
    return checked;
  return check_gate(about, tool.gate);
}

} // namespace

std::string_view input_schema_of(tool_kind kind) {
  switch (kind) {
    case tool_kind::subagent:
      return R"({"type":"object","properties":{"prompt":{"type":"string",)"
             R"("description":"What it has to do, with all it has to know."}},)"
             R"("required":["prompt"],"additionalProperties":false})";
    case tool_kind::handoff:
      return R"({"type":"object","properties":{"reason":{"type":"string"}},)"
             R"("required":["reason"],"additionalProperties":false})";
    case tool_kind::question:
      return R"({"type":"object","properties":{"question":{"type":"string"},)"
             R"("choices":{"type":"array","items":{"type":"string"},)"
             R"("description":"If only these may be answered."}},)"
             R"("required":["question"],"additionalProperties":false})";
    case tool_kind::sleep: // Up to `sleep_max`.
      return R"({"type":"object","properties":{"seconds":{"type":"integer",)"
             R"("minimum":1,"maximum":31622400}},)"
             R"("required":["seconds"],"additionalProperties":false})";
    case tool_kind::function: break;
  }
  return {};
}

const tool_spec* agent_definition::find_tool(std::string_view tool_name) const {
  for (const auto& tool : tools)
    if (tool.name == tool_name)
      return &tool;
  return nullptr;
}

namespace {

const fallback_model* fallback_at(const agent_definition& d,
                                  std::int64_t place) {
  if (place >= 1 && place < d.models())
    return &d.fallbacks[static_cast<std::size_t>(place - 1)];
  return place == d.models() && d.compaction && d.compaction->model
           ? &*d.compaction->model
           : nullptr;
}

} // namespace

std::int64_t compaction_spec::tokens_max() const {
  return static_cast<std::int64_t>(static_cast<double>(window_tokens) * at);
}

std::int64_t agent_definition::models() const {
  return 1 + static_cast<std::int64_t>(fallbacks.size());
}

const std::string& agent_definition::model_name(std::int64_t place) const {
  const auto* other = fallback_at(*this, place);
  return other ? other->name : model;
}

const std::optional<model_price>&
agent_definition::model_price_of(std::int64_t place) const {
  const auto* other = fallback_at(*this, place);
  return other ? other->price : price;
}

std::string digest_of(const agent_definition& d) {
  std::string text = "{\"name\":";
  append_json(text, d.name);
  text += ",\"system\":";
  append_json(text, d.system);
  text += ",\"model\":";
  append_json(text, d.model);
  text += ",\"options\":";
  append_json(text, d.options);
  text += ",\"limits\":";
  append_json(text, d.limits);
  text += ",\"tools\":[";
  const char* separator = "";
  for (const auto& tool : d.tools) {
    text += separator;
    text += "{\"name\":";
    append_json(text, tool.name);
    text += ",\"description\":";
    append_json(text, tool.description);
    text += ",\"input_schema\":" + tool.input_schema;
    text += ",\"contract\":";
    append_json(text, tool.contract);
    text += ",\"gate\":";
    append_json(text, tool.gate);
    text += ",\"timeout\":";
    append_json(text, tool.timeout);
    if (tool.kind != tool_kind::function) { // Older digests stay what they are.
      text += ",\"kind\":";
      append_json(text, tool.kind);
      text += ",\"agent\":";
      append_json(text, tool.agent);
    }
    if (tool.retry != retry_rule{}) {
      text += ",\"retry\":";
      append_json(text, tool.retry);
    }
    if (tool.concurrency_max) {
      text += ",\"concurrency_max\":";
      append_json(text, *tool.concurrency_max);
    }
    text += '}';
    separator = ",";
  }
  text += ']';
  if (d.output) { // Likewise.
    text += ",\"output\":{\"schema\":" + d.output->schema;
    text += ",\"is_checked\":";
    append_json(text, d.output->is_checked);
    text += '}';
  }
  if (d.limit_gate.required) {
    text += ",\"limit_gate\":";
    append_json(text, d.limit_gate);
  }
  if (!d.fallbacks.empty()) { // Likewise.
    text += ",\"fallback\":";
    append_json(text, d.fallback);
    text += ",\"fallbacks\":[";
    separator = "";
    for (const auto& other : d.fallbacks) {
      text += separator;
      append_json(text, other.name);
      separator = ",";
    }
    text += ']';
  }
  if (const auto& c = d.compaction) { // Likewise.
    text += ",\"compaction\":{\"window_tokens\":";
    append_json(text, c->window_tokens);
    text += ",\"at\":";
    append_json(text, c->at);
    text += ",\"keep_last\":";
    append_json(text, c->keep_last);
    text += ",\"summary_tokens_max\":";
    append_json(text, c->summary_tokens_max);
    text += ",\"model\":";
    append_json(text, c->model ? c->model->name : "");
    text += '}';
  }
  text += '}';
  return sha256_hex(canonical_json(parse_json(text, "the definition").value()));
}

result<agent_definition> prepare(agent_definition definition) {
  if (!is_name(definition.name))
    return invalid("agent \"" + definition.name
                   + "\": a name is 1 to 64 of A-Z a-z 0-9 _ -");
  if (auto limits = check_limits(definition); !limits)
    return limits.error();
  if (auto rule = check_fallback(definition); !rule)
    return rule.error();
  if (auto rule = check_compaction(definition); !rule)
    return rule.error();
  for (auto& tool : definition.tools) {
    if (auto checked = prepare(definition.name, tool); !checked)
      return checked.error();
    if (definition.find_tool(tool.name) != &tool)
      return invalid("agent \"" + definition.name + "\": the tool \""
                     + tool.name + "\" is registered twice");
  }
  if (auto checked = prepare_output(definition); !checked)
    return checked.error();
  if (auto checked = check_limit_gate(definition); !checked)
    return checked.error();
  definition.digest = digest_of(definition);
  return definition;
}

} // namespace kestrion
