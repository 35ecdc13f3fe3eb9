#include <kestrion/providers/models/anthropic_wire.hpp>

#include <kestrion/messages/json_text.hpp>
#include <kestrion/messages/match.hpp>
#include <kestrion/providers/models/attachments.hpp>
#include <kestrion/providers/models/capabilities.hpp>
#include <kestrion/providers/models/failure.hpp>
#include <kestrion/providers/models/output_request.hpp>
#include <kestrion/providers/models/wire_json.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace kestrion::anthropic_wire {

namespace json = boost::json;

namespace {

constexpr std::string_view vendor_name = "anthropic";

/// Who can read the raw blocks: another server that speaks the protocol has no
/// use for those of Anthropic, which refuses those of others.
std::string vendor_of(const anthropic_options& options) {
  const std::string name{vendor_name};
  return options.base_url.empty()
             || options.base_url.starts_with("https://api.anthropic.com")
           ? name
           : name + "@" + options.base_url;
}

/// Their ids know fewer characters than ours, such as "c2.0".
std::string wire_id(const std::string& vendor_id, const std::string& ours) {
  std::string id = vendor_id.empty() ? ours : vendor_id;
  for (auto& c : id) {
    const bool allowed = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
                         || (c >= '0' && c <= '9') || c == '_' || c == '-';
    if (!allowed)
      c = '_';
  }
  return id;
}

result<void> append_raw(json::array& blocks, const std::string& raw) {
  auto block = stored_json(raw, "a stored block of anthropic");
  if (!block)
    return block.error();
  blocks.push_back(std::move(*block));
  return {};
}

json::object source_of(const std::string& url) {
  if (const auto data = data_in(url))
    return {{"type", "base64"},
            {"media_type", data->media_type},
            {"data", data->base64}};
  return {{"type", "url"}, {"url", url}};
}

/// Plain text has a kind of source of its own; what they fetch is a PDF.
result<json::object> source_of(const document_part& document) {
  if (!is_plain_text(document))
    return source_of(document.url);
  const auto text = plain_text_of(document, "anthropic");
  if (!text)
    return text.error();
  return json::object{
    {"type", "text"}, {"media_type", "text/plain"}, {"data", *text}};
}

/// Texts of nothing but blanks are left out: the vendor answers 400 to them,
/// though its models write some before a tool call.
result<void> append_content(json::array& blocks, const text_part& x) {
  if (x.text.find_first_not_of(" \t\r\n") != std::string::npos)
    blocks.push_back({{"type", "text"}, {"text", x.text}});
  return {};
}

result<void> append_content(json::array& blocks, const image_part& x) {
  if (x.url.empty())
    return not_read_yet("anthropic");
  blocks.push_back({{"type", "image"}, {"source", source_of(x.url)}});
  return {};
}

result<void> append_content(json::array& blocks, const document_part& x) {
  if (x.url.empty())
    return not_read_yet("anthropic");
  auto source = source_of(x);
  if (!source)
    return source.error();
  json::object block{{"type", "document"}, {"source", std::move(*source)}};
  if (!x.name.empty())
    block["title"] = x.name;
  blocks.push_back(std::move(block));
  return {};
}

result<void> append_result(json::array& blocks, const tool_result_part& x,
                           const std::string& id) {
  json::value content(x.content);
  if (x.attachments) {
    json::array list;
    auto ok = append_content(list, text_part{x.content});
    for (const auto& each : *x.attachments)
      if (ok)
        ok = match(each,
                   [&](const auto& one) { return append_content(list, one); });
    if (!ok)
      return ok;
    content = std::move(list);
  }
  blocks.push_back({{"type", "tool_result"},
                    {"tool_use_id", id},
                    {"content", std::move(content)},
                    {"is_error", x.is_error}});
  return {};
}

result<void> append_part(json::array& blocks, const part& p,
                         const std::string& vendor) {
  return match(
    p, [&](const text_part& x) { return append_content(blocks, x); },
    [&](const image_part& x) { return append_content(blocks, x); },
    [&](const document_part& x) { return append_content(blocks, x); },
    [&](const reasoning_part& x) {
      return x.vendor == vendor ? append_raw(blocks, x.raw) : result<void>{};
    },
    [&](const opaque_part& x) {
      return x.vendor == vendor ? append_raw(blocks, x.raw) : result<void>{};
    },
    [&](const tool_call_part& x) -> result<void> {
      blocks.push_back({{"type", "tool_use"},
                        {"id", wire_id(x.vendor_id, x.id)},
                        {"name", x.name},
                        {"input", arguments_object(x.arguments)}});
      return {};
    },
    [&](const tool_result_part& x) {
      return append_result(blocks, x, wire_id(x.vendor_id, x.call));
    });
}

/// @par Source platform.claude.com, Preserved thinking: a thought that comes
///   back behind other messages than it was thought behind is a 400.
result<json::array> messages_of(const model_request& request,
                                const std::string& vendor) {
  json::array messages;
  std::size_t index = 0;
  for (const auto& m : request.conversation) {
    const bool is_rebased = index++ < request.rebased;
    json::array blocks;
    for (const auto& p : m->parts)
      if (is_rebased && std::holds_alternative<reasoning_part>(p))
        continue;
      else if (auto ok = append_part(blocks, p, vendor); !ok)
        return ok.error();
    if (!blocks.empty())
      messages.push_back(
        {{"role", m->role == role::assistant ? "assistant" : "user"},
         {"content", std::move(blocks)}});
  }
  if (messages.empty())
    return error{errc::invalid_argument,
                 "the conversation holds nothing to send to anthropic"};
  return messages;
}

result<json::array> tools_of(const agent_definition& agent,
                             const output_request& output) {
  json::array tools;
  for (const auto* tool : offered_tools(agent, output)) {
    auto schema =
      stored_json(tool->input_schema, "the schema of " + tool->name);
    if (!schema)
      return schema.error();
    tools.push_back({{"name", tool->name},
                     {"description", tool->description},
                     {"input_schema", std::move(*schema)}});
  }
  return tools;
}

/// How hard it tries, and what its answer has to be.
json::object output_config_of(const agent_definition& agent,
                              const output_request& output) {
  json::object config;
  if (agent.options.effort)
    config["effort"] = *agent.options.effort;
  if (output.schema)
    config["format"] = {{"type", "json_schema"}, {"schema", *output.schema}};
  return config;
}

stop_reason stop_of(const std::string& reason) {
  if (reason == "end_turn" || reason == "stop_sequence")
    return stop_reason::end_turn;
  if (reason == "tool_use")
    return stop_reason::tool_use;
  if (reason == "max_tokens" || reason == "model_context_window_exceeded")
    return stop_reason::max_tokens;
  if (reason == "refusal")
    return stop_reason::refusal;
  return stop_reason::other;
}

token_usage usage_of(const json::value& body) {
  token_usage usage;
  const auto* u = member_of(body, "usage");
  if (!u)
    return usage;
  usage.input_tokens = tokens_of(*u, "input_tokens");
  usage.cache_read_tokens = tokens_of(*u, "cache_read_input_tokens");
  usage.cache_write_tokens = tokens_of(*u, "cache_creation_input_tokens");
  usage.output_tokens = tokens_of(*u, "output_tokens");
  if (const auto* details = member_of(*u, "output_tokens_details"))
    usage.reasoning_tokens = tokens_of(*details, "thinking_tokens");
  return usage;
}

/// Nothing if the block has not the shape of its type.
std::optional<part> part_of(const json::value& block,
                            const std::string& vendor) {
  const auto type = string_of(block, "type");
  if (type.empty())
    return std::nullopt;
  if (type == "text") {
    const auto* text = member_of(block, "text");
    if (!text || !text->is_string())
      return std::nullopt;
    return text_part{string_of(block, "text")};
  }
  if (type == "tool_use") {
    const auto* input = member_of(block, "input");
    tool_call_part call{"", string_of(block, "id"), string_of(block, "name"),
                        input ? wire_text(*input) : "{}"};
    if (input && input->is_string()) // A stream's, which were no JSON.
      call.arguments = string_of(block, "input");
    if (call.name.empty())
      return std::nullopt;
    return call;
  }
  if (type == "thinking" || type == "redacted_thinking")
    return reasoning_part{vendor, string_of(block, "thinking"),
                          wire_text(block)};
  return opaque_part{vendor, wire_text(block)};
}

vendor_error error_of(const json::value& body) {
  const auto* e = member_of(body, "error");
  if (!e)
    return {};
  const auto* details = member_of(*e, "details");
  return {string_of(*e, "type"),
          details ? string_of(*details, "error_code") : "",
          string_of(*e, "message")};
}

} // namespace

