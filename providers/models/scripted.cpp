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
  return failed(errc::refused, "the script of " + std::to_string(script_.size())
                                 + " replies is exhausted");
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

} // namespace kestrion
