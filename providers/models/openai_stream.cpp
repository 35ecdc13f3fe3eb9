#include <kestrion/messages/json_text.hpp>
#include <kestrion/providers/models/failure.hpp>
#include <kestrion/providers/models/openai_wire.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <array>
#include <map>

namespace kestrion::openai_wire {

namespace json = boost::json;

namespace {

std::string_view view(const json::string& s) {
  return {s.data(), s.size()};
}

/// Members that come whole, maybe several times; other texts come in pieces.
bool comes_whole(std::string_view name) {
  return name == "role" || name == "id" || name == "type" || name == "name"
         || name == "format" || name == "signature";
}

void merge(json::object& into, const json::object& delta);

/// Elements with an `index` of their own are merged by it.
void merge(json::array& into, const json::array& delta) {
  for (const auto& element : delta) {
    const auto* index = member_of(element, "index");
    json::object* known = nullptr;
    if (index)
      for (auto& old : into)
        if (const auto* at = member_of(old, "index"); at && *at == *index)
          known = old.if_object();
    if (known)
      merge(*known, element.get_object());
    else
      into.push_back(element);
  }
}

/// Texts are joined, objects and lists merged; the rest is replaced, but never
/// by null.
void merge(json::object& into, const json::object& delta) {
  for (const auto& member : delta) {
    const auto& value = member.value();
    const std::string_view name{member.key().data(), member.key().size()};
    auto& old = into[name];
    if (value.is_null())
      continue;
    if (old.is_string() && value.is_string() && !comes_whole(name))
      append_text(into, name, view(value.get_string()));
    else if (old.is_object() && value.is_object())
      merge(old.get_object(), value.get_object());
    else if (old.is_array() && value.is_array())
      merge(old.get_array(), value.get_array());
    else if (!old.is_string() || old.get_string().empty())
      old = value;
  }
}

/// Adds the chunks up to the completion of which they are the parts.
class completion_decoder final : public stream_decoder {
public:
  completion_decoder(openai_options options, http_response head, timestamp now)
    : options_(std::move(options)), head_(std::move(head)), now_(now) {}

  std::optional<model_outcome> take(std::string_view document,
                                    draft& shown) override;
  model_outcome end() override;

private:
  answer_context context() const {
    return {"openai", options_.model, options_.api_key, now_};
  }
  void add_choice(const json::value& choice, draft& shown);
  void add_call(const json::value& delta, std::size_t position, draft& shown);
  void show_texts(const json::object& delta, draft& shown);
  model_outcome whole();

  const openai_options options_;
  const http_response head_;
  const timestamp now_;
  json::object body_;    ///< Members of the chunks, such as model and usage.
  json::object message_; ///< Without tool calls.
  json::array calls_;
  std::map<std::size_t, std::size_t> call_at_; ///< Their index to ours.
  std::string_view thought_in_; ///< The member whose text is shown.
  json::value finish_reason_;
};

std::optional<model_outcome> completion_decoder::take(std::string_view document,
                                                      draft& shown) {
  if (document.empty())
    return std::nullopt;
  if (document == "[DONE]")
    return finish_reason_.is_null() ? early_end(context()) : whole();
  const auto chunk = parse_json(document, "a chunk");
  if (!chunk)
    return no_json(context());
  if (member_of(*chunk, "error"))
    return from_json(*chunk, head_, options_, now_);
  for (const auto* name : {"model", "usage"})
    if (const auto* member = member_of(*chunk, name))
      body_[name] = *member;
  if (const auto* choices = member_of(*chunk, "choices"))
    if (choices->is_array())
      for (const auto& choice : choices->get_array())
        if (position_of(choice, "index") == 0)
          add_choice(choice, shown);
  return std::nullopt;
}

void completion_decoder::add_choice(const json::value& choice, draft& shown) {
  if (const auto* reason = member_of(choice, "finish_reason"))
    finish_reason_ = *reason;
  const auto* delta = member_of(choice, "delta");
  if (!delta || !delta->is_object())
    return;
  show_texts(delta->get_object(), shown);
  json::object rest = delta->get_object();
  rest.erase("tool_calls");
  merge(message_, rest);
  if (const auto* calls = member_of(*delta, "tool_calls"))
    if (calls->is_array())
      for (std::size_t i = 0; i < calls->get_array().size(); ++i)
        add_call(calls->get_array()[i], i, shown);
}

void completion_decoder::show_texts(const json::object& delta, draft& shown) {
  for (const auto name : reasoning_members) {
    const auto text = string_of(delta, name);
    if (text.empty() || (!thought_in_.empty() && thought_in_ != name))
      continue;
    thought_in_ = name; // Some servers say the same under two names.
    shown.show(delta_kind::reasoning, 0, text);
  }
  shown.show(delta_kind::text, 0, string_of(delta, "content"));
  shown.show(delta_kind::text, 1, string_of(delta, "refusal"));
}

void completion_decoder::add_call(const json::value& delta,
                                  std::size_t position, draft& shown) {
  if (!delta.is_object())
    return;
  const auto index =
    member_of(delta, "index") ? position_of(delta, "index") : position;
  const auto id = string_of(delta, "id");
  const auto* function = member_of(delta, "function");
  const auto name = function ? string_of(*function, "name") : std::string{};
  auto at = call_at_.find(index);
  // Some servers give each call the same index.
  const bool another = at != call_at_.end() && !id.empty() && !name.empty()
                       && !string_of(calls_[at->second], "id").empty()
                       && string_of(calls_[at->second], "id") != id;
  if (at == call_at_.end() || another) {
    at = call_at_.insert_or_assign(index, calls_.size()).first;
    calls_.emplace_back(json::object{});
  }
  auto& call = calls_[at->second];
  const auto* known = member_of(call, "function");
  if (!known || string_of(*known, "name").empty())
    shown.show(delta_kind::tool_name, at->second, name);
  if (function)
    shown.show(delta_kind::tool_arguments, at->second,
               string_of(*function, "arguments"));
  json::object rest = delta.get_object();
  rest.stable_erase("index"); // Only streams have it.
  merge(call.get_object(), rest);
}

model_outcome completion_decoder::whole() {
  if (!calls_.empty())
    message_["tool_calls"] = std::move(calls_);
  body_["choices"] = json::array{json::object{
    {"message", std::move(message_)}, {"finish_reason", finish_reason_}}};
  return from_json(body_, head_, options_, now_);
}

/// Some servers forget to say that they are done; with the usage, which comes
/// last, nothing is missing.
model_outcome completion_decoder::end() {
  if (finish_reason_.is_null() || !body_.contains("usage"))
    return early_end(context());
  return whole();
}

} // namespace

std::unique_ptr<stream_decoder> decoder(const openai_options& options,
                                        http_response head, timestamp now) {
  return std::make_unique<completion_decoder>(options, std::move(head), now);
}

} // namespace kestrion::openai_wire
