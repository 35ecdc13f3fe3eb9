#pragma once

#include <kestrion/messages/run_id.hpp>

#include <kestrion/scheduler/fair_order.hpp>

#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <unordered_map>

namespace kestrion {

/// Calls that wait for the same thing: fair between tenants by weight, within
/// a tenant between runs, within a run by priority and then by age. Fair in
/// cost: what a call has really cost is told later, with `charge`.
///
/// Each step is O(log n), and linear in the calls of one run.
/// @par Threading Owner only.
class fair_queue {
public:
  struct item {
    std::uint64_t ticket = 0; ///< Grows with time.
    std::uint32_t tenant = 0;
    run_id run;
    double cost = 0;   ///< Estimate, in tokens.
    double weight = 1; ///< The tenant's.
    double boost = 0;  ///< Head start within the tenant, in cost.
  };

  void push(const item& what);
  void erase(const item& what);

  bool empty() const { return tenants_.empty(); }
  std::size_t size() const { return size_; }
  double cost() const { return cost_; } ///< Of all that wait.

  /// The ticket that is next. Not empty.
  std::uint64_t first() const;

  /// So much was given to it (or back by it); it waits no more.
  void charge(std::uint32_t tenant, const run_id& run, double weight,
              double cost);

  /// From now on the tenant has this weight.
  void reweigh(std::uint32_t tenant, double weight);

  /// About how many, and how much, go before a waiting call, or before one
  /// that would be pushed now.
  struct position {
    double calls = 0;
    double cost = 0;
  };
  position before(const item& what) const;

  double weights() const { return tenants_.weights(); }

private:
  struct by_priority {
    double boost = 0;
    std::uint64_t ticket = 0;
    bool operator<(const by_priority& other) const {
      return boost != other.boost ? boost > other.boost : ticket < other.ticket;
    }
    bool operator==(const by_priority&) const = default;
  };
  /// Sorted. A run seldom has more than one call that waits.
  using run_queue = boost::container::small_vector<by_priority, 1>;
  struct tenant_queue {
    fair_order<run_id> order;
    /// Of those that wait.
    boost::unordered_flat_map<run_id, run_queue, std::hash<run_id>> runs;
    std::size_t size = 0;
    double cost = 0;
  };

  fair_order<std::uint32_t> tenants_;
  std::unordered_map<std::uint32_t, tenant_queue> queues_;
  std::size_t size_ = 0;
  double cost_ = 0;
};

} // namespace kestrion
