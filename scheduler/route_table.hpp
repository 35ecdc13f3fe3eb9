#pragma once

#include <kestrion/scheduler/call_record.hpp>
#include <kestrion/scheduler/fair_order.hpp>
#include <kestrion/scheduler/fair_queue.hpp>
#include <kestrion/scheduler/token_estimator.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kestrion {

/// The routes with what waits for each, the limits that cover them, and which
/// call is next.
///
/// Calls of one route are covered by the same limits, so its first one may hold
/// back the others: what it waits for is not taken by smaller ones. Between
/// routes only limits that both need hold back: a call claims the limit that
/// it has to wait for longest, and no other.
/// @par Threading Owner only.
class route_table {
public:
  explicit route_table(double interactive_share, double interactive_lead);

  call_limit& declare(const limit_spec& spec, timestamp now);
  call_limit* find_limit(std::string_view name);

  /// The index of a route; makes it at first.
  std::size_t find(const call_route& route);

  void push(const call_record& call);
  /// Takes a waiting call out.
  void erase(const call_record& call);
  /// It got so much more than it was charged before, or less.
  void charge(const call_record& call, double cost);
  void reweigh(std::uint32_t tenant, double weight);

  /// The call that is next and fits, if any. It stays where it is.
  std::optional<call_ticket> next(const call_map& calls, timestamp now);
  /// From now on calls that did not fit may fit.
  void begin_pass() { ++pass_; }
  /// Takes what the call needs off its limits, and the call out of its queue.
  void grant(call_record& call, timestamp now);

  /// When a call fits that did not in the last pass.
  std::optional<timestamp> wakes_at() const;
  /// The limit that holds the route's first call back; empty: none.
  std::string_view blocked_on(std::size_t route) const;
  /// About how long a call waits with so much before it; not set: nobody knows.
  std::optional<duration> wait(const call_record& call,
                               const fair_queue::position& before,
                               timestamp now);

  fair_queue::position before(const call_record& call) const;
  /// Nothing is left there, and it is no use to wait.
  bool exhausted(std::size_t route, timestamp now) const;
  void call_took(std::size_t route, duration time);

  /// For the limits that a server named, or the route if it named none.
  std::vector<pause_gate*> gates(std::size_t route,
                                 std::optional<limit_kind> kind);
  std::vector<call_limit*> limits(std::size_t route, limit_kind kind);
  const call_route& name(std::size_t route) const {
    return *routes_[route].name;
  }
  token_estimator& estimator(std::size_t route) {
    return *routes_[route].estimator;
  }
  const std::vector<call_limit*>& limits(std::size_t route) const {
    return routes_[route].limits;
  }
  const std::vector<std::unique_ptr<call_limit>>& all_limits() const {
    return limits_;
  }

private:
  struct route_state {
    const call_route* name = nullptr; ///< The key in `index_`.
    std::vector<call_limit*> limits;
    pause_gate gate;
    /// 0 interactive, 1 batch, as in `lanes`.
    std::array<fair_queue, 2> queues;
    fair_order<int> lanes;
    std::size_t domain = 0;
    token_estimator* estimator = nullptr;
    std::uint64_t blocked_in = 0; ///< The pass.
    timestamp wakes_at;
    std::string_view blocked_on;
    double call_seconds = 0; ///< How long calls take, on average.
  };
  struct by_name {
    bool operator()(const call_route& a, const call_route& b) const;
  };

  static int lane_of(const call_record& call) {
    return call.lane == call_lane::interactive ? 0 : 1;
  }
  void cover(route_state& route, call_limit& limit);
  void join_domains();
  void requeue(std::size_t route);
  std::optional<call_ticket> next_in(fair_order<std::size_t>& domain, int lane,
                                     const call_map& calls, timestamp now);
  bool fits(route_state& route, const call_record& call, timestamp now);

  double interactive_share_;
  double interactive_lead_;
  std::uint64_t pass_ = 1;
  std::size_t interactive_waiting_ = 0;
  std::vector<std::unique_ptr<call_limit>> limits_;
  std::map<call_route, std::size_t, by_name> index_;
  std::vector<route_state> routes_;
  /// Routes that share limits, directly or by others, are in one domain.
  std::vector<std::unique_ptr<fair_order<std::size_t>>> domains_;
  std::map<std::pair<std::string, std::string>,
           std::unique_ptr<token_estimator>>
    estimators_; ///< By provider and model.
};

} // namespace kestrion
