#include <kestrion/messages/json_text.hpp>
#include <kestrion/providers/models/failure.hpp>
#include <kestrion/providers/models/responses_wire.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <map>

namespace kestrion::responses_wire {

namespace json = boost::json;

namespace {

/// The last event has the whole response; those before it make the draft.
/// Events of unknown types are skipped: there are more every year.
class response_decoder final : public stream_decoder {
public:
  response_decoder(openai_responses_options options, http_response head,
                   timestamp now)
    : options_(std::move(options)), head_(std::move(head)), now_(now) {}

  std::optional<model_outcome> take(std::string_view document,
                                    draft& shown) override;
  model_outcome end() override { return early_end(context()); }

private:
  answer_context context() const {
    return {"openai", options_.model, options_.api_key, now_};
  }
  void show(const json::value& event, std::string_view type, draft& shown);
  void show_thought(const json::value& event, std::string_view type,
                    std::string_view part, draft& shown);
  model_outcome whole(const json::value& event);

  struct thought {
    std::string type;     ///< Of the events that are shown.
    std::size_t part = 0; ///< Which one of its texts.
  };

  const openai_responses_options options_;
  const http_response head_;
  const timestamp now_;
  std::map<std::size_t, json::value> items_; ///< Those that are done.
  std::map<std::size_t, thought> thoughts_;
};

std::optional<model_outcome> response_decoder::take(std::string_view document,
                                                    draft& shown) {
  if (document.empty() || document == "[DONE]") // Some servers send it.
    return std::nullopt;
  const auto event = parse_json(document, "an event");
  if (!event)
    return no_json(context());
  const auto type = string_of(*event, "type");
  if (type == "response.completed" || type == "response.incomplete"
      || type == "response.failed" || type == "response.cancelled")
    return whole(*event);
  if (member_of(*event, "error"))
    return from_json(*event, head_, options_, now_);
  if (type == "error") // Its members are those of the error itself.
    return from_json(
      json::object{{"error",
                    {{"code", string_of(*event, "code")},
                     {"message", string_of(*event, "message")}}}},
      head_, options_, now_);
  show(*event, type, shown);
  return std::nullopt;
}

void response_decoder::show(const json::value& event, std::string_view type,
                            draft& shown) {
  const auto at = position_of(event, "output_index");
  if (type == "response.output_text.delta"
      || type == "response.refusal.delta") {
    // Few items and few parts: no two of them share a number.
    const auto key = (at << 16U) + position_of(event, "content_index");
    shown.show(delta_kind::text, key, string_of(event, "delta"));
  } else if (type == "response.reasoning_summary_text.delta") {
    show_thought(event, type, "summary_index", shown);
  } else if (type == "response.reasoning_text.delta") {
    show_thought(event, type, "content_index", shown);
  } else if (type == "response.function_call_arguments.delta") {
    shown.show(delta_kind::tool_arguments, at, string_of(event, "delta"));
  } else if (const auto* item = member_of(event, "item")) {
    if (type == "response.output_item.added"
        && string_of(*item, "type") == "function_call")
      shown.show(delta_kind::tool_name, at, string_of(*item, "name"));
    else if (type == "response.output_item.done")
      items_[at] = *item;
  }
}

/// A model may tell its thoughts in full and in short; the one that comes first
/// is shown, its texts as the reply has them: a blank line between two.
void response_decoder::show_thought(const json::value& event,
                                    std::string_view type,
                                    std::string_view part, draft& shown) {
  const auto text = string_of(event, "delta");
  if (text.empty())
    return;
  const auto at = position_of(event, "output_index");
  const auto number = position_of(event, part);
  auto& [shown_type, shown_part] =
    thoughts_.try_emplace(at, thought{std::string{type}, number}).first->second;
  if (shown_type != type)
    return;
  if (shown_part != number)
    shown.show(delta_kind::reasoning, at, "\n\n");
  shown_part = number;
  shown.show(delta_kind::reasoning, at, text);
}

/// The vendor says to take encrypted thoughts from the items that were done.
model_outcome response_decoder::whole(const json::value& event) {
  const auto* response = member_of(event, "response");
  if (!response || !response->is_object())
    return wrong_shape(context(), "has no response");
  json::object body = response->get_object();
  auto& output = body["output"];
  if (!output.is_array())
    output.emplace_array();
  if (output.get_array().empty())
    for (auto& [at, item] : items_)
      output.get_array().push_back(item);
  for (auto& item : output.get_array())
    if (string_of(item, "type") == "reasoning"
        && !member_of(item, "encrypted_content"))
      for (const auto& [at, done] : items_)
        if (string_of(done, "id") == string_of(item, "id")
            && member_of(done, "encrypted_content"))
          item = done;
  return from_json(body, head_, options_, now_);
}

} // namespace

std::unique_ptr<stream_decoder> decoder(const openai_responses_options& options,
                                        http_response head, timestamp now) {
  return std::make_unique<response_decoder>(options, std::move(head), now);
}

} // namespace kestrion::responses_wire
