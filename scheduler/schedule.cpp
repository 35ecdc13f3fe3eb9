#include <kestrion/scheduler/schedule.hpp>

#include <algorithm>

namespace kestrion {

namespace {

void remember(schedule_state& state, timestamp tick,
              const std::optional<run_id>& run) {
  if (!run || (state.last_tick && *state.last_tick > tick))
    return;
  state.last_tick = tick;
  state.last_run = run;
}

std::vector<timestamp> first_ticks(const tick_series& ticks,
                                   const backfill_range& range,
                                   std::size_t count_max) {
  std::vector<timestamp> out;
  for (auto t = ticks.next(range.after);
       t && *t < range.until && out.size() < count_max; t = ticks.next(*t))
    out.push_back(*t);
  return out;
}

} // namespace

schedule_plan plan_ticks(const tick_series& ticks, const schedule_request& r,
                         schedule_state state, timestamp now,
                         std::size_t backfill_max) {
  schedule_plan out;
  if (!state.backfills.empty())
    out.backfill = first_ticks(ticks, state.backfills.front(), backfill_max);
  if (!state.paused_by) {
    if (r.missed == missed_ticks::skip && now - state.settled > r.grace) {
      const auto late = now - r.grace - duration{1};
      if (const auto first = ticks.next(state.settled); first && *first <= late)
        state.settled = late; // For good, also if the clock is set back.
    }
    if (now > state.settled)
      out.due =
        ticks.last(state.settled, now,
                   r.missed == missed_ticks::latest ? 1 : ticks_due_max);
    out.next = ticks.next(std::max(state.settled, now));
  }
  out.state = std::move(state);
  return out;
}

void settle_tick(schedule_state& state, timestamp tick,
                 const std::optional<run_id>& run) {
  state.settled = std::max(state.settled, tick);
  remember(state, tick, run);
}

void settle_backfill(schedule_state& state, const tick_series& ticks,
                     timestamp tick, const std::optional<run_id>& run) {
  remember(state, tick, run);
  if (state.backfills.empty())
    return; // Another process was as fast.
  auto& range = state.backfills.front();
  if (tick <= range.after || tick >= range.until)
    return;
  range.after = tick;
  if (first_ticks(ticks, range, 1).empty())
    state.backfills.erase(state.backfills.begin());
}

std::string tick_key(const std::string& schedule, timestamp tick) {
  return "schedule/" + schedule + '/' + to_string(tick);
}

} // namespace kestrion
