#pragma once

#include <algorithm>
#include <chrono>
#include <string>

namespace kestrion {

/// UTC, in microseconds. Enters the machine inside commands only.
using timestamp = std::chrono::sys_time<std::chrono::microseconds>;

/// How long a thing took, or a limit on it.
using duration = std::chrono::microseconds;

/// `t + d`, or the end of time where that would overflow: "no limit" may be
/// written as `duration::max()`.
constexpr timestamp later(timestamp t, duration d) {
  return d > timestamp::max() - std::max(t, timestamp{}) ? timestamp::max()
                                                         : t + d;
}

/// "2026-11-23T03:09:33.123456Z" (RFC 3339).
std::string to_string(timestamp t);

/// The system's clock, rounded down to microseconds. Shells only.
timestamp system_now();

} // namespace kestrion
