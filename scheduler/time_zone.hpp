#pragma once

#include <kestrion/messages/error.hpp>
#include <kestrion/messages/time.hpp>

#include <chrono>
#include <string_view>

namespace date {
class time_zone;
} // namespace date

namespace kestrion {

/// What a clock on the wall shows, of no zone in particular.
using wall_time = std::chrono::local_time<duration>;

/// While the clocks of a zone differ from UTC by one offset.
struct zone_period {
  timestamp begin;
  timestamp end; ///< Exclusive.
  duration offset{};

  wall_time shown_at(timestamp t) const {
    return wall_time{t.time_since_epoch() + offset};
  }
  timestamp when_shown(wall_time t) const {
    return timestamp{t.time_since_epoch() - offset};
  }
};

/// A zone of the system's time zone database, as it was when the program first
/// asked for one. Copies are cheap.
/// @par Threading Any thread.
/// @par Source IANA's tz database; Debian's package tzdata
class time_zone {
public:
  time_zone() = default; ///< UTC, which needs no database.

  /// @param name  "UTC", "Europe/Berlin": case matters.
  /// @par Errors `invalid_argument` for a name that the database does not
  ///   have; `io` if there is no database
  static result<time_zone> find(std::string_view name);

  /// The period that `t` lies in.
  zone_period at(timestamp t) const;

private:
  const date::time_zone* zone_ = nullptr; ///< Lives as long as the program.
};

} // namespace kestrion
