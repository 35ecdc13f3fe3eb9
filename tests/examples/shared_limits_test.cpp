#include <kestrion/tests/examples/example_support.hpp>

#include <boost/test/unit_test.hpp>

using namespace kestrion::test;

BOOST_AUTO_TEST_SUITE(shared_limits_test)

BOOST_AUTO_TEST_CASE(eleven_runs_share_a_server_that_takes_one_call_at_a_time) {
  const temp_folder folder;

  const auto done =
    run_to_its_end(example(folder.path(), "shared_limits/shared_limits"));

  BOOST_TEST_CONTEXT(done.text) {
    BOOST_CHECK_EQUAL(done.exit_code, 0);
    BOOST_CHECK(done.says("throttled: its model call waits for "
                          "\"anthropic concurrency\""));
    BOOST_CHECK(done.says("11 of 11 runs completed; 11 model calls, 0 of them "
                          "refused by the server\n"));
    BOOST_CHECK(done.says("figures: http://127.0.0.1:"));
  }
}

BOOST_AUTO_TEST_SUITE_END()
