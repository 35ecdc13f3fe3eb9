/// Cron expressions: a table of what they mean and of what is refused, days on
/// which clocks change, and an oracle that looks at every minute with the C
/// library's clock.

#include <kestrion/scheduler/cron.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <random>
#include <string>
#include <vector>

namespace cron_test {

using namespace kestrion;
using namespace std::chrono_literals;
using std::chrono::sys_days;
using std::chrono::year;

/// "2026-03-29 01:30", UTC.
timestamp utc(const std::string& text) {
  std::array<int, 5> n{};
  BOOST_REQUIRE_EQUAL(std::sscanf(text.c_str(), "%d-%d-%d %d:%d", &n[0], &n[1],
                                  &n[2], &n[3], &n[4]),
                      5);
  return sys_days{year{n[0]} / n[1] / n[2]} + std::chrono::hours{n[3]}
         + std::chrono::minutes{n[4]};
}

cron_expression parsed(const std::string& text,
                       const std::string& zone = "UTC") {
  return cron_expression::parse(text, zone).value();
}

struct ticks_of {
  std::string expression;
  std::string zone;
  std::string after;
  std::vector<std::string> expected; ///< UTC.

  void check() const {
    BOOST_TEST_CONTEXT(expression << ", " << zone << ", after " << after) {
      const auto cron = parsed(expression, zone);
      auto t = utc(after);
      for (const auto& each : expected) {
        t = cron.next(t).value();
        BOOST_CHECK_EQUAL(to_string(t), to_string(utc(each)));
      }
    }
  }
};

/// What the C library's clocks show in a zone, minute by minute.
class c_clock {
public:
  explicit c_clock(const std::string& zone) { use(zone.c_str()); }
  c_clock(const c_clock&) = delete;
  c_clock& operator=(const c_clock&) = delete;
  ~c_clock() { use(nullptr); }

  static std::tm at(timestamp t) {
    const auto seconds = std::chrono::system_clock::to_time_t(t);
    std::tm out{};
    localtime_r(&seconds, &out);
    return out;
  }

private:
  static void use(const char* zone) {
    if (zone)
      setenv("TZ", zone, 1); // NOLINT(concurrency-mt-unsafe)
    else
      unsetenv("TZ"); // NOLINT(concurrency-mt-unsafe)
    tzset();
  }
};

/// A field as the oracle sees it: its text, and what it lets pass.
struct oracle_field {
  std::string text;
  std::vector<bool> passes;
};

/// An expression that is made of what it means, not the other way round.
struct oracle {
  std::array<oracle_field, 5> fields;
  bool hours_recur = false;
  bool either_day = false;

  std::string text() const {
    std::string out;
    for (const auto& each : fields)
      out += (out.empty() ? "" : " ") + each.text;
    return out;
  }

  bool passes(std::size_t field, int value) const {
    return fields.at(field).passes.at(static_cast<std::size_t>(value));
  }

  bool shows(const std::tm& t) const {
    const bool date = passes(2, t.tm_mday);
    const bool weekday = passes(4, t.tm_wday);
    return passes(0, t.tm_min) && passes(1, t.tm_hour)
           && passes(3, t.tm_mon + 1)
           && (either_day ? date || weekday : date && weekday);
  }

