#pragma once

#include <kestrion/messages/error.hpp>
#include <kestrion/scheduler/time_zone.hpp>

#include <bitset>
#include <optional>
#include <string_view>

namespace kestrion {

/// The wall times that a cron expression names, without a zone.
/// @par Source crontab(5) of Vixie cron
struct cron_fields {
  std::bitset<60> minutes;
  std::bitset<24> hours;
  std::bitset<32> days;     ///< Of the month; 1 to 31.
  std::bitset<13> months;   ///< 1 to 12.
  std::bitset<7> weekdays;  ///< 0: Sunday.
  bool either_day = false;  ///< Day of month or day of week will do.
  bool hours_recur = false; ///< The hours are "*", or have a step.

  /// Five fields (minute, hour, day of month, month, day of week), or
  /// `@hourly`,
  /// `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly`, `@annually`. A
  /// field is a list of `*`, values and ranges; `*` and ranges may have a step.
  /// Months and days of the week have names too (JAN, MON); Sunday is 0 and 7.
  /// If neither day field begins with `*`, a day has to fit only one of them.
  /// @par Errors `invalid_argument`: the sentence names the field and its
  ///   value; also if no date ever fits, such as February 30
  static result<cron_fields> parse(std::string_view text);

  /// The first minute that fits, not before `from`.
  /// @returns Nothing if none of the next 400 years has one; then none has.
  std::optional<wall_time> first_from(wall_time from) const;
};

} // namespace kestrion
