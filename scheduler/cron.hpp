#pragma once

#include <kestrion/scheduler/cron_fields.hpp>

#include <optional>
#include <string_view>

namespace kestrion {

/// A cron expression in a time zone.
///
/// When clocks change, what names its hours fires once a day for each of them:
/// a time that clocks skip, at the first instant after; a time that they show
/// twice, the first time. An expression whose hours are `*` or have a step
/// goes by real time: what clocks skip is left out, what they show twice fires
/// twice, so that every 15 minutes is every 15 minutes.
/// @par Threading Immutable: any thread.
/// @par Source cron(8) of Debian (Vixie cron), on daylight saving time
class cron_expression {
public:
  /// @par Errors As `cron_fields::parse` and `time_zone::find`
  static result<cron_expression> parse(std::string_view text,
                                       std::string_view zone);

  /// The first tick later than `after`, which counts from 1970 on.
  /// @returns Nothing if that is after the year 9999.
  std::optional<timestamp> next(timestamp after) const;

private:
  std::optional<timestamp> next_in_real_time(timestamp after) const;
  std::optional<timestamp> next_by_the_wall(timestamp after) const;
  timestamp first_shown(wall_time t) const;

  cron_fields fields_;
  time_zone zone_;
};

} // namespace kestrion
