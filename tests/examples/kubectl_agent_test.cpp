#include <kestrion/tests/examples/example_support.hpp>

#include <boost/test/unit_test.hpp>

using namespace kestrion;
using namespace kestrion::test;

namespace kubectl_agent_test {

/// A manifest with 2 replicas, and an agent that wants a third one: its
/// process was killed while it waited for an engineer.
struct killed_while_waiting {
  temp_folder folder;
  std::string run;

  killed_while_waiting() {
    std::filesystem::copy_file(
      KESTRION_EXAMPLES "/kubectl_agent/checkout-api.yaml", manifest());
    child_process p(command("start", {}));
    BOOST_REQUIRE_MESSAGE(
      p.has_said("waiting until killed",
                 child_process::clock::now() + std::chrono::seconds{60}),
      p.text());
    p.kill();
    run = only_run().row.id.str();
  }

  std::filesystem::path manifest() const {
    return folder.path() / "checkout-api.yaml";
  }

  std::vector<std::string> command(const std::string& name,
                                   const std::vector<std::string>& more) const {
    std::vector<std::string> arguments{name, "."};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return example(folder.path(), "kubectl_agent/kubectl_agent", arguments);
  }

  outcome_of_process call(const std::string& name,
                          const std::vector<std::string>& more = {}) const {
    return run_to_its_end(command(name, more));
  }

  stored_run only_run() const {
    auto runs = runs_in(folder.path() / "runs.db");
    BOOST_REQUIRE_EQUAL(runs.size(), 1u);
    return runs.front();
  }

  std::string edits() const { return contents_of(folder.path() / "edits.log"); }
};

} // namespace kubectl_agent_test

BOOST_FIXTURE_TEST_SUITE(kubectl_agent_test, killed_while_waiting)

BOOST_AUTO_TEST_CASE(the_store_says_what_a_killed_process_waited_for) {
  const auto status = call("status");

  BOOST_CHECK_EQUAL(status.exit_code, 0);
  BOOST_CHECK(status.says(run + "  ops  waiting_on_human"));
  BOOST_CHECK(status.says("scale_deployment {\"replicas\":3}"));
  BOOST_CHECK(contents_of(manifest()).find("replicas: 2") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(another_process_approves_and_edits_exactly_once) {
  const auto before = contents_of(manifest());

  const auto first = call("approve", {run});
  const auto again = call("approve", {run});

  BOOST_CHECK_EQUAL(first.exit_code, 0);
  BOOST_CHECK_EQUAL(again.exit_code, 0);
  BOOST_CHECK(first.says("status: completed\n"));
  BOOST_CHECK_EQUAL(edits(), run + "/c2.0 replicas 2 -> 3\n");
  const auto after = contents_of(manifest());
  BOOST_CHECK(after.find("  replicas: 3\n") != std::string::npos);
  BOOST_CHECK_EQUAL(after.substr(after.find("  selector:")),
                    before.substr(before.find("  selector:")));
  BOOST_CHECK_EQUAL(only_run().all<approval_granted>().size(), 1u);
  BOOST_CHECK(call("trace", {run}).says("by ana as engineer"));
}

BOOST_AUTO_TEST_CASE(another_role_may_not_approve) {
  const auto refused = call("approve", {run, "--role", "intern"});

  BOOST_CHECK_EQUAL(refused.exit_code, 1);
  BOOST_CHECK(refused.says("forbidden"));
  BOOST_CHECK_EQUAL(edits(), "");
  BOOST_CHECK(only_run().row.status == run_status::waiting_on_human);
}

BOOST_AUTO_TEST_CASE(a_denial_reaches_the_model_and_changes_nothing) {
  const auto before = contents_of(manifest());

  const auto denied = call("deny", {run, "--reason", "the shop is closed"});

  BOOST_CHECK_EQUAL(denied.exit_code, 0);
  BOOST_CHECK(denied.says("the shop is closed"));
  BOOST_CHECK_EQUAL(edits(), "");
  BOOST_CHECK_EQUAL(contents_of(manifest()), before);
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_is_said_and_not_done) {
  BOOST_CHECK_EQUAL(call("start", {"--by"}).exit_code, 2);
  BOOST_CHECK_EQUAL(call("dance").exit_code, 2);
  BOOST_CHECK(call("approve").says("usage: kubectl_agent"));
  const auto unknown = call("approve", {"run_00000000000000000000000000"});
  BOOST_CHECK_EQUAL(unknown.exit_code, 1);
  BOOST_CHECK(unknown.says("not_found"));
  std::filesystem::remove(manifest());
  const auto lost = call("approve", {run});
  BOOST_CHECK_EQUAL(lost.exit_code, 1);
  BOOST_CHECK(lost.says("there is no manifest"));
}

BOOST_AUTO_TEST_SUITE_END()
