#include <kestrion/providers/models/openai_wire.hpp>

#include <kestrion/messages/json_text.hpp>
#include <kestrion/messages/match.hpp>
#include <kestrion/providers/models/attachments.hpp>
#include <kestrion/providers/models/capabilities.hpp>
#include <kestrion/providers/models/failure.hpp>
#include <kestrion/providers/models/openai_shapes.hpp>
#include <kestrion/providers/models/wire_json.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace kestrion::openai_wire {

namespace json = boost::json;

namespace {

/// A longer wish of the server is taken for a mistake, as the vendor's own
/// clients do.
constexpr duration wait_max = std::chrono::seconds{60};

/// Who can read the raw parts. Another server knows nothing of OpenAI's, and
/// OpenAI refuses those of others.
std::string vendor_of(const openai_options& options) {
  return options.base_url.empty()
             || options.base_url.starts_with("https://api.openai.com")
           ? "openai"
           : "openai@" + options.base_url;
}

/// Chat Completions refuses longer ones.
constexpr std::size_t call_id_bytes_max = 40;

std::string wire_id(const std::string& vendor_id, const std::string& ours) {
  return wire_call_id(vendor_id, ours, call_id_bytes_max);
}

/// One message of ours; a tool message becomes several of theirs.
struct wire_message {
  std::string text;  ///< All text parts, joined.
  json::array files; ///< Images and documents.
  json::array tool_calls;
  json::array results;
  /// What tools answered besides text: only users may say such things.
  json::array results_besides;
  json::object extra; ///< Members of an assistant's message.
};

result<void> add_raw(wire_message& out, const std::string& raw) {
  auto stored = stored_json(raw, "a stored part of openai");
  if (!stored)
    return stored.error();
  if (!stored->is_object())
    return error{errc::corrupt, "a stored part of openai is no object"};
  if (stored->get_object().contains("function")
      || stored->get_object().contains("custom"))
    out.tool_calls.push_back(std::move(*stored));
  else
    for (auto& member : stored->get_object())
      out.extra[member.key()] = std::move(member.value());
  return {};
}

json::object text_item(const std::string& text) {
  return {{"type", "text"}, {"text", text}};
}

result<json::object> item_of(const text_part& x) {
  return text_item(x.text);
}

result<json::object> item_of(const image_part& x) {
  if (x.url.empty())
    return not_read_yet("openai");
  return json::object{{"type", "image_url"},
                      {"image_url", json::object{{"url", x.url}}}};
}

result<json::object> item_of(const document_part& x) {
  if (x.url.empty())
    return not_read_yet("openai");
  if (is_plain_text(x)) {
    const auto words = as_words(x, "openai");
    return words ? result<json::object>{text_item(*words)} : words.error();
  }
  if (!data_in(x.url))
    return error{errc::unsupported,
                 "openai's chat completions fetch no documents; expected one "
                 "from the blob store or with a data: URL"};
  return json::object{
    {"type", "file"},
    {"file", {{"filename", file_name_of(x)}, {"file_data", x.url}}}};
}

result<void> add_file(wire_message& out, result<json::object> item) {
  if (!item)
    return item.error();
  out.files.push_back(std::move(*item));
  return {};
}

/// A tool's message takes nothing but text; the rest follows in one of the
/// user's.
result<void> add_result(wire_message& out, const tool_result_part& x) {
  json::array texts;
  json::array besides;
  if (x.attachments)
    for (const auto& each : *x.attachments) {
      auto item = match(each, [](const auto& one) { return item_of(one); });
      if (!item)
        return item.error();
      auto& list = item->at("type") == "text" ? texts : besides;
      list.push_back(std::move(*item));
    }
  if (!besides.empty())
    out.results_besides.push_back(
      text_item("What the tool " + x.name + " answered besides:"));
  for (auto& each : besides)
    out.results_besides.push_back(std::move(each));
  json::value content(x.content);
  if (!texts.empty()) {
    if (!x.content.empty())
      texts.insert(texts.begin(), text_item(x.content));
    content = std::move(texts);
  }
  out.results.push_back({{"role", "tool"},
                         {"tool_call_id", wire_id(x.vendor_id, x.call)},
                         {"content", std::move(content)}});
  return {};
}

result<void> add_part(wire_message& out, const part& p,
                      const std::string& vendor) {
  return match(
    p,
    [&](const text_part& x) -> result<void> {
      out.text += x.text;
      return {};
    },
    [&](const image_part& x) { return add_file(out, item_of(x)); },
    [&](const document_part& x) { return add_file(out, item_of(x)); },
    [&](const reasoning_part& x) {
      return x.vendor == vendor ? add_raw(out, x.raw) : result<void>{};
    },
    [&](const opaque_part& x) {
      return x.vendor == vendor ? add_raw(out, x.raw) : result<void>{};
    },
    [&](const tool_call_part& x) -> result<void> {
      out.tool_calls.push_back(
        {{"id", wire_id(x.vendor_id, x.id)},
         {"type", "function"},
         {"function", {{"name", x.name}, {"arguments", x.arguments}}}});
      return {};
    },
    [&](const tool_result_part& x) { return add_result(out, x); });
}

json::object assistant_message(wire_message m) {
  json::object out{{"role", "assistant"}, {"content", nullptr}};
  if (!m.text.empty() || m.tool_calls.empty())
    out["content"] = m.text;
  if (!m.tool_calls.empty())
    out["tool_calls"] = std::move(m.tool_calls);
  for (auto& member : m.extra)
    out[member.key()] = std::move(member.value());
  return out;
}

json::object user_message_of(wire_message m) {
  if (m.files.empty())
    return {{"role", "user"}, {"content", m.text}};
  json::array content;
  if (!m.text.empty())
    content.push_back(text_item(m.text));
  for (auto& file : m.files)
    content.push_back(std::move(file));
  return {{"role", "user"}, {"content", std::move(content)}};
}

result<void> append_message(json::array& messages, const message& m,
                            const std::string& vendor) {
  wire_message parts;
  for (const auto& p : m.parts)
    if (auto ok = add_part(parts, p, vendor); !ok)
      return ok;
  for (auto& answered : parts.results)
    messages.push_back(std::move(answered));
  if (!parts.results_besides.empty())
    messages.push_back(
      {{"role", "user"}, {"content", std::move(parts.results_besides)}});
  if (m.role == role::assistant)
    messages.push_back(assistant_message(std::move(parts)));
  else if (!parts.text.empty() || !parts.files.empty())
    messages.push_back(user_message_of(std::move(parts)));
  return {};
}

result<json::array> messages_of(const model_request& request,
                                const openai_options& options) {
  const auto vendor = vendor_of(options);
  json::array messages;
  if (!request.agent->system.empty()) {
    const auto* role = vendor == "openai" ? "developer" : "system";
    messages.push_back(
      {{"role", options.system_role.empty() ? role : options.system_role},
       {"content", request.agent->system}});
  }
  const auto before = messages.size();
  for (const auto& m : request.conversation)
    if (auto ok = append_message(messages, *m, vendor); !ok)
      return ok.error();
  if (messages.size() == before)
    return error{errc::invalid_argument,
                 "the conversation holds nothing to send to openai"};
  return messages;
}

stop_reason stop_of(const std::string& reason, bool has_calls) {
  if (reason == "length")
    return stop_reason::max_tokens;
  if (reason == "content_filter")
    return stop_reason::refusal;
  if (has_calls || reason == "tool_calls") // Some servers say "stop".
    return stop_reason::tool_use;
  return reason == "stop" ? stop_reason::end_turn : stop_reason::other;
}

/// Nothing if it is no tool call.
std::optional<part> call_of(const json::value& call,
                            const std::string& vendor) {
  const auto* function = member_of(call, "function");
  if (!function)
    return member_of(call, "type")
             ? std::optional<part>{opaque_part{vendor, wire_text(call)}}
             : std::nullopt;
  const auto* arguments = member_of(*function, "arguments");
  tool_call_part out{"", string_of(call, "id"), string_of(*function, "name"),
                     string_of(*function, "arguments")};
  if (arguments && !arguments->is_string())
    out.arguments = wire_text(*arguments); // Some servers send the object.
  if (out.arguments.empty())
    out.arguments = "{}"; // A tool without parameters.
  if (out.name.empty())
    return std::nullopt;
  return out;
}

std::optional<part> reasoning_of(const json::value& message,
                                 const std::string& vendor) {
  json::object raw;
  std::string text;
  for (const auto name : reasoning_members)
    if (const auto* member = member_of(message, name)) {
      raw[name] = *member;
      if (text.empty())
        text = string_of(message, name);
    }
  if (raw.empty())
    return std::nullopt;
  return reasoning_part{vendor, std::move(text), wire_text(raw)};
}

vendor_error error_of(const json::value& body) {
  const auto* e = member_of(body, "error");
  if (!e)
    return {};
  if (e->is_string()) // Some servers have the bare sentence.
    return {"", "", string_of(body, "error")};
  return {string_of(*e, "type"), string_of(*e, "code"),
          string_of(*e, "message")};
}

model_outcome reply_of(const json::value& choice, const std::string& vendor,
                       const answer_context& context) {
  const auto* message = member_of(choice, "message");
  if (!message || !message->is_object())
    return wrong_shape(context, "has no message");
  model_reply reply;
  if (auto thought = reasoning_of(*message, vendor))
    reply.parts.push_back(std::move(*thought));
  if (const auto* content = member_of(*message, "content")) {
    if (!content->is_string())
      return wrong_shape(context, "has a content that is no text");
    if (!content->get_string().empty())
      reply.parts.emplace_back(text_part{string_of(*message, "content")});
  }
  const auto refusal = string_of(*message, "refusal");
  if (!refusal.empty())
    reply.parts.emplace_back(text_part{refusal});
  bool has_calls = false;
  if (const auto* tool_calls = member_of(*message, "tool_calls")) {
    if (!tool_calls->is_array())
      return wrong_shape(context, "has tool calls that are no list");
    for (const auto& call : tool_calls->get_array()) {
      auto p = call_of(call, vendor);
      if (!p)
        return wrong_shape(context, "has a tool call without a name");
      has_calls = has_calls || std::holds_alternative<tool_call_part>(*p);
      reply.parts.push_back(std::move(*p));
    }
  }
  reply.stop = refusal.empty()
                 ? stop_of(string_of(choice, "finish_reason"), has_calls)
                 : stop_reason::refusal;
  return reply;
}

} // namespace

