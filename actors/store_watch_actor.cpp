#include <kestrion/actors/store_watch_actor.hpp>

namespace kestrion {

namespace {

using store_watch_self = store_watch_actor::stateful_pointer<store_watch_state>;
using std::chrono::milliseconds;

/// How late we hear of what another process did; a look costs microseconds.
constexpr auto look_interval = milliseconds{5};

/// A tenth of the leases of runs and of limits.
constexpr auto renew_interval = milliseconds{1'000};

/// A process that dies changes nothing more, so now and then we try to take
/// over what others wait for here ...
constexpr auto take_over_interval = milliseconds{500};

/// ... and whatever else a process left that died.
constexpr auto adopt_interval = milliseconds{5'000};

/// Smaller steps, as those of a clock that is kept right, do not matter.
constexpr duration clock_step_min = milliseconds{200};

/// Whether its time has come; then it comes again after `interval`.
bool is_due(store_watch_state::time_point& at,
            store_watch_state::time_point now, milliseconds interval) {
  if (now < at)
    return false;
  at = now + interval;
  return true;
}

/// Whether the wall clock has jumped since the last look: somebody set it, or
/// the machine was suspended. Alarms count the time of a clock that does not.
bool is_clock_set(store_watch_state& st, store_watch_state::time_point now) {
  const auto ahead =
    st.context->now().time_since_epoch()
    - std::chrono::duration_cast<duration>(now.time_since_epoch());
  const auto moved = st.wall_ahead ? ahead - *st.wall_ahead : duration{};
  if (st.wall_ahead && std::chrono::abs(moved) < clock_step_min)
    return false;
  const bool is_first = !st.wall_ahead;
  st.wall_ahead = ahead;
  return !is_first;
}

void look(store_watch_self self) {
  auto& st = self->state;
  self->delayed_send(self, look_interval, look_at_store{});
  const auto now = self->clock().now(); // Nobody sets it back.
  if (is_due(st.renews, now, renew_interval))
    self->send(st.context->journal.get(), renew_lease{});
  if (is_due(st.leases, now, renew_interval))
    self->send(st.context->scheduler.get(), renew_slices{});
  const auto directory = strong<directory_actor>(st.context->directory);
  if (!directory)
    return; // Being started anew.
  if (is_clock_set(st, now))
    self->send(directory, timers_due{});
  const auto changes = st.context->store->change_counter();
  if (changes != st.changes_seen && st.context->events->is_open())
    self->send(st.context->events->hub(), look_at_store{});
  const store_news news{is_due(st.takes_over, now, take_over_interval),
                        is_due(st.adopts, now, adopt_interval)};
  if (changes == st.changes_seen && !news.may_take_over && !news.may_adopt)
    return;
  st.changes_seen = changes;
  self->send(directory, news);
}

} // namespace

store_watch_actor::behavior_type
store_watch(store_watch_self self, std::shared_ptr<const run_context> context) {
  auto& st = self->state;
  st.context = std::move(context);
  st.adopts = self->clock().now() + adopt_interval; // The start does it now.
  self->send(self, look_at_store{});
  return {
    [self](const look_at_store&) { look(self); },
  };
}

} // namespace kestrion
