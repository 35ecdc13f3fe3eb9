#include <kestrion/scheduler/fair_queue.hpp>

#include <kestrion/scheduler/fetch.hpp>

#include <algorithm>

namespace kestrion {

void fair_queue::tenant_queue::note_leaving(run_queue& run) {
  if (run.wants() || std::exchange(run.is_leaving, true))
    return;
  leaving.emplace_back(run.tag, &run);
}

fair_queue::tenant_queue& fair_queue::at(std::uint32_t tenant) {
  if (queues_.size() <= tenant)
    queues_.resize(tenant + 1);
  auto& queue = queues_[tenant];
  if (!queue)
    queue = std::make_unique<tenant_queue>();
  return *queue;
}

fair_queue::run_queue& fair_queue::run_of(tenant_queue& tenant,
                                          const run_id& run) {
  const auto [at, is_new] = tenant.runs.try_emplace(run, 0);
  if (is_new) {
    run_queue made;
    made.run = run;
    at->second = runs_.add(std::move(made));
  }
  return runs_[at->second];
}

void fair_queue::forget_some(tenant_queue& tenant) {
  auto& leaving = tenant.leaving;
  auto& at = tenant.looked_at;
  // Two for each that leaves, so that what could be forgotten does not grow.
  for (int i = 0; i < 2 && !leaving.empty(); ++i) {
    if (at >= leaving.size())
      at = 0;
    auto& [had, who] = leaving[at];
    if (had > tenant.order.virtual_time()) {
      ++at;
      continue;
    }
    auto& run = *who;
    if (!run.wants() && !tenant.order.has_passed(run)) { // Charged since.
      had = run.tag;
      ++at;
      continue;
    }
    leaving[at] = leaving.back();
    leaving.pop_back();
    run.is_leaving = false;
    if (run.wants())
      continue;
    const auto found = tenant.runs.find(run.run);
    runs_.erase(found->second);
    tenant.runs.erase(found);
  }
  if (at + 2 < leaving.size())
    fetch(leaving[at + 2].second, sizeof(run_queue));
}

const fair_queue::tenant_queue* fair_queue::find(std::uint32_t tenant) const {
  return tenant < queues_.size() ? queues_[tenant].get() : nullptr;
}

void fair_queue::push(item& what) {
  auto& tenant = at(what.tenant);
  auto& run = run_of(tenant, what.run);
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
  forget_some(tenant);
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
    auto& run = run_of(tenant, what.run);
    tenant.order.charge(run, cost);
    tenant.note_leaving(run);
  }
  forget_some(tenant);
}

void fair_queue::fetch_run(const item& what) const {
  const auto& runs = find(what.tenant)->runs;
  if (const auto found = runs.find(what.run); found != runs.end())
    fetch(&runs_[found->second], sizeof(run_queue));
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
