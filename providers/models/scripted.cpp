#include <kestrion/providers/models/scripted.hpp>

#include <algorithm>
#include <utility>

namespace kestrion {

namespace {

model_failure failed(errc code, std::string detail) {
  return {{code, std::move(detail)}, false, std::nullopt, 0};
}

model_failure stopped_before_start(const std::string& name) {
  return failed(errc::cancelled, "the call of model " + name
                                   + " was cancelled before it started");
}

class function_backed final : public model {
public:
  function_backed(model_function answer, std::string name)
    : answer_(std::move(answer)), name_(std::move(name)) {}

  std::string name() const override { return name_; }
  std::optional<model_price> price() const override { return std::nullopt; }

  void complete(model_request request, std::stop_token stop,
                model_callback done) override {
    done(stop.stop_requested() ? stopped_before_start(name_) : ask(request));
  }

private:
  model_outcome ask(const model_request& request) const {
    try {
      return answer_(request);
    } catch (const std::exception& e) {
      return failed(errc::refused, "model " + name_ + " threw: " + e.what());
    } catch (...) {
      return failed(errc::refused, "model " + name_ + " threw no exception");
    }
  }

  model_function answer_;
  std::string name_;
};

model_failure beyond(std::size_t replies) {
  return failed(errc::refused, "the script of " + std::to_string(replies)
                                 + " replies is exhausted");
}

std::string sentence_of(const model_outcome& x) {
  if (const auto* f = std::get_if<model_failure>(&x))
    return "fails with " + std::string{to_string(f->error.code)};
  std::string out;
  for (const auto& p : std::get<model_reply>(x).parts) {
    if (!out.empty())
      out += ", ";
    if (const auto* call = std::get_if<tool_call_part>(&p))
      out += "calls " + call->name;
    else if (const auto* text = std::get_if<text_part>(&p))
      out += "says \"" + text->text + '"';
    else
      out += "says something else";
  }
  return out;
}

/// A word goes with the blank after it.
void say_words(const model_delta& block, const delta_sink& on_delta) {
  for (std::size_t at = 0; at < block.text.size();) {
    const auto blank = block.text.find(' ', at);
    const auto end = std::min(blank, block.text.size() - 1) + 1;
    on_delta({block.kind, block.index, block.offset + at,
              block.text.substr(at, end - at)});
    at = end;
  }
}

} // namespace

scripted_model::scripted_model(std::vector<model_outcome> script,
                               std::string name,
                               std::optional<model_price> price)
  : name_(std::move(name)), price_(price), script_(std::move(script)) {}

void scripted_model::complete(model_request request, std::stop_token stop,
                              model_callback done) {
  // A cancelled call takes nothing from the script.
  done(stop.stop_requested() ? stopped_before_start(name_)
                             : next(std::move(request)));
}

void scripted_model::stream(model_request request, std::stop_token stop,
                            delta_sink on_delta, model_callback done) {
  complete(std::move(request), std::move(stop), [&](model_outcome outcome) {
    if (const auto* reply = std::get_if<model_reply>(&outcome))
      show_whole(*reply,
                 [&](const model_delta& block) { say_words(block, on_delta); });
    done(std::move(outcome));
  });
}

model_outcome scripted_model::next(model_request request) {
  const std::lock_guard lock{mutex_};
  const auto index = requests_.size();
  requests_.push_back(std::move(request));
  if (index < script_.size())
    return script_[index];
  return beyond(script_.size());
}

std::vector<model_request> scripted_model::requests() const {
  const std::lock_guard lock{mutex_};
  return requests_;
}

std::size_t scripted_model::remaining() const {
  const std::lock_guard lock{mutex_};
  return requests_.size() < script_.size() ? script_.size() - requests_.size()
                                           : 0;
}

std::vector<std::string> scripted_model::unused() const {
  const auto left = remaining();
  std::vector<std::string> out;
  for (auto i = script_.size() - left; i < script_.size(); ++i)
    out.push_back("reply " + std::to_string(i + 1) + ": "
                  + sentence_of(script_[i]));
  return out;
}

void scripted_model::expect_all_used() const {
  const auto asked = requests().size();
  if (asked > script_.size())
    throw failure(
      {errc::refused, "the model " + name_ + " was asked "
                        + std::to_string(asked) + " times, but its script has "
                        + std::to_string(script_.size()) + " replies"});
  const auto left = unused();
  if (left.empty())
    return;
  auto why = "of the script of model " + name_ + " nobody asked for ";
  for (const auto& each : left)
    why += (&each == &left.front() ? "" : "; ") + each;
  throw failure({errc::refused, why});
}

std::shared_ptr<scripted_model> scripted(std::vector<model_outcome> script,
                                         std::string name) {
  return std::make_shared<scripted_model>(std::move(script), std::move(name));
}

model_reply says(std::string text, token_usage usage) {
  model_reply reply;
  reply.parts.emplace_back(text_part{std::move(text)});
  reply.usage = usage;
  reply.model = "scripted";
  return reply;
}

model_reply calls(std::vector<scripted_call> tools, std::string text,
                  token_usage usage) {
  model_reply reply;
  if (!text.empty())
    reply.parts.emplace_back(text_part{std::move(text)});
  for (auto& tool : tools)
    reply.parts.emplace_back(tool_call_part{"", std::move(tool.vendor_id),
                                            std::move(tool.tool),
                                            std::move(tool.arguments)});
  reply.stop = stop_reason::tool_use;
  reply.usage = usage;
  reply.model = "scripted";
  return reply;
}

model_failure fails(errc code, bool retryable,
                    std::optional<duration> retry_after) {
  return {{code, "the script says " + std::string{to_string(code)}},
          retryable,
          retry_after,
          0};
}

model_ptr function_model(model_function answer, std::string name) {
  return std::make_shared<function_backed>(std::move(answer), std::move(name));
}

model_ptr model_by_turn(std::vector<model_reply> replies, std::string name) {
  return function_model(
    [replies = std::move(replies)](const model_request& r) -> model_outcome {
      const auto turn = static_cast<std::size_t>(std::count_if(
        r.conversation.begin(), r.conversation.end(),
        [](const auto& m) { return m->role == role::assistant; }));
      if (turn < replies.size())
        return replies[turn];
      return beyond(replies.size());
    },
    std::move(name));
}

} // namespace kestrion
