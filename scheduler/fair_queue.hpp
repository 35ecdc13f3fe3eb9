#pragma once

#include <kestrion/messages/run_id.hpp>

#include <kestrion/scheduler/fair_order.hpp>
#include <kestrion/scheduler/fetch.hpp>
#include <kestrion/scheduler/slab_table.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace kestrion {

/// Calls that wait for the same thing: fair between tenants by weight, within
/// a tenant between runs, within a run by priority and then by age. Fair in
/// cost: what a call has really cost is told when it ends.
///
///     push -> waiting -> take -> taken -> end
///                |-> erase
///
/// Each step is O(log n), and linear in the calls of one run.
/// @par Threading Owner only.
class fair_queue {
  struct run_queue;

public:
  /// Stays where it is until it is erased, or has ended.
  struct item {
    std::uint64_t ticket = 0; ///< Grows with time.
    run_id run;
    double cost = 0;         ///< Estimate, in tokens.
    double weight = 1;       ///< The tenant's.
    double boost = 0;        ///< Head start within the tenant, in cost.
    run_queue* of = nullptr; ///< Kept by the queue, and so is the next one.
    item* next = nullptr;    ///< Of its run.
    std::uint32_t tenant = 0;
  };

  /// @param item_size  In bytes, of what items are the beginning of.
  explicit fair_queue(std::size_t item_size = sizeof(item))
    : item_size_(item_size) {}

  void push(item& what);
  /// Of one that waits: it is gone. Another time is ignored.
  void erase(item& what);
  /// Of one that waits, mostly the first: its tenant and its run get its cost.
  void take(item& what);
  /// Of one that was taken. @param more  Than its cost, or less, it has used.
  void end(item& what, double more);

  bool empty() const { return tenants_.empty(); }
  std::size_t size() const { return size_; }
  double cost() const { return cost_; } ///< Of all that wait.

  /// The one that is next. Not empty.
  item& first() const;

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
  /// Runs that wait, have calls that were taken, or have had more than their
  /// share.
  std::size_t remembered() const { return runs_.size(); }

private:
  struct run_key {
    bool operator==(const run_key&) const = default;

    run_id run;
    std::uint32_t tenant = 0;
  };
  struct by_run {
    std::size_t operator()(const run_key& key) const {
      return std::hash<run_id>{}(key.run) ^ key.tenant;
    }
  };
  /// As small as a line of a cache, for there may be very many.
  struct alignas(cache_line) run_queue : fair_member {
    run_key key;
    std::uint32_t items = 0;   ///< That wait or were taken.
    std::uint32_t left = none; ///< Its place among those that have none.
    item* first = nullptr;     ///< Of those that wait; sorted. Seldom many.
  };
  struct tenant_queue : fair_member {
    fair_order<run_queue, 8> order;
    void leave(run_queue& run);
    void come_back(run_queue& run);

    /// Runs without items, with what they have had.
    std::vector<std::pair<double, run_queue*>> left;
    std::size_t looked_at = 0; ///< Of them, going round.
    std::size_t size = 0;
    double cost = 0;
  };

  static_assert(sizeof(run_queue) == cache_line);

  tenant_queue& at(std::uint32_t tenant);
  /// It waits no more. @param cost  It gets so much.
  void stop_waiting(item& what, double cost);
  void forget(item& what);
  /// Runs without items, and that the time has passed, save nothing.
  void forget_some(tenant_queue& tenant);
  /// While others get theirs, memory comes of who is next in this one.
  void fetch_next(tenant_queue& tenant);
  const tenant_queue* find(std::uint32_t tenant) const;

  fair_order<tenant_queue, 4> tenants_;
  std::vector<std::unique_ptr<tenant_queue>> queues_; ///< By tenant.
  slab_table<run_key, run_queue, by_run> runs_;
  std::size_t size_ = 0;
  double cost_ = 0;
  std::size_t item_size_;
  tenant_queue* fetched_ = nullptr; ///< Its next run; not the item yet.
};

} // namespace kestrion
