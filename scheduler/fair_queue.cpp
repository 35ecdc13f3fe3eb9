#include <kestrion/scheduler/fair_queue.hpp>

#include <kestrion/scheduler/fetch.hpp>

#include <algorithm>

namespace kestrion {

fair_queue::run_queue& fair_queue::tenant_queue::at(const run_id& run) {
  auto& out = runs[run];
  if (!out)
    out = std::make_unique<run_queue>(run);
  return *out;
}

void fair_queue::tenant_queue::note_leaving(run_queue& run) {
  if (run.wants() || std::exchange(run.is_leaving, true))
    return;
  leaving.emplace_back(run.tag, &run);
}

void fair_queue::tenant_queue::forget_some() {
  // Two for each that leaves, so that what could be forgotten does not grow.
  for (int i = 0; i < 2 && !leaving.empty(); ++i) {
    if (looked_at >= leaving.size())
      looked_at = 0;
    auto& [had, who] = leaving[looked_at];
    if (had > order.virtual_time()) {
      ++looked_at;
      continue;
    }
    auto& run = *who;
    if (!run.wants() && !order.has_passed(run)) { // It was charged since.
      had = run.tag;
      ++looked_at;
      continue;
    }
    leaving[looked_at] = leaving.back();
    leaving.pop_back();
    run.is_leaving = false;
    if (!run.wants())
      runs.erase(run.run);
  }
  if (looked_at + 2 < leaving.size())
    fetch(leaving[looked_at + 2].second, sizeof(run_queue));
}

fair_queue::tenant_queue& fair_queue::at(std::uint32_t tenant) {
  if (queues_.size() <= tenant)
    queues_.resize(tenant + 1);
  auto& queue = queues_[tenant];
  if (!queue)
    queue = std::make_unique<tenant_queue>();
  return *queue;
}

const fair_queue::tenant_queue* fair_queue::find(std::uint32_t tenant) const {
  return tenant < queues_.size() ? queues_[tenant].get() : nullptr;
}

void fair_queue::push(item& what) {
  auto& tenant = at(what.tenant);
  auto& run = tenant.at(what.run);
  const auto goes_before = [](const item* a, const item* b) {
    return a->boost != b->boost ? a->boost > b->boost : a->ticket < b->ticket;
  };
  run.calls.insert(
    std::upper_bound(run.calls.begin(), run.calls.end(), &what, goes_before),
    &what);
  what.in = &run;
  if (run.wants())
    tenant.order.boost(run, run.calls.front()->boost);
  else
    tenant.order.add(run, 1, what.boost);
  if (tenant.size++ == 0)
    tenants_.add(tenant, what.weight);
  tenant.cost += what.cost;
  cost_ += what.cost;
  ++size_;
}

void fair_queue::erase(item& what, double charged) {
  if (!what.in)
    return;
  auto& tenant = at(what.tenant);
  auto& run = *std::exchange(what.in, nullptr);
  run.calls.erase(std::find(run.calls.begin(), run.calls.end(), &what));
  // Sums start anew with each empty queue: no rounding error outlives it.
  tenant.cost = --tenant.size == 0 ? 0 : tenant.cost - what.cost;
  cost_ = --size_ == 0 ? 0 : cost_ - what.cost;
  if (tenant.size == 0)
    tenants_.remove(tenant, charged);
  else
    tenants_.charge(tenant, charged);
  if (run.calls.empty()) {
    tenant.order.remove(run, charged);
    tenant.note_leaving(run);
  } else {
    tenant.order.boost(run, run.calls.front()->boost);
    tenant.order.charge(run, charged);
  }
  tenant.forget_some();
  fetch_next(tenant);
}

void fair_queue::fetch_next(tenant_queue& tenant) {
  if (fetched_ && !fetched_->order.empty())
    fetch(fetched_->order.first().calls.front(), item_size_);
  fetched_ = &tenant;
  if (!tenant.order.empty())
    fetch(&tenant.order.first(), sizeof(run_queue));
}

fair_queue::item& fair_queue::first() const {
  return *tenants_.first().order.first().calls.front();
}

void fair_queue::charge(const item& what, double cost) {
  auto& tenant = at(what.tenant);
  tenants_.charge(tenant, cost);
  if (what.in) {
    tenant.order.charge(*what.in, cost);
  } else if (cost > 0 || tenant.runs.contains(what.run)) {
    auto& run = tenant.at(what.run);
    tenant.order.charge(run, cost);
    tenant.note_leaving(run);
  }
  tenant.forget_some();
}

void fair_queue::fetch_run(const item& what) const {
  const auto& runs = find(what.tenant)->runs;
  if (const auto found = runs.find(what.run); found != runs.end())
    fetch(found->second.get(), sizeof(run_queue));
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

std::size_t fair_queue::remembered() const {
  std::size_t out = 0;
  for (const auto& tenant : queues_)
    out += tenant ? tenant->runs.size() : 0;
  return out;
}

} // namespace kestrion
