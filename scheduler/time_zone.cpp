#include <kestrion/scheduler/time_zone.hpp>

#include <date/tz.h>

#include <exception>
#include <string>

namespace kestrion {

namespace {

/// The database says "since ever" and "for ever" in years that our units do not
/// reach.
timestamp clamped(date::sys_seconds t) {
  if (t > timestamp::max())
    return timestamp::max();
  if (t < timestamp::min())
    return timestamp::min();
  return t;
}

} // namespace

result<time_zone> time_zone::find(std::string_view name) {
  time_zone out;
  if (name == "UTC")
    return out;
  try {
    static_cast<void>(date::get_tzdb());
  } catch (const std::exception& e) {
    return error{errc::io,
                 "there is no time zone database for \"" + std::string{name}
                   + "\" (Debian's package tzdata has one): " + e.what()};
  }
  try {
    out.zone_ = date::locate_zone(name);
    static_cast<void>(out.at({})); // It is read when it is first asked.
  } catch (const std::exception&) {
    return error{errc::invalid_argument,
                 "there is no time zone \"" + std::string{name}
                   + "\"; expected a name such as \"UTC\" or "
                     "\"Europe/Berlin\""};
  }
  return out;
}

zone_period time_zone::at(timestamp t) const {
  if (!zone_)
    return {timestamp::min(), timestamp::max(), {}};
  const auto info = zone_->get_info(t);
  return {clamped(info.begin), clamped(info.end), info.offset};
}

} // namespace kestrion
