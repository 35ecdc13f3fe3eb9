#include <kestrion/scheduler/route_table.hpp>

#include <boost/container_hash/hash.hpp>

#include <algorithm>
#include <cmath>

namespace kestrion {

route_table::route_table(double interactive_share, double interactive_lead)
  : interactive_share_(std::clamp(interactive_share, 0.01, 0.99)),
    interactive_lead_(interactive_lead) {}

std::size_t route_table::by_name::operator()(const call_route& route) const {
  std::size_t out = 0;
  boost::hash_combine(out, route.provider);
  boost::hash_combine(out, route.model);
  boost::hash_combine(out, route.key);
  return out;
}

double route_table::route_state::weights() const {
  return lanes[0].queue.weights() + lanes[1].queue.weights();
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
  if (limit.spec().covers.covers(route.name))
    route.limits.push_back(&limit);
}

std::uint32_t route_table::find(const call_route& route) {
  if (found_ < routes_.size() && routes_[found_].name == route)
    return found_; // As most of the time.
  const auto [at, made] =
    index_.try_emplace(route, static_cast<std::uint32_t>(routes_.size()));
  const auto index = found_ = at->second;
  if (!made)
    return index;
  auto& r = routes_.emplace_back();
  r.name = route;
  auto& [batch, interactive] = r.lanes;
  interactive.share = interactive_share_;
  interactive.lead = interactive_lead_;
  batch.share = 1 - interactive_share_;
  for (const auto& limit : limits_)
    cover(r, *limit);
  auto& estimator = estimators_[{route.provider, route.model}];
  if (!estimator)
    estimator = std::make_unique<token_estimator>();
  r.estimator = estimator.get();
  join_domains();
  return index;
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
  std::map<std::size_t, std::size_t> domain_of;
  for (std::size_t i = 0; i < routes_.size(); ++i)
    routes_[i].domain =
      domain_of.try_emplace(top(i), domain_of.size()).first->second;
  domains_.assign(domain_of.size(), {});
  for (auto& route : routes_) {
    static_cast<fair_member&>(route) = {};
    requeue(route);
  }
}

/// A route's share of its domain is that of the tenants that wait for it.
void route_table::requeue(route_state& route) {
  auto& routes = domains_[route.domain];
  if (route.turns.empty()) {
    routes.remove(route);
    return;
  }
  routes.add(route, route.weights());
  routes.reweigh(route, route.weights());
}

void route_table::push(call_record& call) {
  auto& route = routes_[call.route];
  auto& lane = lane_of(call);
  lane.queue.push(call);
  interactive_waiting_ += call.lane == call_lane::interactive ? 1 : 0;
  route.turns.add(lane, lane.share, lane.lead);
  requeue(route);
}

void route_table::erase(call_record& call) {
  auto& lane = lane_of(call);
  lane.queue.erase(call);
  leave(routes_[call.route], lane, 0);
}

void route_table::leave(route_state& route, lane_state& lane, double cost) {
  auto& routes = domains_[route.domain];
  interactive_waiting_ -= &lane == &route.lanes.back() ? 1 : 0;
  if (lane.queue.empty())
    route.turns.remove(lane, cost);
  else
    route.turns.charge(lane, cost);
  if (route.turns.empty()) {
    routes.remove(route, cost);
  } else {
    routes.charge(route, cost);
    routes.reweigh(route, route.weights());
  }
}

void route_table::end(call_record& call, double more) {
  auto& route = routes_[call.route];
  auto& lane = lane_of(call);
  lane.queue.end(call, more);
  route.turns.charge(lane, more);
  auto& routes = domains_[route.domain];
  if (!route.wants())
    routes.reweigh(route, std::max(route.weights(), call.weight));
  routes.charge(route, more);
}

void route_table::reweigh(std::uint32_t tenant, double weight) {
  for (auto& route : routes_) {
    for (auto& lane : route.lanes)
      lane.queue.reweigh(tenant, weight);
    requeue(route);
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
    const auto at = limit->ready_at(limit->need(call.needs), urgent, now);
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

call_record* route_table::next_in(const domain& routes, call_lane lane,
                                  timestamp now) {
  for (const auto& each : routes.order()) {
    auto& route = routes.who(each);
    auto& first = route.turns.first();
    if (route.blocked_in == pass_
        || &first != &route.lanes[static_cast<std::size_t>(lane)])
      continue;
    auto& call = static_cast<call_record&>(first.queue.first());
    if (fits(route, call, now))
      return &call;
  }
  return nullptr;
}

call_record* route_table::next(timestamp now) {
  for (const auto& routes : domains_) {
    if (interactive_waiting_ != 0)
      if (auto* call = next_in(routes, call_lane::interactive, now))
        return call;
    if (auto* call = next_in(routes, call_lane::batch, now))
      return call;
  }
  return nullptr;
}

void route_table::grant(call_record& call, timestamp now) {
  auto& r = routes_[call.route];
  auto& lane = lane_of(call);
  const auto urgent = call.lane == call_lane::interactive;
  call.holds.reserve(r.limits.size());
  for (auto* limit : r.limits) {
    call.holds.push_back(limit->take(limit->need(call.needs), urgent, now));
    limit->gate.granted(call.ticket);
  }
  r.gate.granted(call.ticket);
  lane.queue.take(call);
  leave(r, lane, call.cost);
}

std::optional<timestamp> route_table::wakes_at() const {
  std::optional<timestamp> out;
  for (const auto& r : routes_)
    if (!r.turns.empty() && r.blocked_in == pass_
        && r.wakes_at != timestamp::max() && (!out || r.wakes_at < *out))
      out = r.wakes_at;
  return out;
}

std::string_view route_table::blocked_on(std::size_t route) const {
  const auto& r = routes_[route];
  return r.blocked_in == pass_ ? r.blocked_on : std::string_view{};
}

fair_queue::position route_table::before(const call_record& call) const {
  const auto& [batch, interactive] = routes_[call.route].lanes;
  if (call.lane == call_lane::interactive)
    return interactive.queue.before(call);
  auto out = batch.queue.before(call); // Urgent calls go first.
  out.calls += static_cast<double>(interactive.queue.size());
  out.cost += interactive.queue.cost();
  return out;
}

std::optional<duration> route_table::wait(const call_record& call,
                                          const fair_queue::position& before,
                                          timestamp now) {
  auto& r = routes_[call.route];
  auto seconds = 0.0;
  for (auto* limit : r.limits) {
    const auto& spec = limit->spec();
    const auto need = static_cast<double>(limit->need(call.needs));
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
                         : before.cost * need / call.cost;
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
