#include <kestrion/tests/examples/example_support.hpp>

#include <boost/test/unit_test.hpp>

using namespace kestrion;
using namespace kestrion::test;

BOOST_AUTO_TEST_SUITE(typed_answer_test)

BOOST_AUTO_TEST_CASE(it_mends_its_answer_until_it_is_one) {
  const temp_folder folder;

  const auto done =
    run_to_its_end(example(folder.path(), "typed_answer/typed_answer"));

  BOOST_TEST_CONTEXT(done.text) {
    BOOST_CHECK_EQUAL(done.exit_code, 0);
    BOOST_CHECK(done.says("for payments, at once\n"));
  }
  const auto runs = runs_in(folder.path() / "tickets.db");
  BOOST_REQUIRE_EQUAL(runs.size(), 1u);
  BOOST_CHECK(runs[0].row.status == run_status::completed);
  const auto rejected = runs[0].all<output_rejected>();
  BOOST_REQUIRE_EQUAL(rejected.size(), 2u);
  BOOST_CHECK_EQUAL(rejected[0].reason,
                    "the answer is no JSON at byte 0: syntax error");
  BOOST_CHECK_EQUAL(rejected[1].reason, "there is no team money");
  BOOST_CHECK_EQUAL(runs[0].all<output_check_started>().size(), 2u);
}

BOOST_AUTO_TEST_SUITE_END()
