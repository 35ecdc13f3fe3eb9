#include <kestrion/kestrion.hpp>

#include <kestrion/tests/support/temp_folder.hpp>

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

/// What is never recorded, looked for in every file that a runtime leaves.
namespace kestrion::test {

namespace redaction_test {

constexpr auto secret = "hunter2-hunter2";
constexpr auto card = "4111111111111111";

struct query {
  std::string password;
};
BOOST_DESCRIBE_STRUCT(query, (), (password))

struct world {
  temp_folder folder;
  std::mutex mutex;
  std::vector<std::string> used; ///< What the tool got.
  std::vector<std::string> seen; ///< What the model saw.

  /// Its tool is given a password and says it again, with a card number.
  agent worker() {
    return agent{"worker"}
      .model(function_model([this](const model_request& r) -> model_outcome {
        const std::lock_guard lock{mutex};
        for (const auto& m : r.conversation)
          for (const auto& p : m->parts)
            if (const auto* result = std::get_if<tool_result_part>(&p))
              seen.push_back(result->content);
            else if (const auto* text = std::get_if<text_part>(&p))
              seen.push_back(text->text);
        return r.conversation.size() == 1
                 ? calls({{"ask_db", R"({"password":"[secret:db]"})"}})
                 : says(std::string{"It is "} + secret + ", " + card);
      }))
      .tool(
        "ask_db", "Asks.",
        [this](const query& q) {
          const std::lock_guard lock{mutex};
          used.push_back(q.password);
          return "password " + q.password + ", card " + card;
        },
        requires_approval{});
  }

  runtime_options options() {
    runtime_options out;
    out.store = "sqlite:///" + (folder / "runs.db");
    out.redaction.secrets = {{"db", secret}};
    out.redaction.patterns = {{"card", R"(\b\d{16}\b)"}};
    return out;
  }

  bool any_file_holds(const std::string& text) const {
    for (const auto& entry :
         std::filesystem::directory_iterator{folder.path()}) {
      std::ifstream in{entry.path(), std::ios::binary};
      std::ostringstream all;
      all << in.rdbuf();
      if (all.str().find(text) != std::string::npos)
        return true;
    }
    return false;
  }
};

} // namespace redaction_test

BOOST_FIXTURE_TEST_SUITE(redaction_test, world)

BOOST_AUTO_TEST_CASE(a_secret_is_in_no_file_and_the_tool_gets_it) {
  {
    runtime rt{options(), {worker()}};
    const auto run =
      rt.start("worker", std::string{"use "} + secret + " and " + card,
               {.labels = {{"note", secret}}});
    BOOST_REQUIRE(run.wait().status == run_status::waiting_on_human);
    rt.steer(run.id(), std::string{"again: "} + secret, {.by = "ana"});
    rt.approve(run.id(), {.by = "ana"});
    const auto r = run.wait();
    BOOST_CHECK_EQUAL(r.output, "It is [secret:db], [card]");
    rt.export_run(run.id(), folder / "capsule.jsonl");
    BOOST_CHECK(!rt.replay(run.id()).divergence);
    std::ostringstream trace;
    for (const auto& entry : rt.trace(run.id()).entries)
      trace << entry.detail << "\n";
    BOOST_CHECK_EQUAL(trace.str().find(secret), std::string::npos);
    BOOST_CHECK_NE(trace.str().find("[secret:db]"), std::string::npos);
    BOOST_CHECK(!any_file_holds(secret));
    BOOST_CHECK(!any_file_holds(card));
  }
  BOOST_CHECK(!any_file_holds(secret));
  BOOST_REQUIRE_EQUAL(used.size(), 1u);
  BOOST_CHECK_EQUAL(used[0], secret);
  for (const auto& text : seen) {
    BOOST_CHECK_EQUAL(text.find(secret), std::string::npos);
    BOOST_CHECK_EQUAL(text.find(card), std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(an_approver_edits_with_the_name_of_a_secret) {
  runtime rt{options(), {worker()}};
  const auto run = rt.start("worker", "go");
  run.wait();
  rt.approve(run.id(),
             {.by = "ana",
              .arguments = std::string{R"({"password":"x)"} + secret + "\"}"});
  run.wait();
  BOOST_REQUIRE_EQUAL(used.size(), 1u);
  BOOST_CHECK_EQUAL(used[0], std::string{"x"} + secret);
  BOOST_CHECK(!any_file_holds(secret));
}

BOOST_AUTO_TEST_CASE(forks_and_schedules_keep_no_secret_either) {
  runtime rt{options(), {worker()}};
  const auto run = rt.start("worker", "go");
  run.wait();
  const auto fork = rt.fork(run.id(), 2, {secret});
  BOOST_CHECK_NE(rt.result(fork.id()).reason.find("[secret:db]"),
                 std::string::npos);
  schedule_request nightly;
  nightly.name = "nightly";
  nightly.agent = "worker";
  nightly.input = user_message(std::string{"use "} + secret);
  nightly.times = cron("0 3 * * *", "UTC");
  rt.schedule(nightly);
  BOOST_CHECK_EQUAL(rt.schedules().size(), 1u);
  BOOST_CHECK(!any_file_holds(secret));
}

BOOST_AUTO_TEST_CASE(a_key_that_would_not_be_found_again_is_refused) {
  runtime rt{options(), {worker()}};
  try {
    rt.start("worker", "go", {.key = secret});
    BOOST_FAIL("it was started");
  } catch (const failure& e) {
    BOOST_CHECK_EQUAL(e.what(),
                      std::string{"invalid_argument: the key of the run holds "
                                  "the secret \"db\", which is not recorded"});
  }
  auto bad = options();
  bad.redaction.secrets = {{"db", "short"}};
  BOOST_CHECK_THROW(runtime(bad, {worker()}), failure);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
