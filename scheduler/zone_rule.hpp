#pragma once

#include <kestrion/messages/time.hpp>

#include <chrono>
#include <optional>
#include <string_view>

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

/// When clocks change, year by year, without an end: what a zone's file says of
/// the times after those that it lists.
/// @par Source POSIX.1 §8.3, the variable TZ; RFC 8536 §3.3.1
class zone_rule {
public:
  /// @param text  "CET-1CEST,M3.5.0,M10.5.0/3". Changes are given by month,
  ///              week and day of week, as all zones have them.
  /// @returns Nothing if it is no such rule.
  static std::optional<zone_rule> parse(std::string_view text);

  /// The period that `t`, in the years 1970 to 9999, lies in.
  zone_period at(timestamp t) const;

private:
  class reader;

  /// To an offset, on the n-th weekday of a month; 5 is the last one.
  struct change {
    std::chrono::month month{};
    unsigned week = 1;
    std::chrono::weekday weekday{};
    std::chrono::seconds time{};   ///< By the clocks before, from midnight.
    std::chrono::seconds before{}; ///< Their offset.
    std::chrono::seconds after{};

    timestamp in(std::chrono::year year) const;
  };

  std::chrono::seconds offset_{}; ///< Unless there are changes.
  std::optional<change> forward_; ///< Both, or none.
  std::optional<change> back_;
};

} // namespace kestrion