  /// Minute by minute. @returns Nothing before `until`.
  std::optional<timestamp> next(timestamp after, timestamp until) const {
    const auto begin = std::chrono::floor<std::chrono::minutes>(after);
    auto shown_max = std::time_t{};
    const auto wall = [](std::tm t) {
      return timegm(&t);
    };
    for (auto t = begin - 30h; t <= begin; t += 1min)
      shown_max = std::max(shown_max, wall(c_clock::at(t)));
    for (auto t = begin + 1min; t < until; t += 1min) {
      const auto shown = c_clock::at(t);
      const auto now = wall(shown);
      bool fires = shows(shown) && (hours_recur || now > shown_max);
      if (!hours_recur) // What was skipped just now?
        for (auto skipped = shown_max + 60; skipped < now; skipped += 60) {
          std::tm missed{};
          gmtime_r(&skipped, &missed);
          fires = fires || shows(missed);
        }
      shown_max = std::max(shown_max, now);
      if (fires)
        return t;
    }
    return std::nullopt;
  }
};

/// Makes a field at random.
oracle_field make_field(std::mt19937& random, int first, int last,
                        int values_max) {
  const auto from_to = [&](int a, int b) {
    return std::uniform_int_distribution<int>{a, b}(random);
  };
  oracle_field out;
  out.passes.resize(64);
  const auto let = [&](int a, int b, int step) {
    for (int i = a; i <= b; i += step)
      out.passes[static_cast<std::size_t>(i)] = true;
  };
  switch (from_to(0, 3)) {
    case 0:
      out.text = "*";
      let(first, last, 1);
      break;
    case 1: {
      const auto step = from_to(1, (last - first) / 2);
      out.text = "*/" + std::to_string(step);
      let(first, last, step);
      break;
    }
    case 2: {
      const auto a = from_to(first, last - 1);
      const auto b = from_to(a + 1, last);
      out.text = std::to_string(a) + '-' + std::to_string(b);
      const auto step = from_to(1, b - a);
      if (step > 1)
        out.text += '/' + std::to_string(step);
      let(a, b, step);
      break;
    }
    default:
      for (int i = from_to(1, values_max); i > 0; --i) {
        const auto value = from_to(first, last);
        out.text += (out.text.empty() ? "" : ",") + std::to_string(value);
        let(value, value, 1);
      }
  }
  return out;
}

oracle make_oracle(std::mt19937& random) {
  oracle out;
  out.fields = {make_field(random, 0, 59, 3), make_field(random, 0, 23, 4),
                make_field(random, 1, 31, 6), make_field(random, 1, 12, 6),
                make_field(random, 0, 6, 3)};
  if (random() % 2 == 0) // Else most of them hardly ever fire.
    out.fields[2] = {"*", std::vector<bool>(64, true)};
  if (random() % 2 == 0)
    out.fields[3] = {"*", std::vector<bool>(64, true)};
  if (random() % 2 == 0) // The hours in which clocks change.
    out.fields[1] = make_field(random, 0, 3, 2);
  if (out.fields[1].text.front() == '*') // "*" of those is not our "*".
    out.fields[1] = {"*", std::vector<bool>(64, true)};
  out.hours_recur = out.fields[1].text.find_first_of("*/") != std::string::npos;
  out.either_day =
    out.fields[2].text.front() != '*' && out.fields[4].text.front() != '*';
  return out;
}

} // namespace cron_test

BOOST_AUTO_TEST_SUITE(cron_test)

