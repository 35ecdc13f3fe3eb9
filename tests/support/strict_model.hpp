#pragma once

#include <kestrion/providers/models/scripted.hpp>
#include <kestrion/tests/scheduler/strict_server.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace kestrion::test {

/// A model behind a server that enforces its limits to the letter. Calls take
/// time, which belongs to the test.
class strict_model final : public model {
public:
  using answer_fn = std::function<model_reply(const model_request&)>;

  strict_model(strict_server server, duration takes,
               std::function<timestamp()> now, answer_fn answer)
    : strict_model(std::make_shared<strict_server>(std::move(server)), takes,
                   std::move(now), std::move(answer)) {}

  /// @param server  May be that of others, too.
  strict_model(std::shared_ptr<strict_server> server, duration takes,
               std::function<timestamp()> now, answer_fn answer)
    : server_(std::move(server)), takes_(takes), now_(std::move(now)),
      answer_(std::move(answer)) {}

  std::string name() const override { return "strict"; }
  std::optional<model_price> price() const override { return {}; }

  void complete(model_request request, std::stop_token,
                model_callback done) override {
    const auto now = now_();
    std::size_t bytes = 0;
    for (const auto& m : request.conversation)
      bytes += text_of(*m).size();
    const auto input = static_cast<std::int64_t>(bytes / 4 + 1);
    if (server_->arrive(input, now)) {
      ++refused;
      done(fails(errc::rate_limited, true));
      return;
    }
    ++accepted;
    calls_.push_back(
      {now + takes_, input, std::move(request), std::move(done)});
  }

  /// Answers what has taken its time.
  void answer_due() {
    const auto now = now_();
    for (auto& each : take_due(now)) {
      auto reply = answer_(each.request);
      reply.usage.input_tokens = each.input;
      server_->finish(reply.usage.output_tokens, now);
      each.done(std::move(reply));
    }
  }

  std::size_t in_flight() const { return calls_.size(); }

  std::size_t refused = 0; ///< 429s.
  std::size_t accepted = 0;

private:
  struct call {
    timestamp due;
    std::int64_t input = 0;
    model_request request;
    model_callback done;
  };

  std::vector<call> take_due(timestamp now) {
    const auto due = std::stable_partition(
      calls_.begin(), calls_.end(), [&](const auto& c) { return c.due > now; });
    std::vector<call> out{std::make_move_iterator(due),
                          std::make_move_iterator(calls_.end())};
    calls_.erase(due, calls_.end());
    return out;
  }

  std::shared_ptr<strict_server> server_;
  duration takes_;
  std::function<timestamp()> now_;
  answer_fn answer_;
  std::vector<call> calls_;
};

} // namespace kestrion::test