result<std::string> to_wire(const model_request& request,
                            const openai_options& options, delivery wanted) {
  const auto& agent = *request.agent;
  const auto known = options.capabilities.find(vendor::openai, options.model);
  const auto output =
    checked_output(request, known, options.model, {agent.options});
  if (!output)
    return output.error();
  auto messages = messages_of(request, options);
  if (!messages)
    return messages.error();
  auto tools = function_tools(agent, *output);
  if (!tools)
    return tools.error();

  json::object body{{"model", options.model},
                    {"messages", std::move(*messages)}};
  if (!tools->empty()) {
    body["tools"] = std::move(*tools);
    if (options.parallel_tool_calls)
      body["parallel_tool_calls"] = *options.parallel_tool_calls;
    if (output->is_forced)
      body["tool_choice"] = "required";
  }
  if (output->schema)
    body["response_format"] = {{"type", "json_schema"},
                               {"json_schema",
                                {{"name", output_tool_name},
                                 {"schema", *output->schema},
                                 {"strict", output->is_strict}}}};
  body[options.legacy_max_tokens ? "max_tokens" : "max_completion_tokens"] =
    agent.options.output_tokens_max;
  if (agent.options.temperature)
    body["temperature"] = *agent.options.temperature;
  if (agent.options.effort)
    body["reasoning_effort"] = *agent.options.effort;
  if (wanted == delivery::streamed) {
    body["stream"] = true;
    body["stream_options"] = json::object{{"include_usage", true}};
  }
  return wire_text(body);
}

