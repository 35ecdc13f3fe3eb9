#include <kestrion/messages/time.hpp>

#include <cstdio>

namespace kestrion {

std::string to_string(timestamp t) {
  const auto day = std::chrono::floor<std::chrono::days>(t);
  const std::chrono::year_month_day ymd{day};
  const std::chrono::hh_mm_ss hms{t - day};
  char text[40];
  std::snprintf(
    text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ",
    static_cast<int>(ymd.year()), static_cast<unsigned>(ymd.month()),
    static_cast<unsigned>(ymd.day()), static_cast<int>(hms.hours().count()),
    static_cast<int>(hms.minutes().count()),
    static_cast<int>(hms.seconds().count()),
    static_cast<int>(hms.subseconds().count()));
  return text;
}

timestamp system_now() {
  return std::chrono::floor<std::chrono::microseconds>(
    std::chrono::system_clock::now());
}

} // namespace kestrion
