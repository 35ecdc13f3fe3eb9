#include <kestrion/scheduler/route_table.hpp>

#include <algorithm>
#include <cmath>
#include <tuple>

namespace kestrion {

route_table::route_table(double interactive_share, double interactive_lead)
  : interactive_share_(std::clamp(interactive_share, 0.01, 0.99)),
    interactive_lead_(interactive_lead) {}

bool route_table::by_name::operator()(const call_route& a,
                                      const call_route& b) const {
  return std::tie(a.provider, a.model, a.key)
         < std::tie(b.provider, b.model, b.key);
}

call_limit* route_table::find_limit(std::string_view name) {
  for (const auto& limit : limits_)
    if (limit->spec().name == name)
      return limit.get();
  return nullptr;
}

call_limit& route_table::declare(const limit_spec& spec, timestamp now) {
  auto& limit = *limits_.emplace_back(std::make_unique<call_limit>(spec, now));
  for (auto& route : routes_)
    cover(route, limit);
  join_domains();
  return limit;
}

void route_table::cover(route_state& route, call_limit& limit) {
  if (limit.spec().covers.covers(*route.name))
    route.limits.push_back(&limit);
}

std::size_t route_table::find(const call_route& route) {
  const auto [at, made] = index_.try_emplace(route, routes_.size());
  if (!made)
    return at->second;
  auto& r = routes_.emplace_back();
  r.name = &at->first;
  for (const auto& limit : limits_)
    cover(r, *limit);
  auto& estimator = estimators_[{route.provider, route.model}];
  if (!estimator)
    estimator = std::make_unique<token_estimator>();
  r.estimator = estimator.get();
  join_domains();
  return at->second;
}

/// Rare: a route or a limit is new. Routes start even in their domains.
void route_table::join_domains() {
  std::vector<std::size_t> root(routes_.size());
  for (std::size_t i = 0; i < root.size(); ++i)
    root[i] = i;
  const auto top = [&](std::size_t i) {
    while (root[i] != i)
      i = root[i] = root[root[i]];
    return i;
  };
  std::map<const call_limit*, std::size_t> seen;
  for (std::size_t i = 0; i < routes_.size(); ++i)
    for (const auto* limit : routes_[i].limits)
      root[top(i)] = top(seen.try_emplace(limit, i).first->second);
  domains_.clear();
  std::map<std::size_t, std::size_t> domain_of;
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    const auto [at, made] = domain_of.try_emplace(top(i), domains_.size());
    if (made)
      domains_.push_back(std::make_unique<fair_order<std::size_t>>());
    routes_[i].domain = at->second;
    requeue(i);
  }
}

/// A route's share of its domain is that of the tenants that wait for it.
void route_table::requeue(std::size_t route) {
  auto& r = routes_[route];
  auto& domain = *domains_[r.domain];
  const auto weights = r.queues[0].weights() + r.queues[1].weights();
  if (r.lanes.empty()) {
    domain.remove(route);
    return;
  }
  domain.add(route, weights);
  domain.reweigh(route, weights);
}

void route_table::push(const call_record& call) {
  auto& r = routes_[call.route];
  const auto lane = lane_of(call);
  auto& queue = r.queues[static_cast<std::size_t>(lane)];
  queue.push(call.item);
  interactive_waiting_ += lane == 0 ? 1 : 0;
  if (queue.size() == 1)
    r.lanes.add(lane, lane == 0 ? interactive_share_ : 1 - interactive_share_,
                lane == 0 ? interactive_lead_ : 0);
  requeue(call.route);
}

void route_table::erase(const call_record& call) {
  auto& r = routes_[call.route];
  const auto lane = lane_of(call);
  auto& queue = r.queues[static_cast<std::size_t>(lane)];
  queue.erase(call.item);
  interactive_waiting_ -= lane == 0 ? 1 : 0;
  if (queue.empty())
    r.lanes.remove(lane);
  requeue(call.route);
}

void route_table::charge(const call_record& call, double cost) {
  auto& r = routes_[call.route];
  const auto lane = lane_of(call);
  r.queues[static_cast<std::size_t>(lane)].charge(
    call.item.tenant, call.item.run, call.item.weight, cost);
  r.lanes.charge(lane, lane == 0 ? interactive_share_ : 1 - interactive_share_,
                 cost);
  const auto weights = r.queues[0].weights() + r.queues[1].weights();
  domains_[r.domain]->charge(call.route, std::max(weights, call.item.weight),
                             cost);
}

void route_table::reweigh(std::uint32_t tenant, double weight) {
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    for (auto& queue : routes_[i].queues)
      queue.reweigh(tenant, weight);
    requeue(i);
  }
}

bool route_table::fits(route_state& r, const call_record& call, timestamp now) {
  const auto urgent = call.lane == call_lane::interactive;
  auto last = now;
  call_limit* which = nullptr;
  r.blocked_on = {};
  if (const auto closed = r.gate.closed_until(now)) {
    last = *closed;
    r.blocked_on = "pause";
  }
  for (auto* limit : r.limits) {
    if (limit->claimed == pass_ && last < timestamp::max()) {
      // Somebody waits for it who comes before; who that is will wake us.
      last = timestamp::max();
      r.blocked_on = limit->spec().name;
      which = nullptr;
      continue;
    }
    const auto at = limit->ready_at(limit->need(call.cost), urgent, now);
    if (at > last) {
      last = at;
      which = limit;
      r.blocked_on = limit->spec().name;
    }
  }
  if (last <= now)
    return true;
  if (which)
    which->claimed = pass_;
  r.blocked_in = pass_;
  r.wakes_at = last;
  return false;
}

