#include <kestrion/providers/models/ollama_wire.hpp>

#include <kestrion/messages/json_text.hpp>
#include <kestrion/messages/match.hpp>
#include <kestrion/providers/models/attachments.hpp>
#include <kestrion/providers/models/capabilities.hpp>
#include <kestrion/providers/models/failure.hpp>
#include <kestrion/providers/models/openai_shapes.hpp>
#include <kestrion/providers/models/wire_json.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace kestrion::ollama_wire {

namespace json = boost::json;

namespace {

constexpr std::string_view vendor_name = "ollama";

std::string wire_id(const std::string& vendor_id, const std::string& ours) {
  return vendor_id.empty() ? ours : vendor_id;
}

/// What a message of theirs shows, whoever says it.
struct wire_content {
  std::string text; ///< All text parts, joined.
  json::array images;
};

/// One message of ours; a tool message becomes several of theirs.
struct wire_message {
  wire_content said;
  json::array tool_calls;
  json::array results;
  json::object extra; ///< Members of an assistant's message.
};

result<void> add_raw(wire_message& out, const std::string& vendor,
                     const std::string& raw) {
  if (vendor != vendor_name)
    return {};
  auto stored = stored_json(raw, "a stored part of ollama");
  if (!stored)
    return stored.error();
  if (!stored->is_object())
    return error{errc::corrupt, "a stored part of ollama is no object"};
  for (auto& member : stored->get_object())
    out.extra[member.key()] = std::move(member.value());
  return {};
}

result<void> add_content(wire_content& out, const text_part& x) {
  out.text += x.text;
  return {};
}

result<void> add_content(wire_content& out, const image_part& x) {
  const auto data = data_in(x.url);
  if (!data)
    return error{errc::unsupported,
                 "ollama fetches no images; expected one from the blob store "
                 "or with a data: URL"};
  out.images.emplace_back(data->base64);
  return {};
}

result<void> add_content(wire_content& out, const document_part& x) {
  const auto words = as_words(x, "ollama");
  if (!words)
    return words.error();
  out.text += *words;
  return {};
}

result<void> add_result(wire_message& out, const tool_result_part& x) {
  wire_content shown{x.content, {}};
  if (x.attachments)
    for (const auto& each : *x.attachments)
      if (auto ok = match(
            each, [&](const auto& one) { return add_content(shown, one); });
          !ok)
        return ok;
  json::object message{{"role", "tool"},
                       {"content", shown.text},
                       {"tool_name", x.name},
                       {"tool_call_id", wire_id(x.vendor_id, x.call)}};
  if (!shown.images.empty())
    message["images"] = std::move(shown.images);
  out.results.push_back(std::move(message));
  return {};
}

result<void> add_part(wire_message& out, const part& p) {
  return match(
    p, [&](const text_part& x) { return add_content(out.said, x); },
    [&](const image_part& x) { return add_content(out.said, x); },
    [&](const document_part& x) { return add_content(out.said, x); },
    [&](const reasoning_part& x) { return add_raw(out, x.vendor, x.raw); },
    [&](const opaque_part& x) { return add_raw(out, x.vendor, x.raw); },
    [&](const tool_call_part& x) -> result<void> {
      out.tool_calls.push_back(
        {{"id", wire_id(x.vendor_id, x.id)},
         {"function",
          {{"name", x.name}, {"arguments", arguments_object(x.arguments)}}}});
      return {};
    },
    [&](const tool_result_part& x) { return add_result(out, x); });
}

result<void> append_message(json::array& messages, const message& m) {
  wire_message parts;
  for (const auto& p : m.parts)
    if (auto ok = add_part(parts, p); !ok)
      return ok;
  for (auto& answered : parts.results)
    messages.push_back(std::move(answered));
  const bool assistant = m.role == role::assistant;
  auto& [text, images] = parts.said;
  if (!assistant && text.empty() && images.empty())
    return {};
  json::object out{{"role", assistant ? "assistant" : "user"},
                   {"content", text}};
  if (!images.empty())
    out["images"] = std::move(images);
  if (!parts.tool_calls.empty())
    out["tool_calls"] = std::move(parts.tool_calls);
  for (auto& member : parts.extra)
    out[member.key()] = std::move(member.value());
  messages.push_back(std::move(out));
  return {};
}

result<json::array> messages_of(const model_request& request) {
  json::array messages;
  if (!request.agent->system.empty())
    messages.push_back(
      {{"role", "system"}, {"content", request.agent->system}});
  const auto before = messages.size();
  for (const auto& m : request.conversation)
    if (auto ok = append_message(messages, *m); !ok)
      return ok.error();
  if (messages.size() == before)
    return error{errc::invalid_argument,
                 "the conversation holds nothing to send to ollama"};
  return messages;
}

/// There is no reason of their own for tool calls.
stop_reason stop_of(const std::string& reason, bool has_calls) {
  if (reason == "length")
    return stop_reason::max_tokens;
  if (has_calls)
    return stop_reason::tool_use;
  // Old servers give none.
  return reason == "stop" || reason.empty() ? stop_reason::end_turn
                                            : stop_reason::other;
}

/// Nothing if it is no tool call.
std::optional<part> call_of(const json::value& call) {
  const auto* function = member_of(call, "function");
  if (!function)
    return std::nullopt;
  const auto* arguments = member_of(*function, "arguments");
  tool_call_part out{"", string_of(call, "id"), string_of(*function, "name"),
                     arguments ? wire_text(*arguments) : "{}"};
  if (out.name.empty())
    return std::nullopt;
  return out;
}

model_outcome reply_of(const json::value& message, const std::string& reason,
                       const answer_context& context) {
  model_reply reply;
  const auto thinking = string_of(message, "thinking");
  if (!thinking.empty())
    reply.parts.emplace_back(
      reasoning_part{std::string{vendor_name}, thinking,
                     wire_text(json::object{{"thinking", thinking}})});
  if (const auto* content = member_of(message, "content")) {
    if (!content->is_string())
      return wrong_shape(context, "has a content that is no text");
    if (!content->get_string().empty())
      reply.parts.emplace_back(text_part{string_of(message, "content")});
  }
  bool has_calls = false;
  if (const auto* tool_calls = member_of(message, "tool_calls")) {
    if (!tool_calls->is_array())
      return wrong_shape(context, "has tool calls that are no list");
    for (const auto& call : tool_calls->get_array()) {
      auto p = call_of(call);
      if (!p)
        return wrong_shape(context, "has a tool call without a name");
      reply.parts.push_back(std::move(*p));
      has_calls = true;
    }
  }
  reply.stop = stop_of(reason, has_calls);
  return reply;
}

} // namespace

