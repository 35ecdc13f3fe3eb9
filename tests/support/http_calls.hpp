#pragma once

#include <kestrion/providers/http/client.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <variant>

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
