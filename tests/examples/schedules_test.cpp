#include <kestrion/tests/examples/example_support.hpp>

#include <boost/test/unit_test.hpp>

using namespace kestrion::test;

BOOST_AUTO_TEST_SUITE(schedules_test)

BOOST_AUTO_TEST_CASE(runs_start_by_the_clock_by_hand_and_for_the_past) {
  const temp_folder folder;

  const auto done =
    run_to_its_end(example(folder.path(), "schedules/schedules"));

  BOOST_TEST_CONTEXT(done.text) {
    BOOST_CHECK_EQUAL(done.exit_code, 0);
    BOOST_CHECK(done.says("now: All is well.\n"));
    BOOST_CHECK(done.says("nightly: next at 20"));
    BOOST_CHECK(done.says("once: no more; the last run is run_"));
    BOOST_CHECK(done.says("watch: paused by ana"));
  }
}

BOOST_AUTO_TEST_SUITE_END()
