/// Runs that sleep for weeks, while processes die and clocks are set. Virtual
/// time, seeded schedules.

#include <kestrion/tests/support/family.hpp>

#include <boost/test/unit_test.hpp>

#include <random>
#include <string>

namespace kestrion::test {

namespace sleep_test {

using namespace std::chrono_literals;

agent sleeper(const std::string& seconds) {
  agent a{"sleeper"};
  a.model(by_turn({calls({{"sleep", "{\"seconds\":" + seconds + "}"}}),
                   says("awake")}))
    .can_sleep();
  return a;
}

struct bedroom : family {
  timestamp now() { return process->now(); }

  /// When it woke; each sleep ends once.
  std::vector<timestamp> wakings(const run_id& id) {
    std::vector<timestamp> out;
    for (const auto& e : disk->read(id, 0).value())
      if (e.type == tool_call_completed::tag)
        out.push_back(e.at);
    return out;
  }

  void check_woke_once(const run_id& id, timestamp from, timestamp until) {
    const auto at = wakings(id);
    BOOST_REQUIRE_EQUAL(at.size(), 1u);
    BOOST_CHECK(at[0] >= from);
    BOOST_CHECK(at[0] <= until);
    BOOST_CHECK_EQUAL(status(id), run_status::completed);
  }
};

engine_options shared() {
  engine_options out;
  out.store_is_shared = true;
  return out;
}

} // namespace sleep_test

BOOST_FIXTURE_TEST_SUITE(sleep_test, bedroom)

BOOST_AUTO_TEST_CASE(it_leaves_memory_and_wakes_at_its_time) {
  boot({sleeper("1209600")});
  const auto id = start("sleeper");
  process->settle();
  BOOST_CHECK_EQUAL(status(id), run_status::sleeping);
  const auto without = process->system().registry().running();
  process->advance(14 * 24h - 1s);
  BOOST_CHECK_EQUAL(status(id), run_status::sleeping);
  BOOST_CHECK_EQUAL(process->system().registry().running(), without);
  process->advance(1s);
  check_woke_once(id, noon + 14 * 24h, noon + 14 * 24h);
}

BOOST_AUTO_TEST_CASE(crashes_make_no_sleep_longer_or_shorter) {
  for (std::uint32_t seed = 1; seed <= 30; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      std::mt19937 random{seed};
      const auto below = [&](std::int64_t n) {
        return duration{static_cast<std::int64_t>(random() % 1'000'000) * n
                        / 1'000'000};
      };
      disk = open_store("memory:").value();
      boot({sleeper("1209600")}, seed);
      const auto id = start("sleeper");
      auto at = noon;
      const auto end = noon + 14 * 24h;
      bool is_up_then = true; // At the time of waking.
      while (at < end + 1h) {
        // Up for a while, then down for a while.
        const auto up = below(duration{5 * 24h}.count());
        process->settle(static_cast<int>(random() % 50));
        process->advance(up);
        is_up_then = at + up >= end;
        at += up;
        if (is_up_then)
          break;
        at += below(duration{2 * 24h}.count());
        boot({sleeper("1209600")}, seed + 1'000, at);
      }
      process->settle();
      check_woke_once(id, end, std::max(end, at));
    }
  }
}

BOOST_AUTO_TEST_CASE(one_of_two_processes_wakes_it) {
  boot({sleeper("60")});
  sim other{disk, {sleeper("60")}, 7, noon, shared()};
  other.settle();
  const auto id = start("sleeper");
  process->settle();
  process.reset(); // Who slept here is woken there.
  other.advance(59s);
  BOOST_CHECK_EQUAL(status(id), run_status::sleeping);
  other.advance(11s);
  check_woke_once(id, noon + 60s, noon + 70s);
}

BOOST_AUTO_TEST_CASE(a_clock_that_is_set_forward_is_noticed) {
  process.emplace(disk, std::vector{sleeper("7200")}, 1U, noon, shared());
  const auto id = start("sleeper");
  process->advance(1min);
  process->set_clock(noon + 3h);
  process->advance(1s);
  check_woke_once(id, noon + 3h, noon + 3h + 1s);
}

BOOST_AUTO_TEST_CASE(a_clock_that_is_set_back_wakes_nobody_early_or_twice) {
  process.emplace(disk, std::vector{sleeper("60")}, 1U, noon, shared());
  const auto id = start("sleeper");
  process->advance(30s);
  process->set_clock(noon - 10min);
  process->advance(10min);
  BOOST_CHECK_EQUAL(status(id), run_status::sleeping);
  process->advance(61s);
  check_woke_once(id, noon + 60s, noon + 62s);
  process->set_clock(noon);
  process->advance(2min);
  check_woke_once(id, noon + 60s, noon + 62s);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
