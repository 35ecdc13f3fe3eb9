#include <kestrion/providers/models/output_request.hpp>

#include <kestrion/providers/models/attachments.hpp>
#include <kestrion/providers/models/wire_json.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>

namespace kestrion {

namespace json = boost::json;

namespace {

constexpr auto tool_description =
  "Gives the final answer. Call it once, alone, when all else is done: its "
  "arguments are the answer. Never answer with text.";

bool is_one_of(std::string_view word,
               std::initializer_list<std::string_view> all) {
  return std::find(all.begin(), all.end(), word) != all.end();
}

/// Whether `list` is a JSON list that holds this text.
bool holds(const json::value* list, std::string_view text) {
  return list && list->is_array()
         && std::any_of(list->get_array().begin(), list->get_array().end(),
                        [&](const auto& each) {
                          const auto* word = each.if_string();
                          return word && *word == text;
                        });
}

bool takes_null(const json::value& schema) {
  const auto* type = member_of(schema, "type");
  if (type && type->is_array())
    return holds(type, "null");
  if (type)
    return *type == "null";
  const auto* any = member_of(schema, "anyOf");
  return any && any->is_array()
         && std::any_of(any->get_array().begin(), any->get_array().end(),
                        takes_null);
}

bool make_strict(json::value& schema);

bool make_all_strict(json::value& schemas) {
  if (auto* list = schemas.if_array())
    return std::all_of(list->begin(), list->end(), make_strict);
  auto* named = schemas.if_object();
  return named && std::all_of(named->begin(), named->end(), [](auto& member) {
           return make_strict(member.value());
         });
}

/// Closes an object; false if it has to stay open.
bool close(json::object& schema) {
  const auto* more = schema.if_contains("additionalProperties");
  const auto* may_have_more = more ? more->if_bool() : nullptr;
  auto* members = schema.if_contains("properties");
  if (!may_have_more || *may_have_more || !members || !members->is_object())
    return false;
  json::array all;
  const auto* required = schema.if_contains("required");
  for (const auto& member : members->get_object()) {
    if (!holds(required, member.key()) && !takes_null(member.value()))
      return false;
    all.emplace_back(member.key());
  }
  schema["required"] = std::move(all);
  return true;
}

bool make_strict(json::value& schema) {
  auto* object = schema.if_object();
  if (!object || object->empty()) // Of any kind.
    return false;
  if (object->contains("properties")
      || object->contains("additionalProperties"))
    if (!close(*object))
      return false;
  for (auto& member : *object) {
    if (is_one_of(member.key(),
                  {"properties", "anyOf", "$defs", "definitions"})) {
      if (!make_all_strict(member.value()))
        return false;
    } else if (member.key() == "items") {
      if (!make_strict(member.value()))
        return false;
    } else if (!is_one_of(member.key(),
                          {"type", "required", "additionalProperties", "enum",
                           "const", "description", "title", "$ref", "pattern",
                           "format", "minimum", "maximum", "exclusiveMinimum",
                           "exclusiveMaximum", "multipleOf", "minItems",
                           "maxItems"})) {
      return false;
    }
  }
  return true;
}

} // namespace

std::optional<json::value> strict_schema(const json::value& schema) {
  auto out = schema;
  if (!make_strict(out))
    return std::nullopt;
  return out;
}

json::value without_bounds(const json::value& schema) {
  if (const auto* list = schema.if_array()) {
    json::array out;
    for (const auto& each : *list)
      out.push_back(without_bounds(each));
    return out;
  }
  const auto* object = schema.if_object();
  if (!object)
    return schema;
  json::object out;
  for (const auto& member : *object) {
    if (member.key() == "properties" && member.value().is_object()) {
      json::object members; // Their names are no keywords.
      for (const auto& each : member.value().get_object())
        members[each.key()] = without_bounds(each.value());
      out["properties"] = std::move(members);
    } else if (!is_one_of(member.key(),
                          {"minimum", "maximum", "exclusiveMinimum",
                           "exclusiveMaximum", "multipleOf", "minItems",
                           "maxItems"})) {
      out[member.key()] = without_bounds(member.value());
    }
  }
  return out;
}

result<output_request> output_request_of(const agent_definition& agent,
                                         const model_capabilities& known) {
  output_request out;
  if (!agent.output)
    return out;
  auto schema =
    stored_json(agent.output->schema, "the schema of the agent's output");
  if (!schema)
    return schema.error();
  auto strict = strict_schema(*schema);
  // Anthropic has no other mode; Ollama's grammar leaves no room for the calls
  // of tools (github.com/ollama/ollama/issues/8095).
  const bool is_native =
    known.output == output_mode::native
    && (known.vendor != vendor::anthropic || strict)
    && (known.vendor != vendor::ollama || agent.tools.empty());
  if (!is_native) {
    out.tool.emplace();
    out.tool->name = output_tool_name;
    out.tool->description = tool_description;
    out.tool->input_schema = agent.output->schema;
    out.is_forced = known.forced_tools;
    return out;
  }
  out.is_strict = strict.has_value();
  out.schema = strict ? std::move(*strict) : std::move(*schema);
  if (known.vendor == vendor::anthropic)
    out.schema = without_bounds(*out.schema);
  return out;
}

result<output_request> checked_output(const model_request& request,
                                      const model_capabilities& known,
                                      std::string_view model,
                                      requested_options wanted) {
  auto output = output_request_of(*request.agent, known);
  if (!output)
    return output;
  wanted.tools = !request.agent->tools.empty() || output->tool;
  wanted.images = !known.images && has_images(request.conversation);
  wanted.documents = !known.documents && has_documents(request.conversation);
  if (auto ok = check_options(known, model, wanted); !ok)
    return ok.error();
  return output;
}

std::vector<const tool_spec*> offered_tools(const agent_definition& agent,
                                            const output_request& output) {
  std::vector<const tool_spec*> out;
  for (const auto& tool : agent.tools)
    out.push_back(&tool);
  if (output.tool)
    out.push_back(&*output.tool);
  return out;
}

void take_output_call(model_reply& reply) {
  bool has_answer = false;
  bool has_calls = false;
  for (auto& p : reply.parts)
    if (auto* call = std::get_if<tool_call_part>(&p)) {
      const bool is_answer = call->name == output_tool_name;
      has_answer = has_answer || is_answer;
      has_calls = has_calls || !is_answer;
      if (is_answer)
        p = text_part{std::move(call->arguments)};
    }
  if (has_answer && !has_calls && reply.stop == stop_reason::tool_use)
    reply.stop = stop_reason::end_turn;
}

} // namespace kestrion
