#include <kestrion/scheduler/fair_queue.hpp>

#include <algorithm>

namespace kestrion {

fair_queue::tenant_queue& fair_queue::at(std::uint32_t tenant) {
  if (queues_.size() <= tenant)
    queues_.resize(tenant + 1);
  auto& queue = queues_[tenant];
  if (!queue)
    queue = std::make_unique<tenant_queue>();
  return *queue;
}

void fair_queue::tenant_queue::leave(run_queue& run) {
  run.left = static_cast<std::uint32_t>(left.size());
  left.emplace_back(run.tag, &run);
}

void fair_queue::tenant_queue::come_back(run_queue& run) {
  if (run.left == fair_member::none)
    return;
  left.back().second->left = run.left;
  left[run.left] = left.back();
  left.pop_back();
  run.left = fair_member::none;
}

void fair_queue::forget_some(tenant_queue& tenant) {
  // Two for each that leaves, so that what could be forgotten does not grow.
  for (int i = 0; i < 2 && !tenant.left.empty(); ++i) {
    auto& at = tenant.looked_at;
    if (at >= tenant.left.size())
      at = 0;
    auto& run = *tenant.left[at].second;
    if (tenant.left[at].first > tenant.order.virtual_time()) {
      ++at;
      continue;
    }
    tenant.come_back(run);
    runs_.erase(run.key);
  }
}

const fair_queue::tenant_queue* fair_queue::find(std::uint32_t tenant) const {
  return tenant < queues_.size() ? queues_[tenant].get() : nullptr;
}

void fair_queue::push(item& what) {
  auto& tenant = at(what.tenant);
  const run_key key{what.run, what.tenant};
  auto& run = runs_[key];
  run.key = key;
  tenant.come_back(run);
  const auto goes_before = [](const item& a, const item& b) {
    return a.boost != b.boost ? a.boost > b.boost : a.ticket < b.ticket;
  };
  auto* place = &run.first;
  while (*place && !goes_before(what, **place))
    place = &(*place)->next;
  what.next = std::exchange(*place, &what);
  what.of = &run;
  ++run.items;
  if (run.wants())
    tenant.order.boost(run, run.first->boost);
  else
    tenant.order.add(run, 1, what.boost);
  if (tenant.size++ == 0)
    tenants_.add(tenant, what.weight);
  tenant.cost += what.cost;
  cost_ += what.cost;
  ++size_;
}

void fair_queue::stop_waiting(item& what, double cost) {
  auto& tenant = at(what.tenant);
  auto& run = *what.of;
  auto* place = &run.first;
  while (*place != &what)
    place = &(*place)->next;
  *place = std::exchange(what.next, nullptr);
  // Sums start anew with each empty queue: no rounding error outlives it.
  tenant.cost = --tenant.size == 0 ? 0 : tenant.cost - what.cost;
  cost_ = --size_ == 0 ? 0 : cost_ - what.cost;
  if (tenant.size == 0)
    tenants_.remove(tenant, cost);
  else
    tenants_.charge(tenant, cost);
  if (run.first) {
    tenant.order.boost(run, run.first->boost);
    tenant.order.charge(run, cost);
  } else {
    tenant.order.remove(run, cost);
  }
  fetch_next(tenant);
}

void fair_queue::take(item& what) {
  stop_waiting(what, what.cost);
  runs_.expect(what.of->key, *what.of); // It mostly wants the next one soon.
}

void fair_queue::erase(item& what) {
  if (!what.of)
    return;
  stop_waiting(what, 0);
  forget(what);
}

void fair_queue::end(item& what, double more) {
  auto& tenant = at(what.tenant);
  tenants_.charge(tenant, more);
  tenant.order.charge(*what.of, more);
  forget(what);
}

void fair_queue::forget(item& what) {
  auto& tenant = at(what.tenant);
  auto& run = *std::exchange(what.of, nullptr);
  if (--run.items != 0)
    return;
  tenant.leave(run);
  forget_some(tenant);
}

void fair_queue::fetch_next(tenant_queue& tenant) {
  if (fetched_ && !fetched_->order.empty())
    fetch(fetched_->order.first().first, item_size_);
  fetched_ = &tenant;
  if (!tenant.order.empty())
    fetch(&tenant.order.first(), sizeof(run_queue));
}

fair_queue::item& fair_queue::first() const {
  return *tenants_.first().order.first().first;
}

void fair_queue::reweigh(std::uint32_t tenant, double weight) {
  tenants_.reweigh(at(tenant), weight);
}

fair_queue::position fair_queue::before(const item& what) const {
  const auto* tenant = find(what.tenant);
  const auto alone = !tenant || tenant->size == 0;
  const auto all = weights() + (alone ? what.weight : 0);
  // While its tenant gets through its own queue, others get theirs; but no
  // more than they wait for.
  const auto others = all / what.weight;
  const auto own_calls = alone ? 0 : static_cast<double>(tenant->size);
  const auto own_cost = alone ? 0 : tenant->cost;
  return {std::min(own_calls * others, static_cast<double>(size_)),
          std::min(own_cost * others, cost_)};
}

} // namespace kestrion
