#pragma once

#include <kestrion/scheduler/call_table.hpp>
#include <kestrion/scheduler/prefix_gate.hpp>
#include <kestrion/scheduler/route_table.hpp>
#include <kestrion/scheduler/text_hash.hpp>
#include <kestrion/scheduler/token_scheduler.hpp>

#include <boost/unordered/unordered_flat_map.hpp>

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace kestrion {

/// The life of calls: budget, prefix, queue, permit, end. Which one of a queue
/// is next is for `route_table`. Functions are those of `token_scheduler`.
class scheduler_core {
public:
  explicit scheduler_core(scheduler_options options);

  result<void> declare(const limit_spec& limit, timestamp now);
  void set_weight(std::string_view tenant, double weight);
  result<void> set_budget(std::string_view name, std::string_view parent,
                          const budget_limits& limits, timestamp now,
                          const budget_amount& used);
  result<call_ticket> reserve(const call_request& request, timestamp now);
  bool cancel(call_ticket ticket, timestamp now);
  void commit(call_ticket ticket, const call_usage& actual, timestamp now);
  void release(call_ticket ticket, bool sent, timestamp now,
               bool may_cost = true);
  void throttled(call_ticket ticket, const throttle& how, timestamp now);
  void report(call_ticket ticket, const limit_report& what, timestamp now);
  const std::vector<call_outcome>& poll(timestamp now);
  std::optional<timestamp> next_event(timestamp now) const;
  std::optional<call_waiting> waiting(call_ticket ticket, timestamp now) const;
  std::size_t calls_waiting() const { return waiting_; }
  scheduler_figures figures(timestamp now) const;
  std::vector<limit_need> limit_needs(timestamp now) const;
  void set_slice(const limit_slice& slice, timestamp now);

  budget_tree budgets;

private:
  using stage = call_record::stage;
  struct tenant_state {
    std::uint32_t index = 0;
    double weight = 1;
    std::size_t waiting = 0;
  };

  tenant_state& tenant(std::string_view name);
  result<void> admissible(const call_request& request,
                          const tenant_state& tenant);
  void describe(call_record& call, const call_request& request,
                const tenant_state& tenant, timestamp now);
  result<void> may_wait(const call_record& call, timestamp now);
  error used_up(const call_record& call) const;
  result<void> in_time(const call_record& call, timestamp now);

  // From stage to stage.
  void ask_budget(call_record& call, timestamp now);
  void ask_prefix(call_record& call, timestamp now);
  void enqueue(call_record& call);
  void grant(call_record& call, timestamp now);
  void refuse(call_record& call, error why,
              std::optional<budget_refusal> budget, timestamp now);

  call_record* permit(call_ticket ticket);
  /// A waiting call is gone: out of where it waits.
  void leave(call_record& call, timestamp now);
  /// A permit ends: its limits and its share are charged what it used.
  void settle(call_record& call, const call_cost& used, timestamp now);
  void settle_budget(call_record& call, const budget_amount& actual,
                     timestamp now);
  /// A permit has ended, and all that it held is settled.
  void forget(call_record& call);
  void leave_budget(call_record& call);
  void warm_next(const call_record& call);
  void retry_budgets(budget_tree::node from, timestamp now);
  void refuse_exhausted(timestamp now);

  scheduler_options options_;
  mutable route_table routes_;
  prefix_gate prefixes_;
  call_table calls_;
  boost::unordered_flat_map<std::string, std::uint32_t, text_hash,
                            std::equal_to<>>
    tenant_index_;
  std::deque<tenant_state> tenants_;
  std::set<std::pair<timestamp, call_ticket>> deadlines_; ///< Of who waits.
  /// By the node that has too little left for now.
  std::map<budget_tree::node, std::set<call_ticket>> budget_waiters_;
  std::vector<call_outcome> outcomes_; ///< Since the last poll.
  std::vector<call_outcome> polled_;
  /// Of calls that ended: their memory goes round.
  std::vector<std::vector<call_limit::hold>> spare_holds_;
  bool changed_ = false; ///< Since the last poll.
  bool exhausted_ = false;
  std::size_t waiting_ = 0;
  mutable scheduler_figures figures_;
};

} // namespace kestrion
