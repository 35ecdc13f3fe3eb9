#include <kestrion/tests/examples/example_support.hpp>

#include <boost/test/unit_test.hpp>

using namespace kestrion;
using namespace kestrion::test;

BOOST_AUTO_TEST_SUITE(quickstart_test)

BOOST_AUTO_TEST_CASE(it_waits_for_an_engineer_and_completes) {
  const temp_folder folder;

  const auto done =
    run_to_its_end(example(folder.path(), "quickstart/quickstart"));

  BOOST_TEST_CONTEXT(done.text) {
    BOOST_CHECK_EQUAL(done.exit_code, 0);
    BOOST_CHECK(done.says("waiting_on_human: apply_manifest (c2.0) waits for "
                          "approval by engineer\n"));
    BOOST_CHECK(done.says("completed: checkout-api now has 3 replicas.\n"));
    BOOST_CHECK(done.says("total: 3 model calls, 2 tool calls"));
  }
  const auto runs = runs_in(folder.path() / "agent_runs.db");
  BOOST_REQUIRE_EQUAL(runs.size(), 1u);
  BOOST_CHECK(runs[0].row.status == run_status::completed);
  const auto grants = runs[0].all<approval_granted>();
  BOOST_REQUIRE_EQUAL(grants.size(), 1u);
  BOOST_CHECK_EQUAL(grants[0].by, "ana");
  BOOST_CHECK_EQUAL(grants[0].role, "engineer");
  BOOST_CHECK_EQUAL(runs[0].all<tool_call_completed>().size(), 2u);
}

BOOST_AUTO_TEST_CASE(a_second_time_it_adds_a_run_to_the_same_store) {
  const temp_folder folder;
  const auto command = example(folder.path(), "quickstart/quickstart");

  BOOST_CHECK_EQUAL(run_to_its_end(command).exit_code, 0);
  BOOST_CHECK_EQUAL(run_to_its_end(command).exit_code, 0);

  BOOST_CHECK_EQUAL(runs_in(folder.path() / "agent_runs.db").size(), 2u);
}

BOOST_AUTO_TEST_SUITE_END()