result<std::string> to_wire(const model_request& request,
                            const anthropic_options& options, delivery wanted) {
  const auto& agent = *request.agent;
  const auto known =
    options.capabilities.find(vendor::anthropic, options.model);
  const auto output =
    checked_output(request, known, options.model,
                   {agent.options, options.version, options.thinking});
  if (!output)
    return output.error();
  auto messages = messages_of(request, vendor_of(options));
  if (!messages)
    return messages.error();
  auto tools = tools_of(agent, *output);
  if (!tools)
    return tools.error();

  json::object body{{"model", options.model},
                    {"max_tokens", agent.options.output_tokens_max}};
  if (!agent.system.empty())
    body["system"] = agent.system;
  if (!tools->empty())
    body["tools"] = std::move(*tools);
  if (output->is_forced && options.thinking.empty()) // Else it may not think.
    body["tool_choice"] = json::object{{"type", "any"}};
  body["messages"] = std::move(*messages);
  if (options.cache)
    body["cache_control"] = json::object{{"type", "ephemeral"}};
  if (!options.thinking.empty())
    body["thinking"] = json::object{{"type", options.thinking}};
  if (auto config = output_config_of(agent, *output); !config.empty())
    body["output_config"] = std::move(config);
  if (agent.options.temperature)
    body["temperature"] = *agent.options.temperature;
  if (wanted == delivery::streamed)
    body["stream"] = true;
  return wire_text(body);
}

