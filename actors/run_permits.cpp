#include <kestrion/actors/run_permits.hpp>

#include <kestrion/actors/draft.hpp>
#include <kestrion/messages/match.hpp>

#include <caf/send.hpp>

#include <algorithm>

namespace kestrion::run_permits {

namespace {

/// What the wire says for each message besides its text.
constexpr std::int64_t message_bytes = 16;

template <class Note>
void tell(const run_context& context, Note&& note) {
  if (context.calls->put(std::forward<Note>(note)))
    caf::anon_send(context.scheduler.get(), look_at_calls{});
}

template <class Note>
void tell(const run_actor_state& st, Note&& note) {
  tell(*st.context, std::forward<Note>(note));
}

/// The most that the call can use: no vendor makes more than a token of a byte.
budget_amount most_of(const agent_definition& agent, std::int64_t place,
                      std::int64_t input_bytes) {
  constexpr std::int64_t million = 1'000'000;
  budget_amount most;
  most.tokens = input_bytes + agent.options.output_tokens_max;
  most.calls = 1;
  if (const auto& price = agent.model_price_of(place)) {
    const auto input = std::max(price->input, price->cache_write);
    most.usd_micros =
      (input_bytes * input + agent.options.output_tokens_max * price->output)
        / million
      + 1;
  }
  return most;
}

call_request request_of(const run_actor_state& st, std::int64_t place) {
  const auto& header = *st.run.header;
  const auto& agent = *st.agent->definition;
  const auto& model = st.agent->model_at(place);
  call_request x;
  x.tenant = header.tenant.value_or("");
  x.run = st.id;
  x.agent = header.agent;
  x.route = model.route;
  x.input_bytes =
    st.agent->fixed_bytes + st.run.progress.said_bytes
    + message_bytes * static_cast<std::int64_t>(st.run.conversation.size());
  x.output_tokens_max = agent.options.output_tokens_max;
  x.lane = header.lane.value_or(call_lane::batch);
  x.priority = static_cast<int>(header.priority.value_or(0));
  x.deadline = header.deadline;
  if (!st.run.progress.compaction) // That is said to nobody else.
    x.prefix = model.prefix;
  x.most = most_of(agent, place, x.input_bytes);
  return x;
}

/// Alone it needs no budget with the scheduler: its own rules end it.
bool belongs_with_others(const run_actor_state& st) {
  return st.run.header->parent || st.agent->delegates;
}

std::vector<run_budget> budgets_of(const run_actor_state& st) {
  if (!belongs_with_others(st))
    return {};
  std::vector<run_budget> out;
  const auto& parent = st.run.header->parent;
  if (parent && !st.context->calls->has_budget(*parent))
    out = budgets_around(*st.context->store, st.id);
  out.push_back(budget_of(st.id, st.run));
  return out;
}

/// If exactly one limit says that nothing is left, it is that one.
std::optional<limit_kind> used_up(const std::vector<limit_report>& limits) {
  std::optional<limit_kind> kind;
  for (const auto& each : limits) {
    if (each.remaining != 0)
      continue;
    if (kind)
      return std::nullopt;
    kind = each.kind;
  }
  return kind;
}

/// Whether the server may have worked for it.
bool may_have_arrived(const model_failure& x) {
  if (x.http_status != 0)
    return true;
  const auto code = x.error.code;
  return code == errc::io || code == errc::timeout || code == errc::cancelled
         || code == errc::corrupt || code == errc::unavailable;
}

call_end end_of(const model_reply& x) {
  call_usage used;
  used.tokens = machine::plausible(x.usage);
  if (x.limited_input_tokens)
    used.limited_input_tokens = machine::plausible(*x.limited_input_tokens);
  used.cost_usd_micros = machine::plausible(x.cost_usd_micros.value_or(0));
  return used;
}

call_end end_of(const model_failure& x) {
  if (x.error.code == errc::rate_limited)
    return throttle{false, used_up(x.limits), x.retry_after};
  if (x.error.code == errc::quota_exhausted)
    return throttle{true, {}, x.retry_after};
  // Who answers with an error asks no money for it.
  return call_released{may_have_arrived(x), x.http_status == 0};
}

} // namespace

bool has_to_ask(const run_actor_state& st, std::int64_t place) {
  return st.context->calls->has_rules.load(std::memory_order_relaxed)
         || !st.agent->model_at(place).route.provider.empty()
         || belongs_with_others(st);
}

std::uint64_t ask(const run_actor_state& st, std::int64_t place,
                  const caf::actor_addr& holder) {
  const auto permit = st.context->calls->next_permit();
  tell(st, reserve_call{permit, holder, request_of(st, place), budgets_of(st)});
  return permit;
}

void leave_if_alone(const run_actor_state& st) {
  const auto status = st.run.progress.status;
  const bool is_needed =
    st.run.header->parent || status == run_status::waiting_on_child;
  if (!is_needed)
    leave(*st.context, st.id);
}

void leave(const run_context& context, const run_id& run) {
  if (context.calls->has_budget(run))
    tell(context, leave_budget{run});
}

void settle(const run_actor_state& st, const effect_in_flight& call,
            const model_outcome& outcome) {
  if (call.permit == 0)
    return;
  match(outcome, [&](const auto& x) {
    tell(st, end_call{st.id, call.permit, end_of(x), x.limits});
  });
}

void drop(const run_actor_state& st, const effect_in_flight& call) {
  if (call.permit != 0)
    tell(st, end_call{st.id, call.permit, call_released{!call.waits}, {}});
}

} // namespace kestrion::run_permits
