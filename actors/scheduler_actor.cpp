#include <kestrion/actors/scheduler_actor.hpp>

#include <kestrion/messages/match.hpp>

#include <kestrion/scheduler/fetch.hpp>

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include <algorithm>

namespace kestrion {

namespace {

using scheduler_self = scheduler_actor::stateful_pointer<scheduler_state>;

/// Clocks are not finer than that, so it looks no sooner again.
constexpr duration alarm_min = std::chrono::milliseconds{1};

template <class Message>
void tell(const caf::actor_addr& holder, Message m) {
  if (auto hdl = caf::actor_cast<caf::strong_actor_ptr>(holder))
    caf::anon_send(caf::actor_cast<run_actor>(hdl), std::move(m));
}

/// Forgets a permit. @returns What it was.
permit_book::permit take_out(permit_book::holder& holder,
                             const permit_book::permit& permit) {
  const auto out = permit;
  auto& all = holder.permits;
  all.erase(all.begin() + (&permit - all.data()));
  return out;
}

/// A life of a run has ended, and whatever it called has no one to answer to.
void forget_holder(scheduler_self self, const run_id& run) {
  auto& book = *self->state.book;
  const auto* holder = book.holders.find(run);
  if (!holder)
    return;
  for (const auto& permit : holder->permits)
    book.scheduler.release(permit.ticket, true, self->state.now());
  self->state.watched.erase(holder->actor);
  book.holders.erase(run);
}

/// @returns Whether there still is somebody to watch.
bool watch(scheduler_self self, const caf::actor_addr& actor,
           const run_id& run) {
  const auto hdl = caf::actor_cast<caf::strong_actor_ptr>(actor);
  if (!hdl)
    return false;
  if (self->state.watched.emplace(actor, run).second)
    self->monitor(caf::actor_cast<caf::actor>(hdl));
  return true;
}

// -- what runs say ------------------------------------------------------------

void take_up(scheduler_self self, const leave_budget& x, timestamp) {
  self->state.desk->set_budget(x.run, false);
  self->state.book->scheduler.remove_budget(budget_name(x.run));
}

/// @returns The life of the run that asks; nothing: it has ended meanwhile.
permit_book::holder* holder_of(scheduler_self self, const reserve_call& x) {
  auto& book = *self->state.book;
  const auto& run = x.request.run;
  if (auto* known = book.holders.find(run)) {
    if (known->actor == x.holder)
      return known;           // It is watched.
    forget_holder(self, run); // It lives anew.
  }
  if (!watch(self, x.holder, run))
    return nullptr;
  auto& made = book.holders[run];
  made.actor = x.holder;
  made.place = book.holders.slot_of(run);
  return &made;
}

void take_up(scheduler_self self, reserve_call& x, timestamp now) {
  auto& book = *self->state.book;
  auto* holder = holder_of(self, x);
  if (!holder)
    return;
  x.request.budget =
    place_budgets(book.scheduler, x.request.tenant, x.budgets, now);
  for (const auto& each : x.budgets)
    self->state.desk->set_budget(each.run, true);
  x.request.tag = holder->place;
  const auto ticket = book.scheduler.reserve(x.request, now);
  if (!ticket) {
    tell(x.holder, call_decided{x.permit, ticket.error()});
    return;
  }
  holder->permits.push_back({x.permit, *ticket});
}

void take_up(scheduler_self self, const end_call& x, timestamp now) {
  auto& book = *self->state.book;
  auto* holder = book.holders.find(x.run);
  const auto* known = holder ? holder->find(x.permit) : nullptr;
  if (!known)
    return; // Given back before.
  const auto permit = take_out(*holder, *known);
  auto& scheduler = book.scheduler;
  for (const auto& report : x.limits)
    scheduler.report(permit.ticket, report, now);
  match(
    x.how,
    [&](const call_usage& used) { scheduler.commit(permit.ticket, used, now); },
    [&](const call_released& lost) {
      scheduler.release(permit.ticket, lost.sent, now, lost.may_cost);
    },
    [&](const throttle& how) { scheduler.throttled(permit.ticket, how, now); });
}

void take_up_all(scheduler_self self) {
  auto& st = self->state;
  const auto now = st.now();
  st.desk->take(st.notes);
  for (auto& note : st.notes)
    std::visit([&](auto& x) { take_up(self, x, now); }, note);
  st.notes.clear();
}

// -- what follows -------------------------------------------------------------

void announce(permit_book& book, const call_granted& x,
              permit_book::holder& holder, const permit_book::permit& permit) {
  book.holders.expect(x.run, holder); // It ends, and asks again.
  tell(holder.actor, call_decided{permit.number});
}

void announce(permit_book&, const call_refused& x, permit_book::holder& holder,
              const permit_book::permit& permit) {
  const auto number = take_out(holder, permit).number;
  tell(holder.actor, call_decided{number, x.why});
}

void announce_all(permit_book& book,
                  const std::vector<call_outcome>& outcomes) {
  const auto holder_of = [&](const call_outcome& outcome) {
    return book.holders.at(std::visit(
      [](const auto& x) { return static_cast<std::uint32_t>(x.tag); },
      outcome));
  };
  // Before the first one is told, so that the memory of all comes at once.
  for (const auto& outcome : outcomes)
    fetch(holder_of(outcome), sizeof(permit_book::holder));
  for (const auto& outcome : outcomes)
    std::visit(
      [&](const auto& x) {
        auto* holder = holder_of(outcome);
        if (const auto* permit =
              holder ? holder->find_ticket(x.ticket) : nullptr)
          announce(book, x, *holder, *permit); // Else it was given up.
      },
      outcome);
}

void set_alarm(scheduler_self self, timestamp now) {
  auto& st = self->state;
  const auto next = st.book->scheduler.next_event(now);
  if (!next || (st.alarm && *st.alarm > now && *st.alarm <= *next))
    return; // One that is under way comes in time.
  const auto wait = std::max(*next - now, alarm_min);
  st.alarm = now + wait;
  self->delayed_send(self, wait, look_at_calls{});
}

void look(scheduler_self self) {
  take_up_all(self);
  auto& st = self->state;
  const auto now = st.now();
  announce_all(*st.book, st.book->scheduler.poll(now));
  st.desk->waiting = st.book->scheduler.calls_waiting();
  set_alarm(self, now);
}

std::optional<call_waiting> why_waits(scheduler_self self, const run_id& run) {
  auto& st = self->state;
  const auto* holder = st.book->holders.find(run);
  if (!holder)
    return std::nullopt;
  for (const auto& permit : holder->permits)
    if (auto why = st.book->scheduler.waiting(permit.ticket, st.now()))
      return why;
  return std::nullopt;
}

/// Asks for our slices of what processes share. If that fails the next time is
/// soon enough: what we have is ours for some seconds.
void renew(scheduler_self self) {
  auto& st = self->state;
  take_up_all(self);
  lease_limits wanted{st.context->process,
                      st.book->scheduler.limit_needs(st.now()), st.book->leases,
                      st.now()};
  if (wanted.needs.empty())
    return;
  self->request(st.context->journal.get(), caf::infinite, std::move(wanted))
    .then(
      [self](const limit_leases& x) {
        auto& book = *self->state.book;
        for (const auto& lease : x.leases) {
          book.scheduler.set_slice(lease.slice, self->state.now());
          book.leases[lease.slice.limit] = lease.epoch;
        }
        look(self);
      },
      [](const caf::error&) {});
}

result<bool> declare_all(scheduler_self self, const declare_limits& x) {
  auto& st = self->state;
  for (auto limit : x.limits) {
    limit.across_processes =
      limit.across_processes && st.context->store_is_shared;
    auto declared = st.book->scheduler.declare(limit, st.now());
    if (!declared)
      return declared.error();
    st.desk->has_rules = true;
  }
  renew(self);
  return true;
}

} // namespace

scheduler_actor::behavior_type
scheduler(scheduler_self self, std::shared_ptr<const run_context> context,
          std::shared_ptr<permit_book> book) {
  auto& state = self->state;
  state.desk = context->calls;
  state.context = std::move(context);
  state.book = std::move(book);
  self->set_down_handler([self](const caf::down_msg& down) {
    take_up_all(self); // What it said before it ended.
    const auto i = self->state.watched.find(down.source);
    if (i == self->state.watched.end())
      return;
    const auto run = i->second; // Goes with its entry.
    forget_holder(self, run);
    look(self);
  });
  std::vector<run_id> gone;
  state.book->holders.for_each(
    [&](const run_id& run, const permit_book::holder& holder) {
      if (!watch(self, holder.actor, run))
        gone.push_back(run);
    });
  for (const auto& run : gone)
    forget_holder(self, run);
  return {
    [self](const look_at_calls&) { look(self); },
    [self](const declare_limits& x) -> caf::result<bool> {
      const auto declared = declare_all(self, x);
      look(self);
      return to_caf(declared);
    },
    [self](const renew_slices&) { renew(self); },
    [self](const waiting_query& x) {
      return waiting_answer{why_waits(self, x.run)};
    },
    [self](const figures_query&) {
      return self->state.book->scheduler.figures(self->state.now());
    },
  };
}

} // namespace kestrion
