/// How much of a server's limit runs use, how fairly, and how often it has to
/// refuse them: 1,000 runs of 20 tenants that want five times of it, against a
/// server on loopback that enforces its limit to the letter, as a token bucket
/// and as fixed windows. The same load once more without a scheduler: each run
/// backs off by itself, exponentially, as Kestrion does after any failure.
///
/// usage: bench_rate_limit [SECONDS]   (60)

#include "figures.hpp"

#include <kestrion/examples/support/vendor_server.hpp>
#include <kestrion/kestrion.hpp>
#include <kestrion/tests/scheduler/strict_server.hpp>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>
#include <thread>

namespace {

using kestrion::limit_kind;
using kestrion::limit_shape;
using kestrion::test::strict_limit;
using kestrion::test::strict_server;

constexpr std::size_t runs = 1'000;
constexpr std::size_t tenants = 20;
constexpr std::int64_t requests_a_period = 1'000;
constexpr auto period = std::chrono::seconds{10};

/// What the server saw.
struct record {
  std::mutex mutex;
  strict_server rules;
  std::size_t refused = 0;
  std::map<std::string, std::size_t> accepted; ///< By tenant.

  record(limit_shape shape, kestrion::timestamp begin)
    : rules({strict_limit{limit_kind::requests, shape, requests_a_period,
                          period, begin}}) {}

  /// Whoever asks wants a tool that leads to the next question.
  examples::vendor_turn answer(const examples::vendor_request& r) {
    const std::lock_guard lock{mutex};
    if (rules.arrive(1, kestrion::system_now())) {
      ++refused;
      return {.text = "slow down", .status = 429};
    }
    ++accepted[r.last_user_text];
    return {.tools = {{"again"}}};
  }
};

/// 1 if all have the same, 1/n if one has everything.
double jain(const std::map<std::string, std::size_t>& shares) {
  double sum = 0;
  double squares = 0;
  for (const auto& [tenant, share] : shares) {
    sum += static_cast<double>(share);
    squares += static_cast<double>(share) * static_cast<double>(share);
  }
  return squares == 0 ? 0 : sum * sum / (tenants * squares);
}

kestrion::agent worker(const std::string& url, bool scheduled) {
  kestrion::agent out{"worker"};
  kestrion::run_limits limits;
  limits.turns_max = limits.tool_calls_max = limits.model_attempts_max =
    1'000'000;
  out
    .model(kestrion::openai(
      {.model = "m", .base_url = url, .provider = scheduled ? "vendor" : ""}))
    .limits(limits)
    .tool("again", "Does nothing.", [] { return "again"; });
  return out;
}

void load_for(std::chrono::seconds length, record& seen, limit_shape shape,
              bool scheduled) {
  const examples::vendor_server server{
    [&](const examples::vendor_request& r) { return seen.answer(r); }, 2};
  kestrion::runtime_options options{.store = "memory:"};
  if (scheduled)
    options.limits = {
      kestrion::rate_limit("vendor").limit({.name = "requests",
                                            .covers = {"vendor", {}, {}},
                                            .kind = limit_kind::requests,
                                            .amount = requests_a_period,
                                            .period = period,
                                            .shape = shape})};
  kestrion::runtime rt{options, {worker(server.openai_url(), scheduled)}};
  const auto end = std::chrono::steady_clock::now() + length;
  std::vector<kestrion::run> all;
  for (std::size_t i = 0; i < runs; ++i) {
    const auto tenant = "tenant " + std::to_string(i % tenants);
    all.push_back(rt.start("worker", tenant, {.tenant = tenant}));
  }
  std::this_thread::sleep_until(end);
}

void measure_one(std::chrono::seconds length, limit_shape shape,
                 bool scheduled) {
  const auto begin = kestrion::system_now();
  record seen{shape, begin};
  load_for(length, seen, shape, scheduled);
  const std::lock_guard lock{seen.mutex};
  std::size_t accepted = 0;
  for (const auto& [tenant, count] : seen.accepted)
    accepted += count;
  // A bucket is full at first; of windows the one that has begun counts whole.
  const auto periods =
    static_cast<double>(length.count()) / static_cast<double>(period.count());
  const auto allowed =
    static_cast<double>(requests_a_period)
    * (shape == limit_shape::continuous ? periods + 1 : std::ceil(periods));
  bench::print({{"bench", "rate_limit"},
                {"server", shape == limit_shape::continuous ? "token bucket"
                                                            : "fixed windows"},
                {"clients", scheduled ? "scheduler" : "backoff of each run"},
                {"seconds", length.count()},
                {"runs", runs},
                {"calls", accepted},
                {"http_429", seen.refused},
                {"utilization",
                 bench::rounded(static_cast<double>(accepted) / allowed, 3)},
                {"jain", bench::rounded(jain(seen.accepted), 4)}});
}

} // namespace

int main(int argc, char** argv) {
  const std::chrono::seconds length{argc > 1 ? std::atoi(argv[1]) : 60};
  return bench::run("rate_limit", [&] {
    for (const auto shape :
         {limit_shape::continuous, limit_shape::fixed_window})
      for (const bool scheduled : {true, false})
        measure_one(length, shape, scheduled);
  });
}
