#include <kestrion/actors/run_machine.hpp>
#include <kestrion/actors/runtime_impl.hpp>
#include <kestrion/actors/schedule_book.hpp>
#include <kestrion/messages/valid_text.hpp>

#include <caf/send.hpp>

#include <utility>

/// What can be done with schedules.
namespace kestrion {

namespace {

/// What a start would say, without one.
result<void> check_start(const agent_registry& agents,
                         const schedule_request& r, timestamp now) {
  const auto code = find_agent(agents, r.agent);
  if (!code)
    return code.error();
  auto header = header_of(r);
  header.agent = r.agent;
  const auto decided = decide({}, *(*code)->definition,
                              start_run{std::move(header), r.input, now});
  if (!decided)
    return decided.error();
  return {};
}

/// Its actor looks at once, not only when it checks the clock.
void tell_schedules(const run_context& context) {
  if (const auto actor = strong<schedule_actor>(context.schedules))
    caf::anon_send(actor, look_at_schedules{});
}

schedule_status status_of(const stored_schedule& s, timestamp now) {
  const auto& state = s.state;
  schedule_status out{s.request,
                      {},
                      state.last_tick,
                      state.last_run,
                      state.paused_by,
                      state.problem,
                      state.backfills.size()};
  if (const auto ticks = tick_series::make(s.request.times))
    out.next_tick = plan_ticks(*ticks, s.request, state, now, 0).next;
  else
    out.problem = ticks.error().detail;
  return out;
}

} // namespace

void runtime::schedule(schedule_request request) {
  const auto& context = *impl_->engine.context;
  if (const auto& redaction = impl_->redaction)
    change_texts(request, [&](std::string& text, std::string_view) {
      text = redaction->without_secrets(std::move(text));
    });
  check_start(*impl_->agents, request, context.now()).value();
  put_schedule(*impl_->store, std::move(request), context.now()).value();
  tell_schedules(context);
}

void runtime::unschedule(std::string_view name) {
  remove_schedule(*impl_->store, name).value();
}

void runtime::pause_schedule(std::string_view name, std::string by) {
  kestrion::pause_schedule(*impl_->store, name, std::move(by)).value();
}

void runtime::resume_schedule(std::string_view name) {
  const auto& context = *impl_->engine.context;
  kestrion::resume_schedule(*impl_->store, name, context.now()).value();
  tell_schedules(context);
}

run runtime::trigger_schedule(std::string_view name) {
  auto r = find_schedule(*impl_->store, name).value().request;
  auto header = header_of(r);
  return {*this, impl_
                   ->ask<run_receipt>(start_request{
                     std::move(r.agent), std::move(r.input), std::move(header)})
                   .run};
}

void runtime::backfill_schedule(std::string_view name, timestamp from,
                                timestamp until) {
  const auto& context = *impl_->engine.context;
  kestrion::backfill_schedule(*impl_->store, name, from, until, context.now())
    .value();
  tell_schedules(context);
}

std::vector<schedule_status> runtime::schedules() const {
  std::vector<schedule_status> out;
  const auto now = impl_->engine.context->now();
  for (const auto& [name, each] : read_schedules(*impl_->store).value())
    out.push_back(status_of(each, now));
  return out;
}

} // namespace kestrion
