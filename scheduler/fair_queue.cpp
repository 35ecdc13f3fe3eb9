#include <kestrion/scheduler/fair_queue.hpp>

#include <algorithm>

namespace kestrion {

void fair_queue::push(const item& what) {
  auto& tenant = queues_[what.tenant];
  auto& run = tenant.runs[what.run];
  const by_priority call{what.boost, what.ticket};
  run.insert(std::upper_bound(run.begin(), run.end(), call), call);
  if (run.size() == 1)
    tenant.order.add(what.run, 1, what.boost);
  else
    tenant.order.boost(what.run, run.front().boost);
  if (tenant.size++ == 0)
    tenants_.add(what.tenant, what.weight);
  tenant.cost += what.cost;
  cost_ += what.cost;
  ++size_;
}

void fair_queue::erase(const item& what) {
  const auto tenant = queues_.find(what.tenant);
  if (tenant == queues_.end())
    return;
  auto& q = tenant->second;
  const auto run = q.runs.find(what.run);
  if (run == q.runs.end())
    return;
  auto& calls = run->second;
  const auto call =
    std::find(calls.begin(), calls.end(), by_priority{what.boost, what.ticket});
  if (call == calls.end())
    return;
  calls.erase(call);
  if (calls.empty()) {
    q.runs.erase(run);
    q.order.remove(what.run);
  } else {
    q.order.boost(what.run, calls.front().boost);
  }
  // Sums start anew with each empty queue: no rounding error outlives it.
  q.cost = --q.size == 0 ? 0 : q.cost - what.cost;
  cost_ = --size_ == 0 ? 0 : cost_ - what.cost;
  if (q.size == 0)
    tenants_.remove(what.tenant);
}

std::uint64_t fair_queue::first() const {
  const auto& q = queues_.at(tenants_.first());
  return q.runs.at(q.order.first()).front().ticket;
}

void fair_queue::charge(std::uint32_t tenant, const run_id& run, double weight,
                        double cost) {
  tenants_.charge(tenant, weight, cost);
  queues_[tenant].order.charge(run, 1, cost);
}

void fair_queue::reweigh(std::uint32_t tenant, double weight) {
  tenants_.reweigh(tenant, weight);
}

fair_queue::position fair_queue::before(const item& what) const {
  const auto found = queues_.find(what.tenant);
  const auto alone = found == queues_.end() || found->second.size == 0;
  const auto all = weights() + (alone ? what.weight : 0);
  // While its tenant gets through its own queue, others get theirs; but no
  // more than they wait for.
  const auto others = all / what.weight;
  const auto own_calls = alone ? 0 : static_cast<double>(found->second.size);
  const auto own_cost = alone ? 0 : found->second.cost;
  return {std::min(own_calls * others, static_cast<double>(size_)),
          std::min(own_cost * others, cost_)};
}

} // namespace kestrion
