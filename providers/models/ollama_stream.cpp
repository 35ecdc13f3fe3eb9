#include <kestrion/messages/json_text.hpp>
#include <kestrion/providers/models/failure.hpp>
#include <kestrion/providers/models/ollama_wire.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace kestrion::ollama_wire {

namespace json = boost::json;

namespace {

/// Adds the messages of all lines up to that of the last one, which has the
/// reason and the counters.
class chat_decoder final : public stream_decoder {
public:
  chat_decoder(ollama_options options, http_response head, timestamp now)
    : options_(std::move(options)), head_(std::move(head)), now_(now) {}

  std::optional<model_outcome> take(std::string_view document,
                                    draft& shown) override;
  model_outcome end() override { return early_end(context()); }

private:
  answer_context context() const {
    return {"ollama", options_.model, {}, now_};
  }
  void add(const json::object& message, draft& shown);
  void show(const json::value& calls, draft& shown);

  const ollama_options options_;
  const http_response head_;
  const timestamp now_;
  json::object message_;
};

std::optional<model_outcome> chat_decoder::take(std::string_view document,
                                                draft& shown) {
  auto line = parse_json(document, "a line");
  if (!line)
    return no_json(context());
  if (!line->is_object() || member_of(*line, "error"))
    return from_json(*line, head_, options_, now_);
  if (const auto* message = member_of(*line, "message"))
    if (message->is_object())
      add(message->get_object(), shown);
  const auto* done = member_of(*line, "done");
  if (!done || !done->is_bool() || !done->get_bool())
    return std::nullopt;
  line->get_object()["message"] = std::move(message_);
  return from_json(*line, head_, options_, now_);
}

void chat_decoder::add(const json::object& message, draft& shown) {
  for (const auto& member : message) {
    const auto& value = member.value();
    if (member.key() == "content" && value.is_string()) {
      const auto text = string_of(message, "content");
      append_text(message_, "content", text);
      shown.show(delta_kind::text, 0, text);
    } else if (member.key() == "thinking" && value.is_string()) {
      const auto text = string_of(message, "thinking");
      append_text(message_, "thinking", text);
      shown.show(delta_kind::reasoning, 0, text);
    } else if (member.key() == "tool_calls" && value.is_array()) {
      show(value, shown);
    } else {
      message_[member.key()] = value;
    }
  }
}

/// They come whole.
void chat_decoder::show(const json::value& calls, draft& shown) {
  auto& all = message_["tool_calls"];
  if (!all.is_array())
    all.emplace_array();
  for (const auto& call : calls.get_array()) {
    const auto key = all.get_array().size();
    all.get_array().push_back(call);
    const auto* function = member_of(call, "function");
    if (!function)
      continue;
    shown.show(delta_kind::tool_name, key, string_of(*function, "name"));
    if (const auto* arguments = member_of(*function, "arguments"))
      shown.show(delta_kind::tool_arguments, key, wire_text(*arguments));
  }
}

} // namespace

std::unique_ptr<stream_decoder> decoder(const ollama_options& options,
                                        http_response head, timestamp now) {
  return std::make_unique<chat_decoder>(options, std::move(head), now);
}

} // namespace kestrion::ollama_wire
