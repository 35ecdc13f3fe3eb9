#include <kestrion/tests/examples/example_support.hpp>

#include <boost/test/unit_test.hpp>

using namespace kestrion::test;

BOOST_AUTO_TEST_SUITE(embedded_test)

BOOST_AUTO_TEST_CASE(its_own_actors_start_decide_and_hear_the_results) {
  const temp_folder folder;

  const auto done = run_to_its_end(example(folder.path(), "embedded/embedded"));

  BOOST_TEST_CONTEXT(done.text) {
    BOOST_CHECK_EQUAL(done.exit_code, 0);
    BOOST_CHECK(
      done.says("restart {\"service\":\"checkout-api\"}: approved\n"));
    BOOST_CHECK(done.says("restart {\"service\":\"orders-db\"}: denied\n"));
    BOOST_CHECK(done.says("completed: restarted checkout-api\n"));
    BOOST_CHECK(done.says("completed: restarted search-index\n"));
    BOOST_CHECK(done.says("databases stay up\n"));
    BOOST_CHECK(!done.says("restarted orders-db"));
    BOOST_CHECK(done.says("Good morning."));
    BOOST_CHECK(done.says("error: agent \"nobody\" is not known"));
    // What was decided was heard of.
    BOOST_CHECK(done.says("book: policy agreed to c2.0 of run_"));
    BOOST_CHECK(done.says("book: policy denied c2.0 of run_"));
    // A run ends with who is linked to it.
    BOOST_CHECK(done.says("the visitor's: cancelled\n"));
    // The same without actors.
    BOOST_CHECK(done.says("3 greetings\n"));
    BOOST_CHECK(done.says("the first: Good morning."));
    BOOST_CHECK(done.says("in the future: completed with event 4\n"));
  }
}

BOOST_AUTO_TEST_SUITE_END()
