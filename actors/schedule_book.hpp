#pragma once

#include <kestrion/messages/event.hpp>
#include <kestrion/scheduler/schedule.hpp>
#include <kestrion/store/event_store.hpp>

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// The schedules of a store, which all its processes share. Each change is one
/// transaction. All of them may fail with `io`, and with `corrupt` or
/// `unsupported` if what the store has is not (yet) ours to read; nothing has
/// changed then.
namespace kestrion {

/// What the store has of one schedule.
struct stored_schedule {
  schedule_request request;
  schedule_state state;
};
BOOST_DESCRIBE_STRUCT(stored_schedule, (), (request, state))

using schedule_book = std::map<std::string, stored_schedule>; ///< By name.

result<schedule_book> read_schedules(event_store& store);

/// @par Errors `not_found`
result<stored_schedule> find_schedule(event_store& store,
                                      std::string_view name);

/// Adds a schedule, or gives the one of that name another content; the same
/// content changes nothing. Ticks up to now are none of new times.
/// @par Errors `invalid_argument` for a name or times that make no sense, or
///   times that have passed; `limit_exceeded` (`schedules_max`)
result<void> put_schedule(event_store& store, schedule_request r,
                          timestamp now);

/// @par Errors `not_found`
result<void> remove_schedule(event_store& store, std::string_view name);

/// Nothing if it is paused already. @par Errors `not_found`,
/// `invalid_argument`
result<void> pause_schedule(event_store& store, std::string_view name,
                            std::string by);

/// What passed while it was paused was not missed. Nothing if it is not
/// paused. @par Errors `not_found`
result<void> resume_schedule(event_store& store, std::string_view name,
                             timestamp now);

/// Has the ticks from `from` to before `until` started, but for those that have
/// a run. @par Errors `not_found`; `invalid_argument` for a range that is none,
/// or not of the past; `limit_exceeded` (`ticks_due_max`, `backfills_max`)
result<void> backfill_schedule(event_store& store, std::string_view name,
                               timestamp from, timestamp until, timestamp now);

// -- what is due --------------------------------------------------------------

/// What a run is started with besides its agent and prompt. No key yet.
run_started header_of(const schedule_request& r);

/// A run to be started for a tick.
struct due_start {
  schedule_request request;
  timestamp tick;
  bool is_backfill = false;
  std::optional<run_id> waits_for = {}; ///< It is skipped until that has ended.
};

struct schedule_look {
  /// In the order of their ticks. Where runs may not overlap, one of a schedule
  /// at a time.
  std::vector<due_start> starts;
  std::optional<timestamp> next; ///< When the next tick will be due.
};

/// @param knows      Whether an agent is known here; the schedules of others
///                   are for other processes.
/// @param starts_max Of all that is due, the first of each schedule.
result<schedule_look>
look_at_book(event_store& store,
             const std::function<bool(const std::string& agent)>& knows,
             timestamp now, std::size_t starts_max);

/// What became of a start.
struct tick_outcome {
  std::string schedule;
  timestamp tick;
  bool is_backfill = false;
  result<run_id> run;
};

/// Settles ticks that have been started, and those that can't be. One whose
/// error may pass is still due, and so are those of its schedule after it.
/// @param outcomes  In the order of `schedule_look::starts`.
result<void> note_outcomes(event_store& store,
                           const std::vector<tick_outcome>& outcomes);

} // namespace kestrion