model_outcome from_wire(const http_response& answer,
                        const anthropic_options& options, timestamp now) {
  const answer_context context{vendor_name, options.model, options.api_key,
                               now};
  const auto body = parse_json(answer.body, "the answer");
  if (answer.status / 100 != 2)
    return failure_of(answer, body ? error_of(*body) : vendor_error{}, context);
  return body ? from_json(*body, answer, options, now) : no_json(context);
}

model_outcome from_json(const json::value& body, const http_response& answer,
                        const anthropic_options& options, timestamp now) {
  const answer_context context{vendor_name, options.model, options.api_key,
                               now};
  if (member_of(body, "error"))
    return failure_of(answer, error_of(body), context);

  const auto* content = member_of(body, "content");
  if (!content || !content->is_array())
    return wrong_shape(context, "has no content");
  const auto vendor = vendor_of(options);
  model_reply reply;
  for (const auto& block : content->get_array()) {
    auto p = part_of(block, vendor);
    if (!p)
      return wrong_shape(context, "has a content block that is none");
    reply.parts.push_back(std::move(*p));
  }
  reply.stop = stop_of(string_of(body, "stop_reason"));
  reply.usage = usage_of(body);
  // What came from the cache does not count for its limits.
  reply.limited_input_tokens =
    reply.usage.input_tokens + reply.usage.cache_write_tokens;
  reply.model = string_of(body, "model");
  reply.request_id =
    find_header(answer.headers, "request-id").value_or(std::string_view{});
  return reply;
}

} // namespace kestrion::anthropic_wire
