#include "rate_limit_load.hpp"

#include <kestrion/examples/support/vendor_server.hpp>
#include <kestrion/tests/scheduler/strict_server.hpp>

#include <algorithm>
#include <map>
#include <mutex>
#include <string>
#include <thread>

namespace bench {

namespace {

using kestrion::duration;
using kestrion::limit_kind;
using kestrion::limit_shape;
using kestrion::timestamp;
using kestrion::test::strict_limit;
using kestrion::test::strict_server;
using std::chrono::milliseconds;

/// When the first call came, its window had begun so long before: no client
/// knows the phase.
constexpr milliseconds phase{3'700};
/// What lies between a permit and the server's look at the call, at the most.
constexpr milliseconds latency_max{100};
/// Near what calls use, so that what they reserve is not what is measured.
constexpr std::int64_t output_tokens_max = 300;

strict_limit limit_of(limit_shape shape, timestamp first_window) {
  return {limit_kind::requests, shape, rate_limit_load::requests_a_period,
          rate_limit_load::period, first_window};
}

struct urgent_run {
  timestamp start{};
  timestamp accepted = timestamp::max(); ///< Its call.
};

/// What the server sees and says.
class accounts {
public:
  explicit accounts(limit_shape shape) : shape_(shape) {}

  /// Whoever asks wants a tool that leads to the next question; urgent runs
  /// want one answer.
  examples::vendor_turn answer(const examples::vendor_request& r) {
    const std::lock_guard lock{mutex_};
    const auto now = kestrion::system_now();
    if (!rules_)
      rules_.emplace(std::vector{limit_of(shape_, now - phase)});
    const auto urgent = urgent_.find(r.last_user_text);
    call_arrival seen{now, std::nullopt, !rules_->arrive(1, now)};
    if (urgent == urgent_.end())
      seen.tenant = std::stoul(r.last_user_text);
    arrivals_.push_back(seen);
    if (!seen.accepted)
      return {.text = "slow down", .status = 429};
    examples::vendor_turn out{.input_tokens = 250,
                              .output_tokens = 200,
                              .delay = rate_limit_load::call_time};
    if (seen.tenant) {
      out.tools = {{"again"}};
      return out;
    }
    urgent->second.accepted = now;
    out.text = "done";
    return out;
  }

  void urgent_starts(const std::string& name) {
    const std::lock_guard lock{mutex_};
    urgent_[name].start = kestrion::system_now();
  }

  std::optional<timestamp> first_call() {
    const std::lock_guard lock{mutex_};
    return arrivals_.empty() ? std::nullopt
                             : std::optional{arrivals_.front().at};
  }

  rate_limit_record record(timestamp begin, timestamp end) {
    const std::lock_guard lock{mutex_};
    rate_limit_record out{arrivals_, begin, end, allowed(begin, end), {}};
    for (const auto& [name, run] : urgent_)
      if (run.start >= begin && run.start < end)
        out.urgent_waits.push_back(std::min(run.accepted, end) - run.start);
    return out;
  }

private:
  /// What is there at the begin, and what comes until the end.
  double allowed(timestamp begin, timestamp end) const {
    auto limit = limit_of(shape_, arrivals_.front().at - phase);
    for (const auto& a : arrivals_)
      if (a.accepted && a.at < begin)
        limit.charge(1, a.at);
    const auto periods =
      static_cast<double>((end - begin).count())
      / static_cast<double>(duration{rate_limit_load::period}.count());
    const auto comes =
      shape_ == limit_shape::continuous ? periods : periods - 1;
    return limit.level(begin) + comes * rate_limit_load::requests_a_period;
  }

  std::mutex mutex_;
  limit_shape shape_;
  std::optional<strict_server> rules_;
  std::vector<call_arrival> arrivals_;
  std::map<std::string, urgent_run> urgent_;
};

kestrion::agent worker(const std::string& url, bool scheduled) {
  kestrion::agent out{"worker"};
  kestrion::model_options options;
  options.output_tokens_max = output_tokens_max;
  kestrion::run_limits limits;
  limits.turns_max = limits.tool_calls_max = limits.model_attempts_max =
    1'000'000;
  out
    .model(kestrion::openai(
      {.model = "m", .base_url = url, .provider = scheduled ? "vendor" : ""}))
    .options(options)
    .limits(limits)
    .tool("again", "Does nothing.", [] { return "again"; });
  return out;
}

kestrion::runtime_options options_of(const rate_limit_load& load) {
  kestrion::runtime_options out{.store = "memory:"};
  if (!load.scheduled)
    return out;
  out.limits = {
    kestrion::rate_limit("vendor").limit({.name = "requests",
                                          .covers = {"vendor", {}, {}},
                                          .kind = limit_kind::requests,
                                          .amount = load.requests_a_period,
                                          .period = load.period,
                                          .shape = load.shape,
                                          .latency_max = latency_max})};
  for (std::size_t i = 0; i < load.tenants; ++i)
    out.tenant_weights[std::to_string(i)] = weight_of(i);
  return out;
}

/// The third begin of a window: by then tenants of much weight, which want no
/// more of the first burst than others, have got what they had too little.
timestamp begin_after(timestamp first_call) {
  return first_call - phase + 3 * rate_limit_load::period;
}

} // namespace

rate_limit_record run_for_real(const rate_limit_load& load) {
  accounts seen{load.shape};
  const examples::vendor_server server{
    [&](const examples::vendor_request& r) { return seen.answer(r); }, 2};
  kestrion::runtime rt{options_of(load),
                       {worker(server.openai_url(), load.scheduled)}};
  std::size_t urgent = 0;
  const auto start_urgent = [&] {
    const auto name = "urgent " + std::to_string(urgent++);
    seen.urgent_starts(name);
    rt.start("worker", name,
             {.tenant = "people", .lane = kestrion::call_lane::interactive});
  };
  start_urgent();
  for (std::size_t i = 0; i < load.runs; ++i) {
    const auto tenant = std::to_string(i % load.tenants);
    rt.start("worker", tenant, {.tenant = tenant});
  }
  auto next = std::chrono::steady_clock::now();
  while (true) {
    const auto first = seen.first_call();
    if (first && kestrion::system_now() >= begin_after(*first) + load.length)
      break;
    next += load.urgent_each;
    std::this_thread::sleep_until(next);
    start_urgent();
  }
  const auto begin = begin_after(*seen.first_call());
  return seen.record(begin, begin + load.length);
}

} // namespace bench
