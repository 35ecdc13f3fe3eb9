#include <kestrion/scheduler/cron.hpp>

#include <algorithm>

namespace kestrion {

namespace {

constexpr timestamp end_of_time =
  std::chrono::sys_days{std::chrono::year{10'000} / 1 / 1};

} // namespace

result<cron_expression> cron_expression::parse(std::string_view text,
                                               std::string_view zone) {
  cron_expression out;
  auto fields = cron_fields::parse(text);
  if (!fields)
    return fields.error();
  auto found = time_zone::find(zone);
  if (!found)
    return found.error();
  out.fields_ = *fields;
  out.zone_ = *found;
  return out;
}

std::optional<timestamp> cron_expression::next(timestamp after) const {
  after = std::max(after, timestamp{} - duration{1});
  if (after >= end_of_time)
    return std::nullopt;
  auto out =
    fields_.hours_recur ? next_in_real_time(after) : next_by_the_wall(after);
  if (out && *out >= end_of_time)
    out.reset();
  return out;
}

std::optional<timestamp>
cron_expression::next_in_real_time(timestamp after) const {
  auto from = after + duration{1};
  for (;;) {
    const auto period = zone_.at(from);
    const auto wall = fields_.first_from(period.shown_at(from));
    if (!wall)
      return std::nullopt;
    const auto tick = period.when_shown(*wall);
    if (tick < period.end)
      return tick;
    from = period.end; // Clocks show something else from here on.
  }
}

/// Wall times in their order are instants in their order, though several may be
/// one: all that a gap skips.
std::optional<timestamp>
cron_expression::next_by_the_wall(timestamp after) const {
  auto from = zone_.at(after).shown_at(after);
  for (;;) {
    const auto wall = fields_.first_from(from);
    if (!wall)
      return std::nullopt;
    const auto tick = first_shown(*wall);
    if (tick > after)
      return tick;
    from = *wall + duration{1};
  }
}

/// When clocks first show `t`, or more.
timestamp cron_expression::first_shown(wall_time t) const {
  // No zone is a day away from UTC: this is before.
  auto period =
    zone_.at(timestamp{t.time_since_epoch()} - std::chrono::days{1});
  while (period.when_shown(t) >= period.end)
    period = zone_.at(period.end);
  return std::max(period.when_shown(t), period.begin);
}

} // namespace kestrion
