#pragma once

#include <kestrion/messages/run_id.hpp>

#include <kestrion/scheduler/fair_order.hpp>
#include <kestrion/scheduler/slab.hpp>

#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace kestrion {

/// Calls that wait for the same thing: fair between tenants by weight, within
/// a tenant between runs, within a run by priority and then by age. Fair in
/// cost: what a call has really cost is told later, with `charge`.
///
/// Each step is O(log n), and linear in the calls of one run.
/// @par Threading Owner only.
class fair_queue {
  struct run_queue;

public:
  /// Stays where it is while it waits.
  struct item {
    std::uint64_t ticket = 0; ///< Grows with time.
    run_id run;
    double cost = 0;         ///< Estimate, in tokens.
    double weight = 1;       ///< The tenant's.
    double boost = 0;        ///< Head start within the tenant, in cost.
    run_queue* in = nullptr; ///< Kept by the queue: where it waits.
    std::uint32_t tenant = 0;
  };

  /// @param item_size  In bytes, of what items are the beginning of.
  explicit fair_queue(std::size_t item_size = sizeof(item))
    : item_size_(item_size) {}

  void push(item& what);
  /// Takes it out if it waits. @param charged  It gets so much; see `charge`.
  void erase(item& what, double charged = 0);

  bool empty() const { return tenants_.empty(); }
  std::size_t size() const { return size_; }
  double cost() const { return cost_; } ///< Of all that wait.

  /// The one that is next. Not empty.
  item& first() const;

  /// So much was given to it (or back by it), whether it waits or not.
  void charge(const item& what, double cost);

  /// Asks for the memory that `charge` needs.
  void fetch_run(const item& what) const;

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
  /// Runs that wait, or have had more than their share.
  std::size_t remembered() const;

private:
  /// Sorted. A run seldom has more than one call that waits.
  struct run_queue : fair_member {
    run_id run;
    boost::container::small_vector<item*, 1> calls;
    bool is_leaving = false; ///< It is among those that may be forgotten.
  };
  struct tenant_queue : fair_member {
    /// It wants nothing now; it may be forgotten later.
    void note_leaving(run_queue& run);

    fair_order<run_queue, 8> order;
    boost::unordered_flat_map<run_id, slab<run_queue>::slot, std::hash<run_id>>
      runs;
    /// Runs that wanted nothing more, with what they had had then.
    std::vector<std::pair<double, run_queue*>> leaving;
    std::size_t looked_at = 0; ///< Of them, going round.
    std::size_t size = 0;
    double cost = 0;
  };

  tenant_queue& at(std::uint32_t tenant);
  run_queue& run_of(tenant_queue& tenant, const run_id& run);
  /// Runs that want nothing, and that the time has passed, save nothing.
  void forget_some(tenant_queue& tenant);
  /// While others get theirs, memory comes of who is next in this one.
  void fetch_next(tenant_queue& tenant);
  const tenant_queue* find(std::uint32_t tenant) const;

  fair_order<tenant_queue, 4> tenants_;
  std::vector<std::unique_ptr<tenant_queue>> queues_; ///< By tenant.
  slab<run_queue> runs_;
  std::size_t size_ = 0;
  double cost_ = 0;
  std::size_t item_size_;
  tenant_queue* fetched_ = nullptr; ///< Its next run; not the item yet.
};

} // namespace kestrion