model_outcome from_wire(const http_response& answer,
                        const openai_options& options, timestamp now) {
  const answer_context context{"openai", options.model, options.api_key, now,
                               wait_max};
  const auto body = parse_json(answer.body, "the answer");
  if (answer.status / 100 != 2)
    return failure_of(answer, body ? error_of(*body) : vendor_error{}, context);
  return body ? from_json(*body, answer, options, now) : no_json(context);
}

model_outcome from_json(const json::value& body, const http_response& answer,
                        const openai_options& options, timestamp now) {
  const answer_context context{"openai", options.model, options.api_key, now,
                               wait_max};
  if (member_of(body, "error"))
    return failure_of(answer, error_of(body), context);

  const auto* choices = member_of(body, "choices");
  if (!choices || !choices->is_array() || choices->get_array().empty())
    return wrong_shape(context, "has no choices");
  auto outcome =
    reply_of(choices->get_array().front(), vendor_of(options), context);
  if (auto* reply = std::get_if<model_reply>(&outcome)) {
    reply->usage = openai_usage(body, "prompt_tokens", "completion_tokens");
    reply->model = string_of(body, "model");
    reply->request_id =
      find_header(answer.headers, "x-request-id").value_or(std::string_view{});
  }
  return outcome;
}

} // namespace kestrion::openai_wire
