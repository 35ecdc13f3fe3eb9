#pragma once

#include "strict_server.hpp"

#include <kestrion/scheduler/token_scheduler.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <queue>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

namespace kestrion::test {

/// Who calls, and how.
struct load_tenant {
  std::string name;
  double weight = 1;
  int runs = 50;
  call_lane lane = call_lane::batch;
  duration pause{}; ///< Between an answer and the next call.
};

struct load_options {
  unsigned seed = 1;
  std::vector<load_tenant> tenants;
  std::vector<limit_spec> limits;
  double tokens_a_byte = 0.25; ///< What is true at the server.
  std::int64_t input_bytes = 6'000;
  std::int64_t output_tokens = 300; ///< On average.
  std::int64_t output_tokens_max = 1'000;
  double death = 0;                      ///< How many holders die.
  bool reports = false;                  ///< Whether answers say what is left.
  std::optional<duration> retry_after{}; ///< What refusals say; may be a lie.
  scheduler_options scheduler{};
};

/// Runs that call, a scheduler and a strict server, in virtual time.
class load {
public:
  load(load_options options, strict_server server);

  /// Lets so much time pass. What is counted below starts anew.
  void pass(duration d);

  timestamp now() const { return now_; }
  strict_server& server() { return server_; }
  token_scheduler& scheduler() { return scheduler_; }

  std::uint64_t rejected = 0;
  std::int64_t calls = 0;               ///< Accepted by the server.
  std::int64_t input_tokens = 0;        ///< Of these.
  std::int64_t output_tokens = 0;       ///< Of those that ended.
  std::map<std::string, double> tokens; ///< By tenant, of calls that ended.
  std::map<std::string, std::vector<duration>> waits;
  std::vector<duration> call_times;

private:
  struct run_state {
    std::size_t tenant = 0;
    run_id id;
  };
  struct call_state {
    std::size_t run = 0;
    std::int64_t bytes = 0;
    std::int64_t input = 0;
    std::int64_t output = 0;
    timestamp sent;
  };
  enum class step : std::uint8_t { ask, arrive, answer };
  struct occasion {
    timestamp at;
    std::uint64_t order = 0;
    step what = step::ask;
    std::uint64_t whom = 0; ///< A run, or a ticket.
    bool operator>(const occasion& other) const {
      return at != other.at ? at > other.at : order > other.order;
    }
  };

  void at(timestamp when, step what, std::uint64_t whom) {
    agenda_.push({when, ++order_, what, whom});
  }
  double uniform(double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(rng_);
  }
  duration between(duration low, duration high) {
    return duration{static_cast<duration::rep>(uniform(
      static_cast<double>(low.count()), static_cast<double>(high.count())))};
  }
  void act(const occasion& o);
  void ask(std::size_t run);
  void arrive(call_ticket ticket);
  void answer(call_ticket ticket);
  void deliver();

  load_options options_;
  strict_server server_;
  token_scheduler scheduler_;
  std::mt19937_64 rng_;
  timestamp now_{std::chrono::hours{500'000}};
  std::uint64_t order_ = 0;
  std::priority_queue<occasion, std::vector<occasion>, std::greater<>> agenda_;
  std::vector<run_state> runs_;
  std::unordered_map<call_ticket, call_state> calls_;
};

/// Jain's index: 1 if all are equal.
double jain(const std::vector<double>& shares);

/// The 99th percentile.
duration p99(std::vector<duration> of);

} // namespace kestrion::test
