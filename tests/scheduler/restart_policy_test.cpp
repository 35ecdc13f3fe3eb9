#include <boost/test/unit_test.hpp>

#include <kestrion/scheduler/restart_policy.hpp>

using namespace kestrion;
using namespace std::chrono_literals;

namespace restart_policy_test {

struct fixture {
  restart_spec spec{3, 10s, 5, {100ms, 1s, 0}};
  restart_history history;
  timestamp now{std::chrono::sys_days{std::chrono::year{2026} / 1 / 2}};
  std::uint64_t progress = 0;

  restart_verdict crashes_after(duration d) {
    now += d;
    return on_crash(spec, history, progress, now);
  }
  restart_verdict crashes_after_progress(duration d) {
    ++progress;
    return crashes_after(d);
  }
};

bool restarts_after(const restart_verdict& verdict, duration delay) {
  const auto* x = std::get_if<restart_after>(&verdict);
  return x && x->delay == delay;
}

bool is_parked_after(const restart_verdict& verdict, int crashes) {
  const auto* x = std::get_if<park>(&verdict);
  return x && x->crashes == crashes;
}

} // namespace restart_policy_test

BOOST_FIXTURE_TEST_SUITE(restart_policy_test, fixture)

BOOST_AUTO_TEST_CASE(restarts_wait_longer_the_more_crashes_a_period_has) {
  BOOST_CHECK(restarts_after(crashes_after_progress(0s), 100ms));
  BOOST_CHECK(restarts_after(crashes_after_progress(1s), 200ms));
  BOOST_CHECK(restarts_after(crashes_after_progress(1s), 400ms));
}

BOOST_AUTO_TEST_CASE(more_crashes_than_the_intensity_within_a_period_park) {
  for (int i = 0; i < 3; ++i)
    BOOST_CHECK(
      std::holds_alternative<restart_after>(crashes_after_progress(1s)));
  BOOST_CHECK(is_parked_after(crashes_after_progress(1s), 4));
}

BOOST_AUTO_TEST_CASE(crashes_before_the_period_are_forgotten) {
  for (int i = 0; i < 20; ++i)
    BOOST_CHECK(std::holds_alternative<restart_after>(
      crashes_after_progress(3'334ms))); // Three within 10 s, never four.
  BOOST_CHECK_LE(history.crashes.size(), 3u);
  BOOST_CHECK(restarts_after(crashes_after_progress(10s), 100ms));
}

BOOST_AUTO_TEST_CASE(a_crash_as_long_ago_as_the_period_is_forgotten) {
  crashes_after_progress(0s);
  BOOST_CHECK(restarts_after(crashes_after_progress(10s), 100ms));
  BOOST_CHECK(restarts_after(crashes_after_progress(10s - 1us), 200ms));
}

BOOST_AUTO_TEST_CASE(crashes_without_progress_park_however_slow_they_are) {
  for (int i = 0; i < 4; ++i)
    BOOST_CHECK(restarts_after(crashes_after(1h), 100ms));
  BOOST_CHECK(is_parked_after(crashes_after(1h), 5));
}

BOOST_AUTO_TEST_CASE(progress_starts_the_count_anew) {
  for (int i = 0; i < 4; ++i)
    crashes_after(1h);
  BOOST_CHECK(restarts_after(crashes_after_progress(1h), 100ms));
  for (int i = 0; i < 3; ++i)
    BOOST_CHECK(restarts_after(crashes_after(1h), 100ms));
  BOOST_CHECK(is_parked_after(crashes_after(1h), 5));
}

BOOST_AUTO_TEST_CASE(an_intensity_of_none_parks_at_the_first_crash) {
  spec.intensity = 0;
  BOOST_CHECK(is_parked_after(crashes_after(0s), 1));
}

BOOST_AUTO_TEST_CASE(a_period_of_nothing_remembers_nothing) {
  spec.period = 0s;
  for (int i = 0; i < 9; ++i)
    BOOST_CHECK(restarts_after(crashes_after_progress(0s), 100ms));
  BOOST_CHECK(history.crashes.empty());
}

BOOST_AUTO_TEST_CASE(a_clock_that_is_set_back_forgets_no_crash) {
  crashes_after_progress(0s);
  crashes_after_progress(-5s);
  crashes_after_progress(-5s);
  BOOST_CHECK(is_parked_after(crashes_after_progress(1s), 4));
}

BOOST_AUTO_TEST_SUITE_END()
