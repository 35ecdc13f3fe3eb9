/// Tool calls in a process of simulated threads: what cancel and timeouts do to
/// calls that wait.

#include <kestrion/tests/support/family.hpp>

using namespace kestrion;
using namespace kestrion::test;
using namespace std::chrono_literals;

namespace {

/// Asks for these tools at once, then is done.
model_ptr asks_once(const std::vector<scripted_call>& wanted) {
  return by_turn({calls(wanted), says("done")});
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(tool_call_test, family)

BOOST_AUTO_TEST_CASE(a_call_that_waits_for_a_thread_is_not_run_after_a_cancel) {
  int runs = 0;
  agent a{"lead"};
  a.model(asks_once({{"count"}})).tool("count", "Counts.", [&] { ++runs; });
  boot({a});
  process->hold_tools(true);
  const auto id = start();
  BOOST_REQUIRE(tell(id, stop));
  process->hold_tools(false);
  process->settle();
  BOOST_CHECK_EQUAL(status(id), run_status::cancelled);
  BOOST_CHECK_EQUAL(runs, 0);
}

BOOST_AUTO_TEST_CASE(a_call_whose_time_was_up_before_it_ran_is_not_run) {
  int runs = 0;
  agent a{"lead"};
  a.model(asks_once({{"count"}}))
    .tool(
      "count", "Counts.", [&] { ++runs; }, timeout{5s});
  boot({a});
  process->hold_tools(true);
  const auto id = start();
  process->advance(6s);
  process->hold_tools(false);
  process->settle();
  check_error_result(id, "within 5000 ms");
  BOOST_CHECK_EQUAL(runs, 0);
}

BOOST_AUTO_TEST_SUITE_END()
