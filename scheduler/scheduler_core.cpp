#include <kestrion/scheduler/scheduler_core.hpp>

#include <algorithm>
#include <cmath>

namespace kestrion {

scheduler_core::scheduler_core(scheduler_options options)
  : options_(options),
    routes_(options.interactive_share,
            static_cast<double>(options.priority_step_tokens)),
    prefixes_(options.prefix_wait_max, options.prefix_ttl) {}

result<void> scheduler_core::declare(const limit_spec& limit, timestamp now) {
  const auto bad = [&](const std::string& why) {
    return error{errc::invalid_argument, "limit " + limit.name + ": " + why};
  };
  if (limit.name.empty())
    return error{errc::invalid_argument, "a limit has no name"};
  if (limit.amount < 1)
    return bad("its amount is " + std::to_string(limit.amount)
               + ", expected at least 1");
  if (limit.kind != limit_kind::concurrency
      && (limit.latency_max < duration::zero()
          || limit.period <= limit.latency_max))
    return bad("its period has to be longer than its latency_max, which has "
               "to be 0 or more");
  if (auto* known = routes_.find_limit(limit.name))
    known->resize(limit.amount, now);
  else
    routes_.declare(limit, now);
  changed_ = true;
  return {};
}

scheduler_core::tenant_state& scheduler_core::tenant(std::string_view name) {
  if (const auto found = tenant_index_.find(name); found != tenant_index_.end())
    return tenants_[found->second];
  const auto index = static_cast<std::uint32_t>(tenants_.size());
  tenant_index_.emplace(name, index);
  auto& made = tenants_.emplace_back();
  made.index = index;
  return made;
}

void scheduler_core::set_weight(std::string_view name, double weight) {
  auto& t = tenant(name);
  t.weight = std::clamp(weight, 0.001, 1'000.0);
  routes_.reweigh(t.index, t.weight);
}

result<void> scheduler_core::set_budget(std::string_view name,
                                        std::string_view parent,
                                        const budget_limits& limits,
                                        timestamp now,
                                        const budget_amount& used) {
  const auto node = budgets.set(name, parent, limits);
  if (!node)
    return node.error();
  budgets.raise_to(*node, used);
  retry_budgets(*node, now);
  return {};
}

result<void> scheduler_core::admissible(const call_request& request,
                                        const tenant_state& asks) {
  if (waiting_ >= options_.waiting_max
      || asks.waiting >= options_.tenant_waiting_max
      || calls_.size() == call_table::size_max) {
    ++figures_.refused_queue_full;
    return error{errc::unavailable,
                 std::to_string(waiting_) + " calls wait, "
                   + std::to_string(asks.waiting) + " of them of tenant "
                   + request.tenant + "; at most "
                   + std::to_string(options_.waiting_max) + " and "
                   + std::to_string(options_.tenant_waiting_max) + " may"};
  }
  if (request.input_bytes < 0 || request.input_tokens.value_or(0) < 0
      || request.output_tokens_max < 0 || request.most.usd_micros < 0
      || request.most.tokens < 0 || request.most.calls < 0)
    return error{errc::invalid_argument, "a call wants less than nothing"};
  if (request.priority < -100 || request.priority > 100)
    return error{errc::invalid_argument, "a call has the priority "
                                           + std::to_string(request.priority)
                                           + ", expected -100 to 100"};
  if (!request.budget.empty() && !budgets.find(request.budget))
    return error{errc::not_found, "no budget " + request.budget};
  return {};
}

void scheduler_core::describe(call_record& call, const call_request& request,
                              const tenant_state& asks, timestamp now) {
  call.route = routes_.find(request.route);
  auto& estimator = routes_.estimator(call.route);
  call.agent = estimator.agent(request.agent);
  call.needs.input_tokens =
    request.input_tokens.value_or(estimator.input(request.input_bytes));
  call.needs.output_tokens =
    estimator.output(call.agent, request.output_tokens_max);
  call.lane = request.lane;
  // What was counted says nothing about bytes.
  call.input_bytes = request.input_tokens ? 0 : request.input_bytes;
  call.output_tokens_max = request.output_tokens_max;
  call.deadline = request.deadline;
  if (!request.prefix.empty())
    call.prefix = std::to_string(call.route) + ':' + request.prefix;
  if (!request.budget.empty())
    call.budget = budgets.find(request.budget);
  call.most = request.most;
  call.tag = request.tag;
  call.reserved_at = now;
  call.tenant = asks.index;
  call.run = request.run;
  call.weight = asks.weight;
  call.boost = static_cast<double>(options_.priority_step_tokens)
               * static_cast<double>(request.priority);
  const auto expected =
    request.input_tokens.value_or(estimator.expected_input(request.input_bytes))
    + estimator.expected_output(call.agent, request.output_tokens_max);
  call.cost = static_cast<double>(std::max<std::int64_t>(expected, 1));
}

result<void> scheduler_core::in_time(const call_record& call, timestamp now) {
  if (!call.deadline)
    return {};
  const auto wait = routes_.wait(call, routes_.before(call), now);
  // The wait is an estimate: only what misses by far is refused early.
  const auto soonest = wait ? later(now, *wait / 2) : now;
  if (now < *call.deadline && soonest <= *call.deadline)
    return {};
  ++figures_.refused_deadline;
  return error{errc::timeout,
               "the call would wait until about "
                 + to_string(later(now, wait.value_or(duration::zero())))
                 + ", its deadline is " + to_string(*call.deadline)};
}

result<void> scheduler_core::may_wait(const call_record& call, timestamp now) {
  if (!routes_.exhausted(call.route, now))
    return in_time(call, now);
  ++figures_.refused_quota;
  return used_up(call);
}

error scheduler_core::used_up(const call_record& call) const {
  const auto& route = routes_.name(call.route);
  return {errc::quota_exhausted, route.provider + " says that the quota of key "
                                   + route.key + " for " + route.model
                                   + " is used up"};
}

result<call_ticket> scheduler_core::reserve(const call_request& request,
                                            timestamp now) {
  auto& asks = tenant(request.tenant);
  if (auto ok = admissible(request, asks); !ok)
    return ok.error();
  auto& call = calls_.add();
  describe(call, request, asks, now);
  if (auto ok = may_wait(call, now); !ok) {
    calls_.erase(call);
    return ok.error();
  }
  const auto ticket = call.ticket; // It may be gone before we are.
  if (call.deadline)
    deadlines_.emplace(*call.deadline, ticket);
  ++asks.waiting;
  ++waiting_;
  ++figures_.reserved;
  if (call.budget)
    budgets.keep(*call.budget);
  ask_budget(call, now);
  return ticket;
}

void scheduler_core::ask_budget(call_record& call, timestamp now) {
  call.at = stage::budget;
  if (call.budget) {
    if (auto why = budgets.reserve(*call.budget, call.most, now)) {
      if (why->only_reserved) {
        call.waits_for_budget = budgets.find(why->node);
        budget_waiters_[*call.waits_for_budget].insert(call.ticket);
        return;
      }
      ++figures_.refused_budget;
      leave_budget(call); // Nothing to give back.
      auto text =
        "budget " + why->node + " is used up: " + std::string{why->what};
      if (why->wanted != 0)
        text += ", " + std::to_string(why->used) + " of "
                + std::to_string(why->limit) + " used, "
                + std::to_string(why->wanted) + " wanted";
      refuse(call, {errc::limit_exceeded, std::move(text)}, std::move(*why),
             now);
      return;
    }
  }
  ask_prefix(call, now);
}

void scheduler_core::ask_prefix(call_record& call, timestamp now) {
  call.at = stage::prefix;
  // Whom a person waits for does not wait for others.
  if (call.lane == call_lane::interactive || call.prefix.empty()
      || prefixes_.arrive(call.prefix, call.ticket, now))
    enqueue(call);
}

void scheduler_core::enqueue(call_record& call) {
  call.at = stage::queued;
  call.weight = tenants_[call.tenant].weight;
  routes_.push(call);
  changed_ = true;
}

void scheduler_core::grant(call_record& call, timestamp now) {
  if (!spare_holds_.empty()) {
    call.holds = std::move(spare_holds_.back());
    spare_holds_.pop_back();
  }
  routes_.grant(call, now);
  call.at = stage::granted;
  call.granted_at = now;
  if (call.deadline)
    deadlines_.erase({*call.deadline, call.ticket});
  --waiting_;
  --tenants_[call.tenant].waiting;
  ++figures_.granted;
  const auto waited = std::max(now - call.reserved_at, duration::zero());
  (call.lane == call_lane::interactive ? figures_.interactive_wait
                                       : figures_.batch_wait)
    .add(waited);
  outcomes_.emplace_back(call_granted{call.ticket, call.run, waited,
                                      call.needs.input_tokens,
                                      call.needs.output_tokens, call.tag});
}

void scheduler_core::leave(call_record& call, timestamp now) {
  --waiting_;
  --tenants_[call.tenant].waiting;
  if (call.deadline)
    deadlines_.erase({*call.deadline, call.ticket});
  if (call.at == stage::budget) {
    if (call.waits_for_budget) {
      const auto list = budget_waiters_.find(*call.waits_for_budget);
      list->second.erase(call.ticket);
      if (list->second.empty())
        budget_waiters_.erase(list);
    }
    leave_budget(call);
    return; // Nothing reserved yet.
  }
  if (call.at == stage::queued)
    routes_.erase(call);
  changed_ = true;
  warm_next(call);
  settle_budget(call, {}, now);
}

/// Of calls that share a prefix another one has to warm it.
void scheduler_core::warm_next(const call_record& call) {
  if (call.prefix.empty())
    return;
  if (const auto next = prefixes_.gone(call.prefix, call.ticket))
    enqueue(calls_.at(*next));
}

void scheduler_core::refuse(call_record& call, error why,
                            std::optional<budget_refusal> budget,
                            timestamp now) {
  leave(call, now);
  outcomes_.emplace_back(call_refused{call.ticket, call.run, std::move(why),
                                      std::move(budget), call.tag});
  calls_.erase(call);
}

} // namespace kestrion
