#include <kestrion/actors/schedule_actor.hpp>

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace kestrion {

namespace {

using schedule_self = schedule_actor::stateful_pointer<schedule_watch_state>;

/// Runs that are started before they are noted, together.
constexpr std::size_t starts_at_once = 64;

/// How long after a failure that may pass it is tried again.
constexpr duration start_retry = std::chrono::seconds{1};

/// No later than a check of the clock: it may be set meanwhile.
void set_schedule_alarm(schedule_self self, duration from_now) {
  auto& st = self->state;
  self->delayed_send(self, std::min(from_now, st.context->clock_check),
                     look_at_schedules{++st.alarm});
}

void look_again_in(schedule_self self, duration from_now) {
  self->state.retries = true; // Whatever the clock says then.
  set_schedule_alarm(self, from_now);
}

void wait_for_next(schedule_self self) {
  auto& st = self->state;
  if (st.next)
    set_schedule_alarm(self,
                       std::max(*st.next - st.context->now(), duration{}));
  else if (st.context->store_is_shared) // Others may add one.
    set_schedule_alarm(self, st.context->clock_check);
}

void note_all(schedule_self self) {
  auto& st = self->state;
  const auto outcomes = std::exchange(st.outcomes, {});
  const bool noted = note_outcomes(*st.context->store, outcomes).has_value();
  const bool fails =
    std::any_of(outcomes.begin(), outcomes.end(), [](const auto& x) {
      return !x.run && may_pass(x.run.error().code);
    });
  const bool was_asked = std::exchange(st.looks_again, false);
  if (noted && (!fails || was_asked))
    self->send(self, look_at_schedules{}); // By itself it would recurse.
  else
    look_again_in(self, start_retry);
}

void answered(schedule_self self, std::size_t i, result<run_id> run) {
  auto& st = self->state;
  st.outcomes.at(i).run = std::move(run);
  if (--st.unanswered == 0)
    note_all(self);
}

/// Why a tick starts nothing: the run before it goes on.
result<void> check_overlap(const event_store& store, const due_start& x) {
  if (!x.waits_for)
    return {};
  const auto row = store.find(*x.waits_for);
  if (!row)
    return row.error();
  if (*row && !is_terminal((*row)->status))
    return error{errc::refused, "run " + x.waits_for->str()
                                  + " of the tick before is still "
                                  + std::string{to_string((*row)->status)}};
  return {};
}

void start_all(schedule_self self, std::vector<due_start> starts) {
  auto& st = self->state;
  st.unanswered = starts.size();
  for (auto& x : starts) {
    const auto i = st.outcomes.size();
    if (auto free = check_overlap(*st.context->store, x); !free) {
      st.outcomes.push_back(
        {x.request.name, x.tick, x.is_backfill, free.error()});
      --st.unanswered;
      continue;
    }
    st.outcomes.push_back({x.request.name, x.tick, x.is_backfill,
                           error{errc::unavailable, "no answer yet"}});
    auto header = header_of(x.request);
    header.key = tick_key(x.request.name, x.tick);
    self
      ->request(st.front, caf::infinite,
                start_request{std::move(x.request.agent),
                              std::move(x.request.input), std::move(header)})
      .then([self, i](const run_receipt& r) { answered(self, i, r.run); },
            [self, i](const caf::error& e) { answered(self, i, from_caf(e)); });
  }
  if (st.unanswered == 0)
    note_all(self);
}

void look_at_due(schedule_self self) {
  auto& st = self->state;
  ++st.alarm; // None that was set before counts any more.
  st.retries = false;
  const auto& context = *st.context;
  if (context.is_stopping)
    return;
  st.changes_seen = context.store->change_counter();
  auto found = look_at_book(
    *context.store,
    [&](const std::string& agent) { return st.agents->contains(agent); },
    context.now(), starts_at_once);
  if (!found) { // The public face says so to who asks there.
    set_schedule_alarm(
      self, may_pass(found.error().code) ? start_retry : context.clock_check);
    return;
  }
  st.next = found->next;
  if (found->starts.empty())
    wait_for_next(self);
  else
    start_all(self, std::move(found->starts));
}

void on_look(schedule_self self, const look_at_schedules& x) {
  auto& st = self->state;
  if (st.unanswered != 0) {
    st.looks_again = true; // It does so anyway, unless starts fail.
    return;
  }
  const auto& context = *st.context;
  if (x.alarm == 0)
    return look_at_due(self);
  if (x.alarm != st.alarm)
    return;
  const bool is_due = st.next && *st.next <= context.now();
  if (st.retries || is_due
      || context.store->change_counter() != st.changes_seen)
    look_at_due(self);
  else
    wait_for_next(self);
}

} // namespace

schedule_actor::behavior_type
schedule_watch(schedule_self self, std::shared_ptr<const run_context> context,
               std::shared_ptr<const agent_registry> agents,
               front_actor starts) {
  self->state.context = std::move(context);
  self->state.agents = std::move(agents);
  self->state.front = std::move(starts);
  self->send(self, look_at_schedules{});
  return {
    [self](const look_at_schedules& x) { on_look(self, x); },
  };
}

} // namespace kestrion
