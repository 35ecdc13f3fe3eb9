#include "vendor_wire.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>

#include <algorithm>
#include <utility>

namespace examples::vendor_wire {

namespace json = boost::json;

namespace {

std::string string_in(const json::value& v, std::string_view name) {
  const auto* object = v.if_object();
  const auto* member = object ? object->if_contains(name) : nullptr;
  return member && member->is_string() ? json::value_to<std::string>(*member)
                                       : std::string{};
}

const json::array& array_in(const json::value& v, std::string_view name) {
  static const json::array none;
  const auto* object = v.if_object();
  const auto* member = object ? object->if_contains(name) : nullptr;
  return member && member->is_array() ? member->get_array() : none;
}

/// A string, or the texts of a list of blocks.
std::string text_in(const json::value& v, std::string_view name) {
  std::string text = string_in(v, name);
  for (const auto& block : array_in(v, name))
    text += string_in(block, "text");
  return text;
}

void add_result(vendor_request& out, std::string content) {
  out.last_tool_results.push_back(std::move(content));
  ++out.tool_results;
}

void read_message(vendor_request& out, const json::value& message) {
  const auto role = string_in(message, "role");
  const auto text = text_in(message, "content");
  if (role == "assistant")
    out.last_tool_results.clear();
  else if (role == "system" || role == "developer")
    out.system = text;
  else if (role == "tool")
    add_result(out, text);
  else if (!text.empty())
    out.last_user_text = text;
  if (role == "user") // Anthropic's results are blocks of the user.
    for (const auto& block : array_in(message, "content"))
      if (string_in(block, "type") == "tool_result")
        add_result(out, text_in(block, "content"));
}

json::value object_from(const std::string& arguments) {
  boost::system::error_code ec;
  auto parsed = json::parse(arguments, ec);
  return ec ? json::value(json::object{}) : parsed;
}

std::string call_id(std::size_t id, std::size_t index) {
  return "call_" + std::to_string(id) + "_" + std::to_string(index);
}

json::object anthropic_answer(const vendor_request& request,
                              const vendor_turn& turn, std::size_t id) {
  json::array content;
  if (!turn.text.empty())
    content.push_back({{"type", "text"}, {"text", turn.text}});
  for (const auto& call : turn.tools)
    content.push_back({{"type", "tool_use"},
                       {"id", call_id(id, content.size())},
                       {"name", call.name},
                       {"input", object_from(call.arguments)}});
  return {{"id", "msg_" + std::to_string(id)},
          {"type", "message"},
          {"role", "assistant"},
          {"model", request.model},
          {"content", std::move(content)},
          {"stop_reason", turn.tools.empty() ? "end_turn" : "tool_use"},
          {"stop_sequence", nullptr},
          {"usage",
           {{"input_tokens", turn.input_tokens},
            {"output_tokens", turn.output_tokens}}}};
}

json::object openai_answer(const vendor_request& request,
                           const vendor_turn& turn, std::size_t id) {
  json::array calls;
  for (const auto& call : turn.tools)
    calls.push_back(
      {{"id", call_id(id, calls.size())},
       {"type", "function"},
       {"function", {{"name", call.name}, {"arguments", call.arguments}}}});
  json::object message{
    {"role", "assistant"}, {"content", turn.text}, {"refusal", nullptr}};
  if (turn.text.empty() && !calls.empty())
    message["content"] = nullptr;
  if (!calls.empty())
    message["tool_calls"] = std::move(calls);
  json::array choices;
  choices.push_back(
    json::object{{"index", 0},
                 {"message", std::move(message)},
                 {"finish_reason", turn.tools.empty() ? "stop" : "tool_calls"},
                 {"logprobs", nullptr}});
  return {{"id", "chatcmpl-" + std::to_string(id)},
          {"object", "chat.completion"},
          {"created", 1'700'000'000},
          {"model", request.model},
          {"choices", std::move(choices)},
          {"usage",
           {{"prompt_tokens", turn.input_tokens},
            {"completion_tokens", turn.output_tokens},
            {"total_tokens", turn.input_tokens + turn.output_tokens}}}};
}

json::object ollama_answer(const vendor_request& request,
                           const vendor_turn& turn, std::size_t id) {
  json::array calls;
  for (const auto& call : turn.tools) {
    const auto index = calls.size();
    calls.push_back({{"id", call_id(id, index)},
                     {"function",
                      {{"index", index},
                       {"name", call.name},
                       {"arguments", object_from(call.arguments)}}}});
  }
  json::object message{{"role", "assistant"}, {"content", turn.text}};
  if (!calls.empty())
    message["tool_calls"] = std::move(calls);
  return {
    {"model", request.model},          {"created_at", "2026-01-01T00:00:00Z"},
    {"message", std::move(message)},   {"done", true},
    {"done_reason", "stop"},           {"prompt_eval_count", turn.input_tokens},
    {"eval_count", turn.output_tokens}};
}

const char* error_type(int status) {
  switch (status) {
    case 401: return "authentication_error";
    case 429: return "rate_limit_error";
    case 529: return "overloaded_error";
    default: return status >= 500 ? "api_error" : "invalid_request_error";
  }
}

json::object error_answer(spoken_api api, const vendor_turn& turn) {
  if (api == spoken_api::ollama)
    return json::object{{"error", turn.text}};
  json::object why{{"type", error_type(turn.status)}, {"message", turn.text}};
  if (api == spoken_api::anthropic)
    return {{"type", "error"}, {"error", std::move(why)}};
  why["param"] = nullptr;
  why["code"] = nullptr;
  return json::object{{"error", std::move(why)}};
}

std::string event_of(const json::object& x) {
  return "event: " + string_in(x, "type") + "\ndata: " + json::serialize(x)
         + "\n\n";
}

/// A block of an answer: what it begins with, then piece by piece the rest.
void add_block(std::vector<std::string>& out, const json::object& block,
               std::size_t index) {
  const bool is_text = string_in(block, "type") == "text";
  auto first = block;
  first[is_text ? "text" : "input"] =
    is_text ? json::value("") : json::value(json::object{});
  out.push_back(event_of({{"type", "content_block_start"},
                          {"index", index},
                          {"content_block", std::move(first)}}));
  const auto all =
    is_text ? string_in(block, "text") : json::serialize(block.at("input"));
  for (std::size_t at = 0; at < all.size();) {
    const auto end = std::min(all.find(' ', at), all.size() - 1) + 1;
    json::object delta{
      {"type", is_text ? "text_delta" : "input_json_delta"},
      {is_text ? "text" : "partial_json", all.substr(at, end - at)}};
    out.push_back(event_of({{"type", "content_block_delta"},
                            {"index", index},
                            {"delta", std::move(delta)}}));
    at = end;
  }
  out.push_back(event_of({{"type", "content_block_stop"}, {"index", index}}));
}

} // namespace

std::optional<spoken_api> api_of(std::string_view path) {
  if (path.ends_with("/v1/messages"))
    return spoken_api::anthropic;
  if (path.ends_with("/chat/completions"))
    return spoken_api::openai;
  if (path.ends_with("/api/chat"))
    return spoken_api::ollama;
  return std::nullopt;
}

vendor_request read(spoken_api api, boost::json::value body) {
  vendor_request out;
  out.api = api;
  out.model = string_in(body, "model");
  out.system = text_in(body, "system");
  for (const auto& message : array_in(body, "messages"))
    read_message(out, message);
  out.body = std::move(body);
  return out;
}

std::string write(const vendor_request& request, const vendor_turn& turn,
                  std::size_t id) {
  if (turn.status != 200)
    return json::serialize(error_answer(request.api, turn));
  switch (request.api) {
    case spoken_api::anthropic:
      return json::serialize(anthropic_answer(request, turn, id));
    case spoken_api::openai:
      return json::serialize(openai_answer(request, turn, id));
    case spoken_api::ollama:
      return json::serialize(ollama_answer(request, turn, id));
  }
  return "{}";
}

std::vector<std::string> write_stream(const vendor_request& request,
                                      const vendor_turn& turn, std::size_t id) {
  const auto* wanted = request.body.get_object().if_contains("stream");
  if (request.api != spoken_api::anthropic || turn.status != 200 || !wanted
      || *wanted != json::value(true))
    return {};
  auto answer = anthropic_answer(request, turn, id);
  const auto blocks = std::exchange(answer["content"], json::array{});
  const auto reason = std::exchange(answer["stop_reason"], nullptr);
  std::vector<std::string> out;
  out.push_back(event_of({{"type", "message_start"}, {"message", answer}}));
  for (std::size_t i = 0; i < blocks.get_array().size(); ++i)
    add_block(out, blocks.get_array()[i].get_object(), i);
  out.push_back(
    event_of({{"type", "message_delta"},
              {"delta", {{"stop_reason", reason}, {"stop_sequence", nullptr}}},
              {"usage", {{"output_tokens", turn.output_tokens}}}}));
  out.push_back(event_of({{"type", "message_stop"}}));
  return out;
}

} // namespace examples::vendor_wire
