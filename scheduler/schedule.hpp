#pragma once

#include <kestrion/messages/call_lane.hpp>
#include <kestrion/messages/conversation.hpp>
#include <kestrion/messages/run_id.hpp>
#include <kestrion/scheduler/tick_series.hpp>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// Runs that start by the clock: what a user asks for, what is remembered, and
/// what is due. Arithmetic only; who stores it does each step in one
/// transaction.
namespace kestrion {

/// What becomes of ticks that passed while nobody could start their runs: no
/// process lived, or the machine was asleep.
enum class missed_ticks : std::uint8_t {
  latest, ///< One run, for the last of them.
  skip,   ///< None for those older than the schedule's grace.
  all,    ///< A run each, but for all except the last 1,000 (`ticks_due_max`).
};
BOOST_DESCRIBE_ENUM(missed_ticks, latest, skip, all)

/// What a tick does while the run that the schedule started last has not ended.
enum class overlap_policy : std::uint8_t {
  allow, ///< Another run, beside it.
  skip,  ///< None. Backfills and what is started by hand do not ask.
};
BOOST_DESCRIBE_ENUM(overlap_policy, allow, skip)

/// So many ticks of a schedule may be due at a time; earlier ones are left out.
/// Also the most that one backfill may start.
inline constexpr std::size_t ticks_due_max = 1'000;

/// Schedules that one store may have, and backfills that a schedule may have
/// before the first is done.
inline constexpr std::size_t schedules_max = 1'000;
inline constexpr std::size_t backfills_max = 100;

/// Which runs to start, and when.
struct schedule_request {
  std::string name; ///< One schedule a name; 1 to 128 bytes.
  std::string agent;
  message input; ///< `user_message("...")`
  schedule_times times;
  missed_ticks missed = missed_ticks::latest;
  /// How late a tick may be where those missed are skipped. A minute and more:
  /// a clock that is set forward is noticed within half of that.
  duration grace = std::chrono::minutes{1};
  std::optional<std::string> tenant = {};
  std::map<std::string, std::string> labels = {};
  call_lane lane = call_lane::batch; ///< As in `start_options`.
  int priority = 0;
  overlap_policy overlap = overlap_policy::allow;
  bool operator==(const schedule_request&) const = default;
};
BOOST_DESCRIBE_STRUCT(schedule_request, (),
                      (name, agent, input, times, missed, grace, tenant, labels,
                       lane, priority, overlap))

/// Ticks that somebody asked for though they have passed.
struct backfill_range {
  timestamp after; ///< Those up to here have been started.
  timestamp until; ///< Exclusive.
  bool operator==(const backfill_range&) const = default;
};
BOOST_DESCRIBE_STRUCT(backfill_range, (), (after, until))

/// What is remembered of a schedule.
struct schedule_state {
  /// No tick up to here is started any more, whatever the clock says.
  timestamp settled;
  std::optional<timestamp> last_tick = {}; ///< The latest that was started.
  std::optional<run_id> last_run = {};     ///< Its run.
  std::optional<std::string> paused_by = {};
  std::optional<std::string> problem = {}; ///< Why the last was not started.
  std::vector<backfill_range> backfills = {};
  bool operator==(const schedule_state&) const = default;
};
BOOST_DESCRIBE_STRUCT(schedule_state, (),
                      (settled, last_tick, last_run, paused_by, problem,
                       backfills))

/// A schedule as it is at a moment.
struct schedule_status {
  schedule_request request;
  std::optional<timestamp> next_tick; ///< Nothing: paused, or there is none.
  std::optional<timestamp> last_tick; ///< The latest that was started.
  std::optional<run_id> last_run;     ///< Its run.
  std::optional<std::string> paused_by;
  std::optional<std::string> problem; ///< Why the last one was not started.
  std::size_t backfills = 0;          ///< Ranges that are not done yet.
};

/// What a schedule owes at some time.
struct schedule_plan {
  std::vector<timestamp> due;         ///< To be started, in order.
  std::vector<timestamp> backfill;    ///< Likewise, of the first range.
  std::optional<timestamp> next = {}; ///< When a tick will be due.
  schedule_state state; ///< What to remember before any is started.
};

/// @param backfill_max  Look at so many ticks to be backfilled.
schedule_plan plan_ticks(const tick_series& ticks, const schedule_request& r,
                         schedule_state state, timestamp now,
                         std::size_t backfill_max = ticks_due_max);

/// A tick has its run, or will never have one: neither it nor one before it is
/// due any more.
void settle_tick(schedule_state& state, timestamp tick,
                 const std::optional<run_id>& run);

/// As `settle_tick`, for a tick that `plan_ticks` had to be backfilled.
void settle_backfill(schedule_state& state, const tick_series& ticks,
                     timestamp tick, const std::optional<run_id>& run);

/// The key of the run that a tick starts: the same, whoever starts it.
std::string tick_key(const std::string& schedule, timestamp tick);

} // namespace kestrion