BOOST_AUTO_TEST_CASE(what_expressions_mean) {
  const std::vector<ticks_of> table{
    {"* * * * *",
     "UTC",
     "2026-01-01 00:00",
     {"2026-01-01 00:01", "2026-01-01 00:02"}},
    {"*/15 * * * *",
     "UTC",
     "2026-01-01 00:01",
     {"2026-01-01 00:15", "2026-01-01 00:30", "2026-01-01 00:45",
      "2026-01-01 01:00"}},
    {"5,50-59/4 9 * * *",
     "UTC",
     "2026-01-01 00:00",
     {"2026-01-01 09:05", "2026-01-01 09:50", "2026-01-01 09:54",
      "2026-01-01 09:58", "2026-01-02 09:05"}},
    {"0 3 * * *", "UTC", "2026-02-28 03:00", {"2026-03-01 03:00"}},
    {"0 3 * * *", "UTC", "2028-02-28 03:00", {"2028-02-29 03:00"}},
    {"0 0 31 * *",
     "UTC",
     "2026-01-31 00:00",
     {"2026-03-31 00:00", "2026-05-31 00:00"}},
    {"0 0 29 2 *",
     "UTC",
     "2026-01-01 00:00",
     {"2028-02-29 00:00", "2032-02-29 00:00"}},
    {"0 0 29 2 *", "UTC", "2096-03-01 00:00", {"2104-02-29 00:00"}},
    {"0 12 * * mon-Fri",
     "UTC",
     "2026-11-27 12:00", // A Friday.
     {"2026-11-30 12:00"}},
    {"0 12 * * 7", "UTC", "2026-11-27 12:00", {"2026-11-29 12:00"}},
    {"0 12 * * FRI-SUN",
     "UTC",
     "2026-11-27 12:00",
     {"2026-11-28 12:00", "2026-11-29 12:00", "2026-12-04 12:00"}},
    {"0 12 * * 5-7",
     "UTC",
     "2026-11-27 12:00",
     {"2026-11-28 12:00", "2026-11-29 12:00", "2026-12-04 12:00"}},
    {"0 12 1 JAN,jul *",
     "UTC",
     "2026-01-01 12:00",
     {"2026-07-01 12:00", "2027-01-01 12:00"}},
    // Both days are restricted: one of them will do. With a "*": both.
    {"0 0 13 * 5",
     "UTC",
     "2026-11-12 00:00",
     {"2026-11-13 00:00", "2026-11-20 00:00", "2026-11-27 00:00",
      "2026-12-04 00:00", "2026-12-11 00:00", "2026-12-13 00:00"}},
    {"0 0 */2 * 5",
     "UTC",
     "2026-11-12 00:00",
     {"2026-11-13 00:00", "2026-11-27 00:00", "2026-12-11 00:00"}},
    {"@hourly", "UTC", "2026-01-01 00:30", {"2026-01-01 01:00"}},
    {"@daily", "UTC", "2026-01-01 00:30", {"2026-01-02 00:00"}},
    {"@midnight", "UTC", "2026-01-01 00:30", {"2026-01-02 00:00"}},
    {"@weekly", "UTC", "2026-11-27 00:00", {"2026-11-29 00:00"}},
    {"@monthly", "UTC", "2026-01-01 00:30", {"2026-02-01 00:00"}},
    {"@yearly", "UTC", "2026-01-01 00:30", {"2027-01-01 00:00"}},
    {"@annually", "UTC", "2026-01-01 00:30", {"2027-01-01 00:00"}},
    {"\t0  3 * * * ",
     "Asia/Kolkata",
     "2026-01-01 00:00",
     {"2026-01-01 21:30"}}};
  for (const auto& each : table)
    each.check();
}

BOOST_AUTO_TEST_CASE(what_clocks_skip_and_what_they_show_twice) {
  const std::vector<ticks_of> table{
    // Forward: 02:00 is 03:00.
    {"30 2 * * *",
     "Europe/Berlin",
     "2026-03-28 01:30",
     {"2026-03-29 01:00", "2026-03-30 00:30"}},
    {"*/30 2 * * *",
     "Europe/Berlin",
     "2026-03-28 01:30",
     {"2026-03-29 01:00", "2026-03-30 00:00"}},
    {"30 2 * * *",
     "America/New_York",
     "2026-03-07 07:30",
     {"2026-03-08 07:00", "2026-03-09 06:30"}},
    {"15 2 * * *",
     "Australia/Lord_Howe",
     "2026-10-02 15:45",
     {"2026-10-03 15:30", "2026-10-04 15:15"}},
    {"*/20 * * * *",
     "Europe/Berlin",
     "2026-03-29 00:20",
     {"2026-03-29 00:40", "2026-03-29 01:00", "2026-03-29 01:20"}},
    // Back: 03:00 is 02:00.
    {"30 2 * * *",
     "Europe/Berlin",
     "2026-10-24 00:30",
     {"2026-10-25 00:30", "2026-10-26 01:30"}},
    {"30 1 * * *",
     "America/New_York",
     "2026-10-31 05:30",
     {"2026-11-01 05:30", "2026-11-02 06:30"}},
    {"45 1 * * *",
     "Australia/Lord_Howe",
     "2026-04-03 14:45",
     {"2026-04-04 14:45", "2026-04-05 15:15"}},
    {"*/30 * * * *",
     "Europe/Berlin",
     "2026-10-25 00:00",
     {"2026-10-25 00:30", "2026-10-25 01:00", "2026-10-25 01:30",
      "2026-10-25 02:00"}},
    {"15 */2 * * *",
     "Europe/Berlin",
     "2026-10-24 22:15", // 02:15, twice.
     {"2026-10-25 00:15", "2026-10-25 01:15", "2026-10-25 03:15"}},
    {"15,45 * * * *",
     "Australia/Lord_Howe",
     "2026-04-04 14:15",
     {"2026-04-04 14:45", "2026-04-04 15:15", "2026-04-04 15:45"}},
    // After all that the database lists.
    {"30 2 * * *",
     "Europe/Berlin",
     "2050-03-26 01:30",
     {"2050-03-27 01:00", "2050-03-28 00:30"}},
    // A day that an island never had.
    {"0 12 * * *",
     "Pacific/Apia",
     "2011-12-29 22:00",
     {"2011-12-30 10:00", "2011-12-30 22:00"}}};
  for (const auto& each : table)
    each.check();
}

