#include <kestrion/actors/directory_parts.hpp>

#include <caf/send.hpp>

#include <algorithm>

/// What has to be looked after though nobody asks for it: runs that an earlier
/// process left, and runs whose time has come.
namespace kestrion::directory_parts {

namespace {

/// Runs that are taken up before others get their turn; the next ones follow
/// when all of them are loaded, so that a store with a million does not become
/// a million actors at once.
constexpr std::size_t page_size = 256;

/// After the store failed, and for runs that stay due: their agent is not known
/// here, or their log can't be written.
constexpr auto recover_again_after = std::chrono::seconds{1};

/// A deadline may be years away; clocks count nanoseconds.
constexpr duration alarm_max = std::chrono::hours{24};

/// Calls `then` when these have taken up what they were sent, or have crashed.
void when_ready(directory_self self, const std::vector<run_actor>& runs,
                std::function<void()> then) {
  if (runs.empty())
    return then();
  auto left = std::make_shared<std::size_t>(runs.size());
  const auto one_less = [left, then = std::move(then)] {
    if (--*left == 0)
      then();
  };
  for (const auto& run : runs)
    self->request(run, caf::infinite, ready_query{})
      .then([one_less](bool) { one_less(); },
            [one_less](const caf::error&) {
              one_less(); // Its supervisor sees to it.
            });
}

result<std::vector<run_row>> page_of(directory_self self,
                                     const recover_all& from) {
  auto& st = self->state;
  if (from.stage == recovery_stage::running) {
    std::vector<std::string> names;
    for (const auto& [name, ignored] : *st.agents)
      names.push_back(name);
    return st.context->store->claim_unfinished(names, from.after, page_size);
  }
  const bool is_child = from.stage == recovery_stage::children;
  run_query waiting;
  waiting.statuses = {is_child ? run_status::waiting_on_human
                               : run_status::waiting_on_child};
  waiting.has_parent = is_child;
  waiting.after = from.after;
  waiting.limit = page_size;
  return st.context->store->list(waiting);
}

/// @returns Where to go on after a page; nothing after the last one.
std::optional<recover_all> next_of(const recover_all& from,
                                   const std::vector<run_row>& page) {
  auto next = from;
  if (page.size() == page_size) {
    next.after = page.back().id;
    return next;
  }
  if (!from.rest || from.stage == recovery_stage::children)
    return std::nullopt;
  next.after.reset();
  next.stage = from.stage == recovery_stage::running ? recovery_stage::parents
                                                     : recovery_stage::children;
  return next;
}

void ring_from(directory_self self, const std::optional<run_row>& after,
               bool any);

/// The run, if it is ours to wake up.
result<resident*> due_run(directory_self self, const run_row& row) {
  auto& st = self->state;
  // Without recovery, what another process left running is left alone.
  if (!st.context->recovers && !is_at_rest(row.status)
      && !st.live->contains(row.id))
    return error{errc::refused, "run " + row.id.str() + " is not ours"};
  return wake(self, row);
}

void end_ring(directory_self self, timestamp now, bool any) {
  self->state.rings = false;
  const auto next = self->state.context->store->next_wake(now);
  if (!next || any)
    set_alarm(self, now + recover_again_after);
  if (next && *next)
    set_alarm(self, **next);
}

void ring_from(directory_self self, const std::optional<run_row>& after,
               bool any) {
  auto& st = self->state;
  const auto now = st.context->now();
  const auto page = st.context->store->due(now, after, page_size);
  if (!page)
    return end_ring(self, now, true);
  std::vector<run_actor> woken;
  for (const auto& row : *page)
    if (auto run = due_run(self, row)) {
      ++(*run)->commands_sent;
      self->send((*run)->actor, run_due{});
      woken.push_back((*run)->actor);
    }
  any = any || !page->empty();
  if (page->size() < page_size)
    return end_ring(self, now, any);
  when_ready(self, woken,
             [self, last = page->back(), any] { ring_from(self, last, any); });
}

} // namespace

void recover_some(directory_self self, const recover_all& from) {
  auto& st = self->state;
  const auto page = page_of(self, from);
  if (!page) {
    self->delayed_send(self, recover_again_after, from);
    return;
  }
  std::vector<run_actor> taken_up;
  for (const auto& row : *page) {
    const auto agent = find_agent(*st.agents, row.agent);
    if (!agent || st.live->contains(row.id))
      continue;
    if (from.stage != recovery_stage::children)
      taken_up.push_back(admit(self, row.id, *agent, false).actor);
    cancel_if_orphan(self, row);
  }
  if (const auto next = next_of(from, *page))
    when_ready(self, taken_up, [self, next] { self->send(self, *next); });
  else if (from.rest)
    self->send(self, timers_due{});
}

void ring(directory_self self) {
  auto& st = self->state;
  st.alarm.reset();
  if (st.rings)
    return; // The one under way sets the next alarm.
  st.rings = true;
  ring_from(self, std::nullopt, false);
}

void set_alarm(directory_self self, timestamp at) {
  auto& st = self->state;
  const auto now = st.context->now();
  at = std::min(at, now + alarm_max);
  if (st.alarm && *st.alarm <= at)
    return;
  st.alarm = at;
  if (at <= now)
    self->send(self, timers_due{});
  else
    self->delayed_send(self, at - now, timers_due{});
}

} // namespace kestrion::directory_parts