std::optional<call_ticket> route_table::next_in(fair_order<std::size_t>& domain,
                                                int lane, const call_map& calls,
                                                timestamp now) {
  for (const auto& [tag, index] : domain.order()) {
    auto& r = routes_[index];
    if (r.blocked_in == pass_ || r.lanes.first() != lane)
      continue;
    const auto ticket = r.queues[static_cast<std::size_t>(lane)].first();
    if (fits(r, calls.at(ticket), now))
      return ticket;
  }
  return std::nullopt;
}

std::optional<call_ticket> route_table::next(const call_map& calls,
                                             timestamp now) {
  for (const auto& domain : domains_) {
    if (domain->empty())
      continue;
    if (interactive_waiting_ != 0)
      if (const auto ticket = next_in(*domain, 0, calls, now))
        return ticket;
    if (const auto ticket = next_in(*domain, 1, calls, now))
      return ticket;
  }
  return std::nullopt;
}

void route_table::grant(call_record& call, timestamp now) {
  auto& r = routes_[call.route];
  const auto urgent = call.lane == call_lane::interactive;
  call.holds.reserve(r.limits.size());
  for (auto* limit : r.limits) {
    call.holds.push_back(limit->take(limit->need(call.cost), urgent, now));
    limit->gate.granted(call.item.ticket);
  }
  r.gate.granted(call.item.ticket);
  charge(call, call.item.cost);
  erase(call);
}

std::optional<timestamp> route_table::wakes_at() const {
  std::optional<timestamp> out;
  for (const auto& r : routes_)
    if (!r.lanes.empty() && r.blocked_in == pass_
        && r.wakes_at != timestamp::max() && (!out || r.wakes_at < *out))
      out = r.wakes_at;
  return out;
}

std::string_view route_table::blocked_on(std::size_t route) const {
  const auto& r = routes_[route];
  return r.blocked_in == pass_ ? r.blocked_on : std::string_view{};
}

fair_queue::position route_table::before(const call_record& call) const {
  const auto& r = routes_[call.route];
  const auto lane = static_cast<std::size_t>(lane_of(call));
  auto out = r.queues[lane].before(call.item);
  if (lane == 1) { // Urgent calls go first.
    out.calls += static_cast<double>(r.queues[0].size());
    out.cost += r.queues[0].cost();
  }
  return out;
}

std::optional<duration> route_table::wait(const call_record& call,
                                          const fair_queue::position& before,
                                          timestamp now) {
  auto& r = routes_[call.route];
  auto seconds = 0.0;
  for (auto* limit : r.limits) {
    const auto& spec = limit->spec();
    const auto need = static_cast<double>(limit->need(call.cost));
    const auto amount = static_cast<double>(spec.amount);
    const auto there = static_cast<double>(limit->available(now));
    if (spec.kind == limit_kind::concurrency) {
      if (there < 1 + before.calls)
        seconds = std::max(seconds, (before.calls + 1 - std::max(there, 0.0))
                                      * r.call_seconds / amount);
      continue;
    }
    const auto ahead = spec.kind == limit_kind::requests
                         ? before.calls
                         : before.cost * need / call.item.cost;
    const auto period = std::chrono::duration<double>(spec.period).count();
    seconds = std::max(seconds, (ahead + need - there) * period / amount);
  }
  auto out = std::chrono::duration_cast<duration>(
    std::chrono::duration<double>{seconds});
  const auto add = [&](const pause_gate& gate) {
    const auto closed = gate.closed_until(now);
    if (closed && *closed != timestamp::max())
      out = std::max(out, *closed - now);
    return !closed || *closed != timestamp::max();
  };
  auto known = add(r.gate);
  for (const auto* limit : r.limits)
    known = add(limit->gate) && known;
  return known ? std::optional{out} : std::nullopt;
}

bool route_table::exhausted(std::size_t route, timestamp now) const {
  const auto& r = routes_[route];
  return r.gate.exhausted(now)
         || std::any_of(r.limits.begin(), r.limits.end(), [&](auto* limit) {
              return limit->gate.exhausted(now);
            });
}

void route_table::call_took(std::size_t route, duration time) {
  const auto seconds = std::chrono::duration<double>(time).count();
  auto& mean = routes_[route].call_seconds;
  mean = mean == 0 ? seconds : mean + (seconds - mean) / 16;
}

std::vector<call_limit*> route_table::limits(std::size_t route,
                                             limit_kind kind) {
  std::vector<call_limit*> out;
  for (auto* limit : routes_[route].limits)
    if (limit->spec().kind == kind)
      out.push_back(limit);
  return out;
}

std::vector<pause_gate*> route_table::gates(std::size_t route,
                                            std::optional<limit_kind> kind) {
  std::vector<pause_gate*> out;
  if (kind)
    for (auto* limit : limits(route, *kind))
      out.push_back(&limit->gate);
  if (out.empty())
    out.push_back(&routes_[route].gate);
  return out;
}

} // namespace kestrion
