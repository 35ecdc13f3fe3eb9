#pragma once

#include <kestrion/providers/http/client.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace kestrion::test {

/// No call of a test takes this long unless it hangs.
inline constexpr std::chrono::seconds hang{60};

/// Starts a call; the future gets its outcome.
inline std::future<http_outcome> start_call(http_client& client,
                                            http_request request,
                                            const std::stop_token& stop = {}) {
  auto promise = std::make_shared<std::promise<http_outcome>>();
  auto outcome = promise->get_future();
  client.request(std::move(request), stop, [promise](http_outcome o) {
    promise->set_value(std::move(o)); // Throws if called twice.
  });
  return outcome;
}

/// Notes what a sink gets. `enough` decides whether it wants more.
struct body_log final : http_body_sink {
  bool begin(const http_response& head) override {
    const std::lock_guard lock{mutex};
    heads.push_back(head);
    return wanted;
  }
  bool take(std::string_view bytes) override {
    const std::lock_guard lock{mutex};
    body += bytes;
    ++pieces;
    arrived.notify_all();
    return !enough || !enough(body);
  }
  void wait_for(std::string_view text) {
    std::unique_lock lock{mutex};
    if (!arrived.wait_for(lock, hang, [&] { return body == text; }))
      throw std::runtime_error{"the sink never got it all: " + body};
  }

  bool wanted = true;
  std::function<bool(const std::string&)> enough = {};
  std::mutex mutex;
  std::condition_variable arrived;
  std::vector<http_response> heads;
  std::string body;
  std::size_t pieces = 0;
};

/// Starts a streamed call; the future gets its outcome.
inline std::future<http_outcome>
start_stream(http_client& client, http_request request,
             std::shared_ptr<http_body_sink> sink,
             const std::stop_token& stop = {}) {
  auto promise = std::make_shared<std::promise<http_outcome>>();
  auto outcome = promise->get_future();
  client.stream(
    std::move(request), stop, std::move(sink),
    [promise](http_outcome o) { promise->set_value(std::move(o)); });
  return outcome;
}

inline http_outcome outcome_of(std::future<http_outcome> call) {
  if (call.wait_for(hang) != std::future_status::ready)
    throw std::runtime_error{"the call hangs"};
  return call.get();
}

inline http_outcome call(http_client& client, http_request request,
                         const std::stop_token& stop = {}) {
  return outcome_of(start_call(client, std::move(request), stop));
}

inline http_response response_of(http_outcome outcome) {
  if (const auto* f = std::get_if<http_failure>(&outcome))
    throw std::runtime_error{"expected a response, got " + to_string(f->error)};
  return std::get<http_response>(std::move(outcome));
}

inline http_failure failure_of(http_outcome outcome) {
  if (const auto* r = std::get_if<http_response>(&outcome))
    throw std::runtime_error{"expected a failure, got status "
                             + std::to_string(r->status)};
  return std::get<http_failure>(std::move(outcome));
}

} // namespace kestrion::test
