#include <kestrion/scheduler/token_scheduler.hpp>

#include <kestrion/scheduler/scheduler_core.hpp>

namespace kestrion {

token_scheduler::token_scheduler(scheduler_options options)
  : core_(std::make_unique<scheduler_core>(options)) {}

token_scheduler::~token_scheduler() = default;
token_scheduler::token_scheduler(token_scheduler&&) noexcept = default;
token_scheduler&
token_scheduler::operator=(token_scheduler&&) noexcept = default;

result<void> token_scheduler::declare(const limit_spec& limit, timestamp now) {
  return core_->declare(limit, now);
}

void token_scheduler::set_weight(std::string_view tenant, double weight) {
  core_->set_weight(tenant, weight);
}

result<void> token_scheduler::set_budget(std::string_view name,
                                         std::string_view parent,
                                         const budget_limits& limits,
                                         timestamp now,
                                         const budget_amount& used) {
  return core_->set_budget(name, parent, limits, now, used);
}

void token_scheduler::remove_budget(std::string_view name) {
  core_->budgets.remove(name);
}

const budget_tree& token_scheduler::budgets() const {
  return core_->budgets;
}

result<call_ticket> token_scheduler::reserve(const call_request& request,
                                             timestamp now) {
  return core_->reserve(request, now);
}

bool token_scheduler::cancel(call_ticket ticket, timestamp now) {
  return core_->cancel(ticket, now);
}

void token_scheduler::commit(call_ticket ticket, const call_usage& actual,
                             timestamp now) {
  core_->commit(ticket, actual, now);
}

void token_scheduler::release(call_ticket ticket, bool sent, timestamp now,
                              bool may_cost) {
  core_->release(ticket, sent, now, may_cost);
}

void token_scheduler::throttled(call_ticket ticket, const throttle& how,
                                timestamp now) {
  core_->throttled(ticket, how, now);
}

void token_scheduler::report(call_ticket ticket, const limit_report& what,
                             timestamp now) {
  core_->report(ticket, what, now);
}

const std::vector<call_outcome>& token_scheduler::poll(timestamp now) {
  return core_->poll(now);
}

std::optional<timestamp> token_scheduler::next_event(timestamp now) const {
  return core_->next_event(now);
}

std::optional<call_waiting> token_scheduler::waiting(call_ticket ticket,
                                                     timestamp now) const {
  return core_->waiting(ticket, now);
}

std::size_t token_scheduler::calls_waiting() const {
  return core_->calls_waiting();
}

std::vector<limit_need> token_scheduler::limit_needs(timestamp now) const {
  return core_->limit_needs(now);
}

void token_scheduler::set_slice(const limit_slice& slice, timestamp now) {
  core_->set_slice(slice, now);
}

scheduler_figures token_scheduler::figures(timestamp now) const {
  return core_->figures(now);
}

} // namespace kestrion
