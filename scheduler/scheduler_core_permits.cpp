#include <kestrion/scheduler/scheduler_core.hpp>

#include <boost/describe/enum_to_string.hpp>

#include <algorithm>
#include <utility>

// Second half of a call's life: what happens to permits, and what time brings.
namespace kestrion {

call_record* scheduler_core::permit(call_ticket ticket) {
  auto* call = calls_.find(ticket);
  return call && call->at == stage::granted ? call : nullptr;
}

void scheduler_core::settle(call_record& call, const call_cost& used,
                            timestamp now) {
  for (const auto& hold : call.holds)
    hold.of->settle(hold, used, now);
  const auto cost = static_cast<double>(
    std::max<std::int64_t>(used.input_tokens + used.output_tokens, 1));
  routes_.end(call, cost - call.cost);
  changed_ = true;
}

void scheduler_core::settle_budget(call_record& call,
                                   const budget_amount& actual, timestamp now) {
  if (!call.budget)
    return;
  budgets.settle(*call.budget, call.most, actual);
  retry_budgets(*call.budget, now);
  leave_budget(call);
}

void scheduler_core::forget(call_record& call) {
  constexpr std::size_t spare_max = 1'024;
  if (spare_holds_.size() < spare_max) {
    call.holds.clear();
    spare_holds_.push_back(std::move(call.holds));
  }
  calls_.erase(call);
}

void scheduler_core::leave_budget(call_record& call) {
  if (call.budget)
    budgets.unkeep(*call.budget);
  call.budget.reset();
}

void scheduler_core::retry_budgets(budget_tree::node from, timestamp now) {
  if (budget_waiters_.empty())
    return;
  for (const auto node : budgets.path(from)) {
    const auto list = budget_waiters_.find(node);
    if (list == budget_waiters_.end())
      continue;
    const auto waiters = std::move(list->second);
    budget_waiters_.erase(list);
    auto full = false;
    for (const auto ticket : waiters) {
      // Gone meanwhile, for a refusal may retry others.
      auto* call = calls_.find(ticket);
      if (!call || call->at != stage::budget)
        continue;
      if (full) { // In order: the first one is not starved by smaller ones.
        budget_waiters_[node].insert(ticket);
        continue;
      }
      call->waits_for_budget.reset();
      ask_budget(*call, now);
      full = budget_waiters_.contains(node);
    }
  }
}

void scheduler_core::commit(call_ticket ticket, const call_usage& actual,
                            timestamp now) {
  auto* call = permit(ticket);
  if (!call)
    return;
  const auto& t = actual.tokens;
  const auto input = actual.limited_input_tokens.value_or(
    t.input_tokens + t.cache_read_tokens + t.cache_write_tokens);
  routes_.estimator(call->route)
    .learn(call->input_bytes, input, call->agent, t.output_tokens);
  settle(*call, {input, t.output_tokens}, now);
  for (auto& hold : call->holds)
    hold.of->gate.answered(call->granted_at);
  routes_.gate(call->route).answered(call->granted_at);
  routes_.call_took(call->route, now - call->granted_at);
  if (!call->prefix.empty())
    for (const auto next : prefixes_.answered(call->prefix, now))
      enqueue(calls_.at(next));
  ++figures_.committed;
  figures_.estimated_tokens +=
    call->needs.input_tokens + call->needs.output_tokens;
  figures_.actual_tokens += input + t.output_tokens;
  settle_budget(*call, {actual.cost_usd_micros, t.total(), 1}, now);
  forget(*call);
}

void scheduler_core::release(call_ticket ticket, bool sent, timestamp now,
                             bool may_cost) {
  auto* call = calls_.find(ticket);
  if (!call)
    return;
  if (call->at != stage::granted) {
    leave(*call, now);
    calls_.erase(*call);
    ++figures_.cancelled;
    return;
  }
  const auto& estimator = routes_.estimator(call->route);
  call_cost used;
  if (sent)
    used = {call->input_bytes == 0 ? call->needs.input_tokens
                                   : estimator.mean_input(call->input_bytes),
            estimator.mean_output(call->agent, call->output_tokens_max)};
  if (sent)
    settle(*call, used, now);
  else {
    for (const auto& hold : call->holds)
      hold.of->give_back(hold, now);
    routes_.end(*call, -call->cost);
    changed_ = true;
  }
  for (auto& hold : call->holds)
    hold.of->gate.ended(ticket);
  routes_.gate(call->route).ended(ticket);
  ++figures_.released;
  warm_next(*call);
  settle_budget(*call, sent && may_cost ? call->most : budget_amount{}, now);
  forget(*call);
}

bool scheduler_core::cancel(call_ticket ticket, timestamp now) {
  const auto is_there = calls_.find(ticket) != nullptr;
  release(ticket, true, now);
  return is_there;
}

void scheduler_core::throttled(call_ticket ticket, const throttle& how,
                               timestamp now) {
  auto* call = permit(ticket);
  if (!call)
    return;
  ++figures_.throttled;
  for (const auto& hold : call->holds)
    hold.of->give_back(hold, now);
  routes_.end(*call, -call->cost);
  const auto gates = routes_.gates(call->route, how.kind);
  for (auto& hold : call->holds)
    hold.of->gate.ended(ticket);
  routes_.gate(call->route).ended(ticket);
  auto fresh = false;
  for (auto* gate : gates)
    if (how.quota_exhausted) {
      gate->used_up(ticket,
                    std::min(how.retry_after.value_or(options_.quota_pause),
                             options_.pause_max),
                    now);
      fresh = exhausted_ = true;
    } else {
      fresh = gate->refused(ticket, call->granted_at, how.retry_after,
                            options_.pause_first, options_.pause_max, now)
              || fresh;
    }
  if (how.kind)
    for (auto* limit : routes_.limits(call->route, *how.kind))
      limit->empty(now);
  figures_.pauses += fresh ? 1 : 0;
  warm_next(*call);
  settle_budget(*call, {}, now);
  forget(*call);
  changed_ = true;
}

void scheduler_core::report(call_ticket ticket, const limit_report& what,
                            timestamp now) {
  const auto* call = permit(ticket);
  if (!call)
    return;
  auto limits = routes_.limits(call->route, what.kind);
  if (limits.empty() && options_.learn_limits && what.limit.value_or(0) > 0
      && what.kind != limit_kind::concurrency) {
    // Calls that are in flight hold nothing of it: the server counted them.
    const auto& route = routes_.name(call->route);
    limit_spec learnt{"learnt " + route.provider + " " + route.model + " "
                        + route.key + " "
                        + boost::describe::enum_to_string(what.kind, "limit"),
                      {route.provider, route.model, route.key},
                      what.kind,
                      *what.limit};
    limits.push_back(&routes_.declare(learnt, now));
  }
  for (auto* limit : limits)
    limit->believe(what, now);
  changed_ = true;
}

/// "Nothing left" fails who waits, instead of letting them wait for it.
void scheduler_core::refuse_exhausted(timestamp now) {
  exhausted_ = false;
  std::vector<call_ticket> gone;
  calls_.for_each([&](const call_record& call) {
    if (call.at != stage::granted && routes_.exhausted(call.route, now))
      gone.push_back(call.ticket);
  });
  std::sort(gone.begin(), gone.end());
  for (const auto ticket : gone) {
    auto& call = calls_.at(ticket);
    ++figures_.refused_quota;
    refuse(call, used_up(call), std::nullopt, now);
  }
}

const std::vector<call_outcome>& scheduler_core::poll(timestamp now) {
  if (exhausted_)
    refuse_exhausted(now);
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const auto ticket = deadlines_.begin()->second;
    ++figures_.refused_deadline;
    refuse(calls_.at(ticket),
           {errc::timeout, "the call waited until its deadline, "
                             + to_string(deadlines_.begin()->first)},
           std::nullopt, now);
  }
  for (const auto ticket : prefixes_.overdue(now))
    enqueue(calls_.at(ticket));
  const auto due = routes_.wakes_at();
  if (changed_ || (due && *due <= now)) {
    changed_ = false;
    routes_.begin_pass();
    while (auto* call = routes_.next(now))
      grant(*call, now);
  }
  polled_.clear();
  polled_.swap(outcomes_); // Their memory goes round.
  return polled_;
}

