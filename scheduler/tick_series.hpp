#pragma once

#include <kestrion/scheduler/cron.hpp>

#include <boost/describe/class.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// The times that a schedule names, as values and to be asked for.
namespace kestrion {

/// Once.
struct at_time {
  static constexpr std::string_view tag = "at";
  timestamp time;
  bool operator==(const at_time&) const = default;
};
BOOST_DESCRIBE_STRUCT(at_time, (), (time))

/// At `anchor`, and whenever another interval has passed.
struct at_intervals {
  static constexpr std::string_view tag = "every";
  duration interval{};
  timestamp anchor;
  bool operator==(const at_intervals&) const = default;
};
BOOST_DESCRIBE_STRUCT(at_intervals, (), (interval, anchor))

/// By a cron expression (`cron_fields::parse`) in a time zone.
struct at_cron_times {
  static constexpr std::string_view tag = "cron";
  std::string expression;
  std::string zone;
  bool operator==(const at_cron_times&) const = default;
};
BOOST_DESCRIBE_STRUCT(at_cron_times, (), (expression, zone))

using schedule_times = std::variant<at_time, at_intervals, at_cron_times>;

/// Once, at that time.
schedule_times at(timestamp time);

/// Whenever so much time has passed since `anchor`, which is the first tick.
/// Without one it is whole hours, days, ... of UTC that count, whenever the
/// program was started.
/// @param interval  1 s (`interval_min`) to 36,525 days (`interval_max`).
schedule_times every(duration interval, timestamp anchor = {});

/// "0 3 * * *": at three in the morning, as the clocks of `zone` show it.
/// @param expression  As crontab(5) has it: `cron_fields::parse`.
/// @param zone        Of the system's time zone database.
schedule_times cron(std::string expression, std::string zone = "UTC");

inline constexpr duration interval_min = std::chrono::seconds{1};
inline constexpr duration interval_max = std::chrono::days{36'525};

/// `schedule_times`, checked and ready to be asked.
/// @par Threading Immutable: any thread.
class tick_series {
public:
  /// @par Errors `invalid_argument`: no such expression, zone or interval, a
  ///   time before 1970 or after 9999; `io`: no time zone database
  static result<tick_series> make(const schedule_times& times);

  /// The first tick later than `after`.
  std::optional<timestamp> next(timestamp after) const;

  /// The last ticks of those after `after` and not after `until`, in order.
  /// Takes time by how many are asked for, not by how many there are.
  std::vector<timestamp> last(timestamp after, timestamp until,
                              std::size_t count_max) const;

private:
  std::variant<at_time, at_intervals, cron_expression> times_;
};

} // namespace kestrion
