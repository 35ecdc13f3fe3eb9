#include <kestrion/tests/examples/example_support.hpp>

#include <boost/test/unit_test.hpp>

using namespace kestrion::test;

BOOST_AUTO_TEST_SUITE(testing_test)

BOOST_AUTO_TEST_CASE(an_agent_of_a_users_passes_its_tests_without_a_key) {
  const temp_folder folder;

  const auto done = run_to_its_end(example(folder.path(), "testing/testing"));

  BOOST_TEST_CONTEXT(done.text) {
    BOOST_CHECK_EQUAL(done.exit_code, 0);
    BOOST_CHECK(done.says(" crash points tried\n"));
    BOOST_CHECK(!done.says("\n0 crash points"));
    BOOST_CHECK(done.says("all is well\n"));
  }
}

BOOST_AUTO_TEST_SUITE_END()