std::optional<timestamp> scheduler_core::next_event(timestamp now) const {
  if (changed_ || exhausted_ || !outcomes_.empty())
    return now;
  auto out = routes_.wakes_at();
  const auto sooner = [&](std::optional<timestamp> other) {
    if (other && (!out || *other < *out))
      out = other;
  };
  sooner(prefixes_.next_event());
  if (!deadlines_.empty())
    sooner(deadlines_.begin()->first);
  return out;
}

std::optional<call_waiting> scheduler_core::waiting(call_ticket ticket,
                                                    timestamp now) const {
  const auto* found = calls_.find(ticket);
  if (!found || found->at == stage::granted)
    return std::nullopt;
  const auto& call = *found;
  if (call.at == stage::budget)
    return call_waiting{
      "budget", budget_waiters_.at(*call.waits_for_budget).size() - 1, {}};
  if (call.at == stage::prefix)
    return call_waiting{"prefix", 0, {}};
  const auto before = routes_.before(call);
  const auto limit = routes_.blocked_on(call.route);
  return call_waiting{limit.empty() ? "turn" : std::string{limit},
                      static_cast<std::size_t>(before.calls),
                      routes_.wait(call, before, now)};
}

std::vector<limit_need> scheduler_core::limit_needs(timestamp now) const {
  std::map<const call_limit*, std::int64_t> waiting;
  for (const auto& limit : routes_.all_limits())
    if (limit->is_shared())
      waiting[limit.get()] = 0;
  if (waiting.empty())
    return {};
  calls_.for_each([&](const call_record& call) {
    if (call.at != stage::granted)
      for (const auto* limit : routes_.limits(call.route))
        if (limit->is_shared())
          waiting[limit] += limit->wanted(call.needs);
  });
  std::vector<limit_need> out;
  for (const auto& limit : routes_.all_limits())
    if (limit->is_shared())
      out.push_back(limit->need_of_slice(waiting[limit.get()], now));
  return out;
}

void scheduler_core::set_slice(const limit_slice& slice, timestamp now) {
  auto* limit = routes_.find_limit(slice.limit);
  if (!limit || !limit->is_shared())
    return;
  limit->set_slice(slice.amount, slice.until, now);
  changed_ = true;
}

scheduler_figures scheduler_core::figures(timestamp now) const {
  auto out = figures_;
  out.waiting = waiting_;
  out.in_flight = calls_.size() - waiting_;
  for (const auto& limit : routes_.all_limits())
    out.limits.push_back({limit->spec().name, limit->spec().kind,
                          limit->spec().amount, limit->available(now),
                          limit->in_flight(),
                          limit->gate.closed_until(now).has_value()});
  return out;
}

} // namespace kestrion
