/// Which ticks of a schedule are due, by what is remembered of it.

#include <kestrion/scheduler/schedule.hpp>

#include <boost/test/unit_test.hpp>

#include <deque>
#include <iostream>
#include <random>
#include <set>

namespace schedule_test {

using namespace kestrion;
using namespace std::chrono_literals;

constexpr timestamp noon{std::chrono::hours{500'004}};

tick_series series(const schedule_times& times) {
  return tick_series::make(times).value();
}

std::string why_not(const schedule_times& times) {
  const auto out = tick_series::make(times);
  BOOST_REQUIRE(out.has_error());
  BOOST_CHECK(out.error().code == errc::invalid_argument);
  return out.error().detail;
}

/// A schedule as a process sees it that settles what it is told is due.
struct follower {
  tick_series ticks = series(every(1h));
  schedule_request request = {};
  schedule_state state = {.settled = noon};

  schedule_plan plan(timestamp now) {
    auto out = plan_ticks(ticks, request, state, now);
    state = out.state;
    return out;
  }
  std::vector<timestamp> follow(timestamp now) {
    auto due = plan(now).due;
    for (const auto tick : due)
      settle_tick(state, tick, std::nullopt);
    return due;
  }
};

} // namespace schedule_test

BOOST_FIXTURE_TEST_SUITE(schedule_test, follower)

BOOST_AUTO_TEST_CASE(a_time_comes_once) {
  const auto once = series(at(noon));
  BOOST_CHECK(once.next(noon - 1us) == noon);
  BOOST_CHECK(!once.next(noon));
}

BOOST_AUTO_TEST_CASE(intervals_begin_at_their_anchor) {
  const auto anchored = series(every(7s, noon));
  BOOST_CHECK(anchored.next(noon - 24h) == noon);
  BOOST_CHECK(anchored.next(noon) == noon + 7s);
  BOOST_CHECK(anchored.next(noon + 7s - 1us) == noon + 7s);
  BOOST_CHECK(anchored.next(noon + 7s) == noon + 14s);
  BOOST_CHECK(series(every(1h)).next(noon + 1us) == noon + 1h);
  BOOST_CHECK(!anchored.next(timestamp::max()));
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_is_refused) {
  BOOST_CHECK_EQUAL(why_not(every(999ms)),
                    "the interval is 999000 microseconds; expected 1 s to "
                    "36525 days");
  BOOST_CHECK(why_not(every(duration::max())).find("36525 days")
              != std::string::npos);
  BOOST_CHECK(why_not(every(1h, timestamp::max())).find("the anchor")
              != std::string::npos);
  BOOST_CHECK(why_not(at(timestamp{-1us})).find("1970 to 9999")
              != std::string::npos);
  BOOST_CHECK(why_not(cron("* * * *")).find("4 fields") != std::string::npos);
  BOOST_CHECK(why_not(cron("* * * * *", "Moon")).find("\"Moon\"")
              != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_last_ticks_are_those_that_one_gets_one_by_one) {
  const auto seed = std::random_device{}();
  std::cout << "schedule_test seed: " << seed << '\n';
  std::mt19937 random{seed};
  const std::vector all{
    every(1s),          every(17min, noon),
    at(noon),           cron("*/7 1-3 * * *", "Europe/Berlin"),
    cron("0 0 29 2 *"), cron("30 2 * 3,10 SUN", "America/New_York")};
  for (int i = 0; i < 300; ++i) {
    const auto ticks_of = series(all.at(random() % all.size()));
    const auto after =
      noon + std::chrono::seconds{random() % 40'000'000} - 20'000'000s;
    // Short for what comes each second.
    const auto until =
      after
      + std::chrono::seconds{random() % (i % 3 == 0 ? 100'000'000 : 9'000)};
    const auto count = random() % 50 + 1;
    std::deque<timestamp> one_by_one;
    if (until - after < 10'000s || ticks_of.next(after) > after + 60s)
      for (auto t = ticks_of.next(after); t && *t <= until;
           t = ticks_of.next(*t)) {
        one_by_one.push_back(*t);
        if (one_by_one.size() > count)
          one_by_one.pop_front();
      }
    else
      continue;
    BOOST_TEST_CONTEXT("seed " << seed << ", round " << i)
    BOOST_REQUIRE(ticks_of.last(after, until, count)
                  == std::vector(one_by_one.begin(), one_by_one.end()));
  }
}

BOOST_AUTO_TEST_CASE(a_tick_is_due_at_its_time_and_once) {
  BOOST_CHECK(plan(noon + 1h - 1us).due.empty());
  BOOST_CHECK(plan(noon + 1h - 1us).next == noon + 1h);
  BOOST_CHECK(follow(noon + 1h) == std::vector{noon + 1h});
  BOOST_CHECK(follow(noon + 1h).empty());
  BOOST_CHECK(plan(noon + 1h).next == noon + 2h);
}

BOOST_AUTO_TEST_CASE(of_those_missed_the_latest_is_due) {
  BOOST_CHECK(follow(noon + 10h + 5min) == std::vector{noon + 10h});
  BOOST_CHECK(follow(noon + 10h + 6min).empty());
}

BOOST_AUTO_TEST_CASE(those_missed_are_skipped_once_they_are_older_than_grace) {
  request.missed = missed_ticks::skip;
  BOOST_CHECK(follow(noon + 1h + 1min) == std::vector{noon + 1h});
  BOOST_CHECK(follow(noon + 10h + 1min + 1us).empty());
  // For good: the clock is set back to where it was not that late.
  BOOST_CHECK(follow(noon + 10h).empty());
  BOOST_CHECK(follow(noon + 11h) == std::vector{noon + 11h});
}

BOOST_AUTO_TEST_CASE(all_of_those_missed_are_due_up_to_a_limit) {
  request.missed = missed_ticks::all;
  BOOST_CHECK((follow(noon + 3h)
               == std::vector<timestamp>{noon + 1h, noon + 2h, noon + 3h}));
  const auto many = follow(noon + 2'003h);
  BOOST_CHECK_EQUAL(many.size(), ticks_due_max);
  BOOST_CHECK(many.front() == noon + 1'004h);
  BOOST_CHECK(follow(noon + 2'003h).empty());
}

BOOST_AUTO_TEST_CASE(a_clock_that_is_set_back_starts_nothing_again) {
  follow(noon + 5h);
  for (auto now = noon - 2h; now < noon + 6h; now += 10min) {
    BOOST_CHECK(follow(now).empty());
    BOOST_CHECK(plan(now).next == noon + 6h);
  }
  BOOST_CHECK(follow(noon + 6h) == std::vector{noon + 6h});
}

BOOST_AUTO_TEST_CASE(nothing_is_due_while_paused_but_what_is_backfilled) {
  state.paused_by = "ana";
  state.backfills = {{noon - 4h, noon - 1h}};
  const auto p = plan(noon + 3h);
  BOOST_CHECK(p.due.empty());
  BOOST_CHECK(!p.next);
  BOOST_CHECK((p.backfill == std::vector<timestamp>{noon - 3h, noon - 2h}));
}

BOOST_AUTO_TEST_CASE(a_backfill_goes_on_where_it_was_and_ends) {
  state.backfills = {{noon - 4h, noon - 1h}, {noon - 2h, noon}};
  settle_backfill(state, ticks, noon - 3h, std::nullopt);
  BOOST_CHECK(plan(noon).backfill == std::vector<timestamp>{noon - 2h});
  settle_backfill(state, ticks, noon - 3h, std::nullopt); // Of another process.
  settle_backfill(state, ticks, noon - 2h, std::nullopt);
  BOOST_CHECK(plan(noon).backfill == std::vector<timestamp>{noon - 1h});
  settle_backfill(state, ticks, noon - 1h, std::nullopt);
  BOOST_CHECK(state.backfills.empty());
  settle_backfill(state, ticks, noon - 1h, std::nullopt); // Likewise.
  BOOST_CHECK(state.backfills.empty());
  BOOST_CHECK(state.settled == noon);
}

BOOST_AUTO_TEST_CASE(the_last_run_is_that_of_the_latest_tick) {
  const auto run = [](std::uint64_t n) {
    return run_id::make(noon, 0, n);
  };
  settle_tick(state, noon + 2h, run(2));
  settle_tick(state, noon + 3h, std::nullopt); // It has none.
  settle_backfill(state, ticks, noon + 1h, run(1));
  BOOST_CHECK(state.last_tick == noon + 2h);
  BOOST_CHECK(state.last_run == run(2));
  BOOST_CHECK(state.settled == noon + 3h);
}

BOOST_AUTO_TEST_CASE(
  steps_of_the_clock_at_random_start_each_tick_at_most_once) {
  const auto seed = std::random_device{}();
  std::cout << "schedule_test seed: " << seed << '\n';
  std::mt19937 random{seed};
  for (int round = 0; round < 200; ++round) {
    *static_cast<follower*>(this) = {};
    request.missed = static_cast<missed_ticks>(random() % 3);
    if (round % 2 == 0)
      ticks = series(cron("*/20 * * * *", "Europe/Berlin"));
    std::set<timestamp> started;
    auto now = noon;
    for (int step = 0; step < 300; ++step) {
      const auto change = std::chrono::minutes{random() % 600};
      now += random() % 4 == 0 ? -change : change;
      for (const auto tick : follow(now)) {
        BOOST_TEST_CONTEXT("seed " << seed << ", round " << round) {
          BOOST_REQUIRE(tick <= now);
          BOOST_REQUIRE(started.insert(tick).second);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