BOOST_AUTO_TEST_CASE(what_is_refused_and_why) {
  const std::vector<std::pair<std::string, std::string>> table{
    {"", "has 0 fields; expected five"},
    {"* * * *", "has 4 fields; expected five"},
    {"* * * * * *", "has 6 fields; expected five"},
    {"@never", "has 1 fields; expected five"},
    {"60 * * * *", "has the minute \"60\"; expected \"*\", or values from 0"},
    {"-1 * * * *", "has the minute \"-1\"; expected"},
    {"1, * * * *", "has the minute \"\"; expected"},
    {"1-2-3 * * * *", "has the minute \"1-2-3\"; expected"},
    {"x * * * *", "has the minute \"x\"; expected"},
    {"1x * * * *", "has the minute \"1x\"; expected"},
    {"99999999999 * * * *", "has the minute \"99999999999\"; expected"},
    {"* 24 * * *", "has the hour \"24\"; expected"},
    {"* * 0 * *", "has the day of month \"0\"; expected"},
    {"* * 32 * *", "has the day of month \"32\"; expected"},
    {"* * * 13 *", "has the month \"13\"; expected"},
    {"* * * MON *", "has the month \"MON\"; expected"},
    {"* * * JANUARY *", "from 1 to 12 or JAN to DEC"},
    {"* * * * 8", "has the day of week \"8\"; expected"},
    {"30-10 * * * *", "a range that begins with the lesser value"},
    {"* * * * 5-3", "a range that begins with the lesser value"},
    {"5/15 * * * *", "a step after \"*\" or a range, such as \"5-59/15\""},
    {"*/0 * * * *", "a step from 1 to 59"},
    {"*/60 * * * *", "a step from 1 to 59"},
    {"10-20/11 * * * *", "a step from 1 to 10"},
    {"*/ * * * *", "a step from 1 to 59"},
    {"*/x * * * *", "a step from 1 to 59"},
    {"0 0 30 2 *", "no month \"2\" has a day \"30\""},
    {"0 0 31 4,6,9,11 *", "never comes"}};
  for (const auto& [text, why] : table) {
    const auto out = cron_expression::parse(text, "UTC");
    BOOST_TEST_REQUIRE(out.has_error(), text);
    BOOST_CHECK(out.error().code == errc::invalid_argument);
    BOOST_TEST(out.error().detail.find("the cron expression \"" + text + '"')
                 != std::string::npos,
               out.error().detail);
    BOOST_TEST(out.error().detail.find(why) != std::string::npos,
               out.error().detail);
  }
}

