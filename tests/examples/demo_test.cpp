#include <kestrion/tests/examples/example_support.hpp>

#include <boost/test/unit_test.hpp>

using namespace kestrion;
using namespace kestrion::test;

namespace demo_test {

const std::string script = KESTRION_EXAMPLES "/kubectl_agent/demo.sh";

outcome_of_process play(const temp_folder& folder,
                        const std::vector<std::string>& options) {
  std::vector<std::string> arguments{script, KESTRION_BUILD, "--work",
                                     (folder.path() / "demo").string()};
  arguments.insert(arguments.end(), options.begin(), options.end());
  return run_to_its_end(example(folder.path(), "/bin/bash", arguments));
}

/// The last lines name the run, its status and the store, and the store says
/// the same.
void check_end(const temp_folder& folder, const outcome_of_process& done) {
  const auto store = folder.path() / "demo" / "runs.db";
  const auto runs = runs_in(store);
  BOOST_REQUIRE_EQUAL(runs.size(), 1u);
  BOOST_CHECK(runs[0].row.status == run_status::completed);
  const auto n = done.lines.size();
  BOOST_REQUIRE_GE(n, 3u);
  BOOST_CHECK_EQUAL(done.lines[n - 3], "run:    " + runs[0].row.id.str());
  BOOST_CHECK_EQUAL(done.lines[n - 2], "status: completed");
  BOOST_CHECK_EQUAL(done.lines[n - 1], "store:  " + store.string());
  BOOST_CHECK(done.text.find('\x1b') == std::string::npos);
}

} // namespace demo_test

BOOST_AUTO_TEST_SUITE(demo_test)

BOOST_AUTO_TEST_CASE(a_killed_run_completes_in_another_process) {
  const temp_folder folder;

  const auto done = play(folder, {});

  BOOST_TEST_CONTEXT(done.text) {
    BOOST_CHECK_EQUAL(done.exit_code, 0);
    BOOST_CHECK(done.says("$ kill -9 "));
    BOOST_CHECK(done.says("ok: the file was edited exactly once"));
    check_end(folder, done);
  }
}

BOOST_AUTO_TEST_CASE(killed_between_the_edit_and_its_record_it_edits_once) {
  const temp_folder folder;

  const auto done = play(folder, {"--mid-edit"});

  BOOST_TEST_CONTEXT(done.text) {
    BOOST_CHECK_EQUAL(done.exit_code, 0);
    BOOST_CHECK(done.says("holding: the edit is made"));
    BOOST_CHECK(done.says("ok: the file was edited exactly once"));
    check_end(folder, done);
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_as_it_has_to_be_makes_it_fail) {
  const temp_folder folder;
  const auto fails = [&](const std::vector<std::string>& arguments,
                         const std::string& why) {
    const auto done =
      run_to_its_end(example(folder.path(), "/bin/bash", arguments));
    BOOST_CHECK_NE(done.exit_code, 0);
    BOOST_CHECK_MESSAGE(done.says(why), done.text);
  };

  fails({script, "nowhere"}, "there is no nowhere/examples");
  fails({script, KESTRION_BUILD, "--dance"}, "is no option");
  fails({script, KESTRION_BUILD, "--work", folder.path().string()},
        "no demo made it");
  BOOST_CHECK(std::filesystem::exists(folder.path()));
}

BOOST_AUTO_TEST_SUITE_END()
