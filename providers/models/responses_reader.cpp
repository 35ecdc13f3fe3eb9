#include <kestrion/messages/json_text.hpp>
#include <kestrion/providers/models/failure.hpp>
#include <kestrion/providers/models/openai_shapes.hpp>
#include <kestrion/providers/models/responses_wire.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>

namespace kestrion::responses_wire {

namespace json = boost::json;

namespace {

/// A longer wish of the server is taken for a mistake, as the vendor's own
/// clients do.
constexpr duration wait_max = std::chrono::seconds{60};

answer_context context_of(const openai_responses_options& options,
                          timestamp now) {
  return {"openai", options.model, options.api_key, now, wait_max};
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

/// The texts of a list of parts, a blank line between two.
std::string texts_in(const json::value& item, std::string_view list) {
  std::string out;
  const auto* parts = member_of(item, list);
  if (!parts || !parts->is_array())
    return out;
  for (const auto& p : parts->get_array()) {
    const auto text = string_of(p, "text");
    if (!text.empty() && !out.empty())
      out += "\n\n";
    out += text;
  }
  return out;
}

/// What the items of an answer say, one after the other.
struct item_reader {
  const std::string vendor;
  model_reply reply{};
  bool has_calls = false;
  bool refused = false;

  /// False if it has not the shape of its type.
  bool read(const json::value& item) {
    const auto type = string_of(item, "type");
    if (type == "message")
      return read_message(item);
    if (type == "function_call")
      return read_call(item);
    if (type == "reasoning") {
      const auto summary = texts_in(item, "summary");
      reply.parts.emplace_back(reasoning_part{
        vendor, summary.empty() ? texts_in(item, "content") : summary,
        wire_text(item)});
    } else if (!type.empty()) {
      reply.parts.emplace_back(opaque_part{vendor, wire_text(item)});
    }
    return !type.empty();
  }

private:
  bool read_message(const json::value& item) {
    const auto* content = member_of(item, "content");
    if (!content || !content->is_array())
      return false;
    // The vendor wants it back; it holds for the texts that follow.
    if (const auto phase = string_of(item, "phase"); !phase.empty())
      reply.parts.emplace_back(
        opaque_part{vendor, wire_text(json::object{{"phase", phase}})});
    for (const auto& p : content->get_array()) {
      const auto type = string_of(p, "type");
      refused = refused || type == "refusal";
      auto text = string_of(p, type == "refusal" ? "refusal" : "text");
      if (!text.empty())
        reply.parts.emplace_back(text_part{std::move(text)});
    }
    return true;
  }

  bool read_call(const json::value& item) {
    tool_call_part call{"", string_of(item, "call_id"), string_of(item, "name"),
                        string_of(item, "arguments")};
    if (call.name.empty())
      return false;
    if (call.arguments.empty())
      call.arguments = "{}"; // A tool without parameters.
    reply.parts.emplace_back(std::move(call));
    has_calls = true;
    return true;
  }
};

stop_reason stop_of(const json::value& body, const item_reader& items) {
  if (const auto* cut = member_of(body, "incomplete_details")) {
    const auto reason = string_of(*cut, "reason");
    if (reason == "max_output_tokens")
      return stop_reason::max_tokens;
    return reason == "content_filter" ? stop_reason::refusal
                                      : stop_reason::other;
  }
  if (items.refused)
    return stop_reason::refusal;
  return items.has_calls ? stop_reason::tool_use : stop_reason::end_turn;
}

} // namespace

model_outcome from_wire(const http_response& answer,
                        const openai_responses_options& options,
                        timestamp now) {
  const auto context = context_of(options, now);
  const auto body = parse_json(answer.body, "the answer");
  if (answer.status / 100 != 2)
    return failure_of(answer, body ? error_of(*body) : vendor_error{}, context);
  return body ? from_json(*body, answer, options, now) : no_json(context);
}

model_outcome from_json(const json::value& body, const http_response& answer,
                        const openai_responses_options& options,
                        timestamp now) {
  const auto context = context_of(options, now);
  const auto status = string_of(body, "status");
  if (member_of(body, "error") || status == "failed" || status == "cancelled")
    return failure_of(answer, error_of(body), context);
  if (status == "in_progress" || status == "queued")
    return wrong_shape(context, "is not finished");

  const auto* output = member_of(body, "output");
  if (!output || !output->is_array())
    return wrong_shape(context, "has no output");
  item_reader items{vendor_of(options)};
  for (const auto& item : output->get_array())
    if (!items.read(item))
      return wrong_shape(context, "has an item that is none");
  auto reply = std::move(items.reply);
  reply.stop = stop_of(body, items);
  reply.usage = openai_usage(body, "input_tokens", "output_tokens");
  reply.model = string_of(body, "model");
  reply.request_id =
    find_header(answer.headers, "x-request-id").value_or(std::string_view{});
  return reply;
}

} // namespace kestrion::responses_wire