BOOST_AUTO_TEST_CASE(a_zone_that_nobody_knows_is_named) {
  for (const std::string zone :
       {"", "Mars/Olympus", "europe/berlin", "../../../etc/passwd"}) {
    const auto out = cron_expression::parse("* * * * *", zone);
    BOOST_TEST_REQUIRE(out.has_error(), zone);
    BOOST_CHECK(out.error().code == errc::invalid_argument);
    BOOST_TEST(out.error().detail.find("no time zone \"" + zone + '"')
                 != std::string::npos,
               out.error().detail);
  }
}

BOOST_AUTO_TEST_CASE(rules_of_zones_that_are_none) {
  for (const auto* text :
       {"", "3", "CET", "CET-", "CET-1x", "CET-1CEST", "CET-1CEST,M3.5.0",
        "CET-1CEST,M3.5.0,M10.5.7", "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,J60,J300", "<+03", "<",
        "CET-1CEST,M3.5.0,M10.5.0/3,", "CET-999"})
    BOOST_CHECK_MESSAGE(!zone_rule::parse(text), text);
  BOOST_CHECK(zone_rule::parse("<+0330>-3:30")->at({}).offset == 210min);
}

BOOST_AUTO_TEST_CASE(time_has_two_ends) {
  const auto cron = parsed("0 0 1 1 *");
  BOOST_CHECK(cron.next(timestamp::min()).value() == timestamp{});
  BOOST_CHECK(!cron.next(utc("9999-06-01 00:00")));
  BOOST_CHECK(!cron.next(timestamp::max()));
  BOOST_CHECK(!parsed("* * * * *", "Europe/Berlin").next(timestamp::max()));
}

BOOST_AUTO_TEST_CASE(an_oracle_that_looks_at_every_minute_says_the_same) {
  const auto seed = std::random_device{}();
  std::cout << "cron_test seed: " << seed << '\n';
  std::mt19937 random{seed};
  constexpr std::array zones{"UTC",
                             "Europe/Berlin",
                             "America/New_York",
                             "Australia/Lord_Howe",
                             "America/Santiago",
                             "Africa/Casablanca",
                             "Asia/Kathmandu",
                             "America/St_Johns",
                             "America/Scoresbysund",
                             "Asia/Jerusalem",
                             "Europe/Dublin",
                             "Pacific/Apia"};
  int fired = 0;
  for (int i = 0; i < 2'000; ++i) {
    const std::string zone = zones.at(random() % zones.size());
    const auto expected = make_oracle(random);
    const auto made = cron_expression::parse(expected.text(), zone);
    if (!made) { // February 30, say.
      BOOST_CHECK(made.error().detail.find("never comes") != std::string::npos);
      continue;
    }
    // Any second of 2005 to 2090; half of them near a change of clocks.
    timestamp after = utc("2005-01-01 00:00")
                      + std::chrono::seconds{random() % (85u * 31'536'000u)};
    if (random() % 2 == 0) {
      const auto period = time_zone::find(zone)->at(after);
      if (period.end < utc("2090-12-31 00:00"))
        after = period.end + std::chrono::minutes{random() % 360} - 4h;
    }
    const auto until =
      std::chrono::floor<std::chrono::minutes>(after) + 4 * 24h;
    const c_clock clock{zone};
    const auto right = expected.next(after, until);
    const auto ours = made->next(after);
    BOOST_TEST_CONTEXT("seed " << seed << ", " << expected.text() << ", "
                               << zone << ", after " << to_string(after)) {
      if (right) {
        ++fired;
        BOOST_REQUIRE(ours.has_value());
        BOOST_REQUIRE_EQUAL(to_string(*ours), to_string(*right));
      } else if (ours) {
        BOOST_REQUIRE_MESSAGE(*ours >= until, to_string(*ours));
      }
    }
  }
  BOOST_CHECK_GT(fired, 500); // Else it has compared nothing.
}

BOOST_AUTO_TEST_SUITE_END()
