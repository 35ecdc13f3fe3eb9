#include <kestrion/scheduler/tick_series.hpp>

#include <kestrion/messages/match.hpp>

#include <algorithm>
#include <iterator>

namespace kestrion {

namespace {

constexpr timestamp first_time{};
constexpr timestamp last_time =
  std::chrono::sys_days{std::chrono::year{10'000} / 1 / 1} - duration{1};

std::optional<error> check_time(std::string_view what, timestamp t) {
  if (t >= first_time && t <= last_time)
    return std::nullopt;
  return error{errc::invalid_argument,
               std::string{what} + " is "
                 + std::to_string(t.time_since_epoch().count())
                 + " microseconds after 1970; expected a time in the years "
                   "1970 to 9999"};
}

std::optional<error> check_interval(duration d) {
  if (d >= interval_min && d <= interval_max)
    return std::nullopt;
  return error{errc::invalid_argument,
               "the interval is " + std::to_string(d.count())
                 + " microseconds; expected 1 s to 36525 days"};
}

std::optional<timestamp> next_of(const at_intervals& x, timestamp after) {
  if (after < x.anchor)
    return x.anchor;
  if (after > last_time)
    return std::nullopt;
  return x.anchor + ((after - x.anchor) / x.interval + 1) * x.interval;
}

} // namespace

schedule_times at(timestamp time) {
  return at_time{time};
}

schedule_times every(duration interval, timestamp anchor) {
  return at_intervals{interval, anchor};
}

schedule_times cron(std::string expression, std::string zone) {
  return at_cron_times{std::move(expression), std::move(zone)};
}

result<tick_series> tick_series::make(const schedule_times& times) {
  tick_series out;
  auto why = match(
    times,
    [&](const at_time& x) {
      out.times_ = x;
      return check_time("the time", x.time);
    },
    [&](const at_intervals& x) {
      out.times_ = x;
      auto no = check_interval(x.interval);
      return no ? no : check_time("the anchor", x.anchor);
    },
    [&](const at_cron_times& x) -> std::optional<error> {
      auto parsed = cron_expression::parse(x.expression, x.zone);
      if (!parsed)
        return parsed.error();
      out.times_ = *parsed;
      return std::nullopt;
    });
  if (why)
    return std::move(*why);
  return out;
}

std::optional<timestamp> tick_series::next(timestamp after) const {
  return match(
    times_,
    [&](const at_time& x) {
      return x.time > after ? std::optional{x.time} : std::nullopt;
    },
    [&](const at_intervals& x) { return next_of(x, after); },
    [&](const cron_expression& x) { return x.next(after); });
}

std::vector<timestamp> tick_series::last(timestamp after, timestamp until,
                                         std::size_t count_max) const {
  std::vector<timestamp> out;
  after = std::max(after, first_time - duration{1});
  // Looks back ever farther, until it has seen enough.
  for (duration back = std::chrono::hours{1};; back *= 4) {
    const auto from =
      until - after > back ? std::max(until - back, after) : after;
    out.clear();
    for (auto t = next(from); t && *t <= until; t = next(*t))
      out.push_back(*t);
    if (out.size() > count_max)
      out.erase(out.begin(),
                out.end() - static_cast<std::ptrdiff_t>(count_max));
    if (from == after || out.size() == count_max)
      return out;
  }
}

} // namespace kestrion
