#pragma once

#include <kestrion/scheduler/call_record.hpp>
#include <kestrion/scheduler/fair_order.hpp>
#include <kestrion/scheduler/fair_queue.hpp>
#include <kestrion/scheduler/token_estimator.hpp>

#include <boost/unordered/unordered_flat_map.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
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
  std::uint32_t find(const call_route& route);

  void push(call_record& call);
  /// Takes a waiting call out.
  void erase(call_record& call);
  void reweigh(std::uint32_t tenant, double weight);

  /// The call that is next and fits, or none. It stays where it is.
  call_record* next(timestamp now);
  /// From now on calls that did not fit may fit.
  void begin_pass() { ++pass_; }
  /// Takes what the call needs off its limits, and the call out of its queue.
  void grant(call_record& call, timestamp now);
  /// Of one that was granted. @param more  Than its cost, or less, it has used.
  void end(call_record& call, double more);

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
  pause_gate& gate(std::size_t route) { return routes_[route].gate; }
  std::vector<call_limit*> limits(std::size_t route, limit_kind kind);
  const call_route& name(std::size_t route) const {
    return routes_[route].name;
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
  /// Interactive or batch.
  struct lane_state : fair_member {
    fair_queue queue{sizeof(call_record)};
    double share = 0;
    double lead = 0; ///< Its head start, in cost.
  };
  struct route_state : fair_member {
    double weights() const; ///< Of the tenants that wait for it.

    call_route name;
    std::vector<call_limit*> limits;
    pause_gate gate;
    std::array<lane_state, 2> lanes; ///< By `call_lane`.
    fair_order<lane_state, 1> turns;
    std::size_t domain = 0;
    token_estimator* estimator = nullptr;
    std::uint64_t blocked_in = 0; ///< The pass.
    timestamp wakes_at;
    std::string_view blocked_on;
    double call_seconds = 0; ///< How long calls take, on average.
  };
  using domain = fair_order<route_state, 1>;
  struct by_name {
    std::size_t operator()(const call_route& route) const;
  };

  lane_state& lane_of(const call_record& call) {
    return routes_[call.route].lanes[static_cast<std::size_t>(call.lane)];
  }
  void cover(route_state& route, call_limit& limit);
  void join_domains();
  /// One of its calls waits no more. @param cost  It gets so much.
  void leave(route_state& route, lane_state& lane, double cost);
  void requeue(route_state& route);
  call_record* next_in(const domain& routes, call_lane lane, timestamp now);
  bool fits(route_state& route, const call_record& call, timestamp now);

  double interactive_share_;
  double interactive_lead_;
  std::uint64_t pass_ = 1;
  std::size_t interactive_waiting_ = 0;
  std::vector<std::unique_ptr<call_limit>> limits_;
  boost::unordered_flat_map<call_route, std::uint32_t, by_name> index_;
  std::uint32_t found_ = 0;        ///< Last.
  std::deque<route_state> routes_; ///< They stay where they are.
  /// Routes that share limits, directly or by others, are in one domain.
  std::vector<domain> domains_;
  std::map<std::pair<std::string, std::string>,
           std::unique_ptr<token_estimator>>
    estimators_; ///< By provider and model.
};

} // namespace kestrion
