#include <kestrion/messages/json_text.hpp>
#include <kestrion/providers/models/anthropic_wire.hpp>
#include <kestrion/providers/models/failure.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <map>

namespace kestrion::anthropic_wire {

namespace json = boost::json;

namespace {

/// Adds the events up to the message of which they are the parts. Events,
/// blocks and deltas of unknown types are no error: the vendor may add some.
class message_decoder final : public stream_decoder {
public:
  message_decoder(anthropic_options options, http_response head, timestamp now)
    : options_(std::move(options)), head_(std::move(head)), now_(now) {}

  std::optional<model_outcome> take(std::string_view document,
                                    draft& shown) override;
  model_outcome end() override { return early_end(context()); }

private:
  struct open_block {
    json::object content;
    std::string input; ///< JSON, in pieces.
  };

  answer_context context() const {
    return {"anthropic", options_.model, options_.api_key, now_};
  }
  void start_block(const json::value& event, draft& shown);
  void add_delta(const json::value& event, draft& shown);
  void end_message(const json::value& event);
  model_outcome whole();

  const anthropic_options options_;
  const http_response head_;
  const timestamp now_;
  json::object message_;
  json::object usage_;
  std::map<std::size_t, open_block> blocks_;
};

std::optional<model_outcome> message_decoder::take(std::string_view document,
                                                   draft& shown) {
  const auto event = parse_json(document, "an event");
  if (!event)
    return no_json(context());
  const auto type = string_of(*event, "type");
  if (type == "error" || (type.empty() && member_of(*event, "error")))
    return from_json(*event, head_, options_, now_);
  if (type == "message_start") {
    if (const auto* message = member_of(*event, "message"))
      if (message->is_object())
        message_ = message->get_object();
    if (const auto* usage = message_.if_contains("usage"))
      if (usage->is_object())
        usage_ = usage->get_object();
  } else if (type == "content_block_start") {
    start_block(*event, shown);
  } else if (type == "content_block_delta") {
    add_delta(*event, shown);
  } else if (type == "message_delta") {
    end_message(*event);
  } else if (type == "message_stop") {
    return whole();
  }
  return std::nullopt;
}

void message_decoder::start_block(const json::value& event, draft& shown) {
  const auto* content = member_of(event, "content_block");
  if (!content || !content->is_object())
    return;
  const auto index = position_of(event, "index");
  blocks_[index] = {content->get_object(), {}};
  const auto type = string_of(*content, "type");
  if (type == "text")
    shown.show(delta_kind::text, index, string_of(*content, "text"));
  else if (type == "thinking")
    shown.show(delta_kind::reasoning, index, string_of(*content, "thinking"));
  else if (type == "tool_use")
    shown.show(delta_kind::tool_name, index, string_of(*content, "name"));
}

void message_decoder::add_delta(const json::value& event, draft& shown) {
  const auto index = position_of(event, "index");
  const auto at = blocks_.find(index);
  const auto* delta = member_of(event, "delta");
  if (at == blocks_.end() || !delta)
    return;
  auto& [content, input] = at->second;
  const auto type = string_of(*delta, "type");
  if (type == "text_delta") {
    const auto text = string_of(*delta, "text");
    append_text(content, "text", text);
    shown.show(delta_kind::text, index, text);
  } else if (type == "thinking_delta") {
    const auto text = string_of(*delta, "thinking");
    append_text(content, "thinking", text);
    shown.show(delta_kind::reasoning, index, text);
  } else if (type == "input_json_delta") {
    const auto text = string_of(*delta, "partial_json");
    input += text;
    if (string_of(content, "type") == "tool_use")
      shown.show(delta_kind::tool_arguments, index, text);
  } else if (type == "signature_delta") {
    content["signature"] = string_of(*delta, "signature"); // Comes whole.
  } else if (type == "citations_delta") {
    if (const auto* citation = member_of(*delta, "citation")) {
      auto& all = content["citations"];
      if (!all.is_array())
        all.emplace_array();
      all.get_array().push_back(*citation);
    }
  }
}

/// Counters are cumulative; one that is null or absent stays as it was.
void message_decoder::end_message(const json::value& event) {
  if (const auto* delta = member_of(event, "delta"))
    if (delta->is_object())
      for (const auto& member : delta->get_object())
        message_[member.key()] = member.value();
  if (const auto* usage = member_of(event, "usage"))
    if (usage->is_object())
      for (const auto& counter : usage->get_object())
        if (!counter.value().is_null())
          usage_[counter.key()] = counter.value();
}

model_outcome message_decoder::whole() {
  json::array content;
  for (auto& [index, block] : blocks_) {
    if (!block.input.empty()) {
      auto input = parse_json(block.input, "the input");
      block.content["input"] =
        input ? std::move(*input) : json::value(block.input);
    }
    content.push_back(std::move(block.content));
  }
  message_["content"] = std::move(content);
  message_["usage"] = std::move(usage_);
  return from_json(message_, head_, options_, now_);
}

} // namespace

std::unique_ptr<stream_decoder> decoder(const anthropic_options& options,
                                        http_response head, timestamp now) {
  return std::make_unique<message_decoder>(options, std::move(head), now);
}

} // namespace kestrion::anthropic_wire
