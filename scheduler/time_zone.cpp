#include <kestrion/scheduler/time_zone.hpp>

#include <date/tz.h>

#include <algorithm>
#include <exception>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>

namespace kestrion {

namespace {

/// The database says "for ever" as the end of the year 32,767.
constexpr timestamp listed_max =
  std::chrono::sys_days{std::chrono::year{10'000} / 1 / 1};

/// The last line of a zone's file: "CET-1CEST,M3.5.0,M10.5.0/3".
std::string footer_of(const std::string& name) {
  std::ifstream file("/usr/share/zoneinfo/" + name, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>{file}, {}};
  if (text.empty() || text.back() != '\n')
    return {};
  text.pop_back();
  return text.substr(text.find_last_of('\n') + 1);
}

/// Read once, as the database is.
std::optional<zone_rule> rule_of(const std::string& name) {
  static std::mutex mutex;
  static std::map<std::string, std::optional<zone_rule>> known;
  const std::lock_guard lock{mutex};
  const auto [at, is_new] = known.try_emplace(name);
  if (is_new)
    at->second = zone_rule::parse(footer_of(name));
  return at->second;
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
  out.rule_ = rule_of(std::string{name});
  return out;
}

zone_period time_zone::at(timestamp t) const {
  if (!zone_)
    return {timestamp::min(), timestamp::max(), {}};
  const auto info = zone_->get_info(t);
  const zone_period listed{info.begin, info.end, info.offset};
  if (!rule_ || listed.end < listed_max)
    return listed;
  auto out = rule_->at(t);
  out.begin = std::max(out.begin, listed.begin);
  return out;
}

} // namespace kestrion