result<std::string> to_wire(const model_request& request,
                            const ollama_options& options, delivery wanted) {
  const auto& agent = *request.agent;
  const auto known = options.capabilities.find(vendor::ollama, options.model);
  const auto output =
    checked_output(request, known, options.model, {agent.options});
  if (!output)
    return output.error();
  if (options.num_ctx && *options.num_ctx < 1)
    return error{errc::invalid_argument, "num_ctx is "
                                           + std::to_string(*options.num_ctx)
                                           + "; expected at least 1"};
  auto messages = messages_of(request);
  if (!messages)
    return messages.error();
  auto tools = function_tools(agent, *output);
  if (!tools)
    return tools.error();

  json::object tuning{{"num_predict", agent.options.output_tokens_max}};
  if (options.num_ctx)
    tuning["num_ctx"] = *options.num_ctx;
  if (agent.options.temperature)
    tuning["temperature"] = *agent.options.temperature;
  json::object body{{"model", options.model},
                    {"messages", std::move(*messages)}};
  if (!tools->empty())
    body["tools"] = std::move(*tools);
  if (output->schema)
    body["format"] = *output->schema;
  body["stream"] = wanted == delivery::streamed;
  body["truncate"] = false; // Else the start of the prompt goes, unsaid.
  body["options"] = std::move(tuning);
  if (agent.options.effort == "none")
    body["think"] = false;
  else if (agent.options.effort)
    body["think"] = *agent.options.effort;
  return wire_text(body);
}

model_outcome from_wire(const http_response& answer,
                        const ollama_options& options, timestamp now) {
  const answer_context context{vendor_name, options.model, {}, now};
  const auto body = parse_json(answer.body, "the answer");
  vendor_error why;
  if (body)
    why.message = string_of(*body, "error");
  if (answer.status / 100 != 2)
    return failure_of(answer, why, context);
  return body ? from_json(*body, answer, options, now) : no_json(context);
}

model_outcome from_json(const json::value& body, const http_response& answer,
                        const ollama_options& options, timestamp now) {
  const answer_context context{vendor_name, options.model, {}, now};
  if (member_of(body, "error"))
    return failure_of(answer, {"", "", string_of(body, "error")}, context);

  const auto* message = member_of(body, "message");
  if (!message || !message->is_object())
    return wrong_shape(context, "has no message");
  auto outcome = reply_of(*message, string_of(body, "done_reason"), context);
  if (auto* reply = std::get_if<model_reply>(&outcome)) {
    reply->usage.input_tokens = tokens_of(body, "prompt_eval_count");
    reply->usage.output_tokens = tokens_of(body, "eval_count");
    reply->model = string_of(body, "model");
  }
  return outcome;
}

} // namespace kestrion::ollama_wire
