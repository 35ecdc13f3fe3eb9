#include <boost/test/unit_test.hpp>

#include <kestrion/tests/support/check_lines.hpp>
#include <kestrion/tests/support/machine_dsl.hpp>

#include <limits>

/// Tool calls that may be tried again.
using namespace kestrion;
using namespace std::chrono_literals;
using test::machine_story;
using test::said;

namespace run_machine_retry_test {

/// All tools but the `once` ones have three attempts.
agent_definition patient_agent() {
  auto a = test::ops_agent();
  for (auto& tool : a.tools)
    if (tool.contract != effect_contract::once)
      tool.retry.attempts_max = 3;
  return prepare(std::move(a)).value();
}

struct retries : machine_story {
  retries() : machine_story(patient_agent()) {}
};

const std::string month = "wake_up 2026-02-01T00:00:00.000000Z";

} // namespace run_machine_retry_test

BOOST_FIXTURE_TEST_SUITE(run_machine_retry_test, retries)

BOOST_AUTO_TEST_CASE(a_failed_attempt_is_tried_again_after_a_backoff) {
  asks_for({"write"});
  tool_fails("c1.0", "busy");
  CHECK_LINES(events(), "tool_attempt_failed c1.0 failed 1");
  BOOST_CHECK_EQUAL(decided<tool_attempt_failed>().detail, "busy");
  BOOST_CHECK(status() == run_status::running);
  CHECK_LINES(
    owes(),
    R"(run_tool c1.0 write {"n":1} 2 interrupted 2026-01-02T00:00:00.500000Z)",
    month);
  passes(1s);
  tool_fails("c1.0", "late", tool_failure::timed_out);
  CHECK_LINES(events(), "tool_attempt_failed c1.0 timed_out 2");
  CHECK_LINES(
    owes(),
    R"(run_tool c1.0 write {"n":1} 3 interrupted 2026-01-02T00:00:02.000000Z)",
    month);
  tool_returns("c1.0", "written");
  CHECK_LINES(events(), "tool_call_completed c1.0");
  BOOST_CHECK_EQUAL(said(state).back(), "tool: c1.0=written");
}

BOOST_AUTO_TEST_CASE(after_the_last_attempt_the_model_gets_the_error) {
  asks_for({"look"});
  tool_fails("c1.0", "first");
  tool_fails("c1.0", "second");
  tool_fails("c1.0", "third");
  CHECK_LINES(events(), "tool_call_failed c1.0 failed");
  BOOST_CHECK_EQUAL(said(state).back(), "tool: c1.0!third");
  BOOST_CHECK_EQUAL(owes().at(0), "call_model m2 1");
}

BOOST_AUTO_TEST_CASE(jitter_shortens_the_wait_by_up_to_a_quarter) {
  asks_for({"look"});
  take(tool_done{"c1.0",
                 {"busy", tool_failure::failed},
                 {},
                 {},
                 1,
                 std::numeric_limits<std::uint32_t>::max()});
  const auto wait = decided<tool_attempt_failed>().retry_at - now;
  BOOST_CHECK(wait >= 375ms && wait < 376ms);
}

BOOST_AUTO_TEST_CASE(the_tool_sets_how_long_the_waits_are) {
  for (auto& tool : agent.tools)
    tool.retry.backoff_first = tool.retry.backoff_max = 2s;
  asks_for({"look"});
  tool_fails("c1.0", "busy");
  BOOST_CHECK(decided<tool_attempt_failed>().retry_at == now + 2s);
  tool_fails("c1.0", "busy");
  BOOST_CHECK(decided<tool_attempt_failed>().retry_at == now + 2s);
}

BOOST_AUTO_TEST_CASE(what_would_fail_again_is_not_tried_again) {
  asks_for({"look", "write", "deploy"});
  take(tool_done{"c1.0", {"no such file", tool_failure::failed, true}, {}, {}});
  CHECK_LINES(events(), "tool_call_failed c1.0 failed");
  tool_fails("c1.1", "bad n", tool_failure::invalid_arguments);
  CHECK_LINES(events(), "tool_call_failed c1.1 invalid_arguments");
  tool_fails("c1.2", "gone", tool_failure::unknown_tool);
  CHECK_LINES(events(), "tool_call_failed c1.2 unknown_tool");
}

BOOST_AUTO_TEST_CASE(a_result_that_is_too_long_is_not_asked_for_again) {
  asks_for({"look"});
  tool_returns("c1.0", std::string((16U << 20U) + 1, 'x'));
  CHECK_LINES(events(), "tool_call_failed c1.0 failed");
}

BOOST_AUTO_TEST_CASE(once_is_once) {
  asks_for({"send"});
  tool_fails("c1.0", "busy");
  CHECK_LINES(events(), "tool_call_failed c1.0 failed");
}

BOOST_AUTO_TEST_CASE(an_attempt_that_was_given_up_is_late) {
  asks_for({"write"});
  tool_fails("c1.0", "slow", tool_failure::timed_out);
  take(tool_done{"c1.0", {"written after all", {}}, {}, {}, 1});
  CHECK_LINES(events());
  take(tool_done{"c1.0", {"written", {}}, {}, {}, 2});
  CHECK_LINES(events(), "tool_call_completed c1.0");
}

BOOST_AUTO_TEST_CASE(the_rest_of_the_batch_does_not_wait_but_the_model_does) {
  asks_for({"look", "write"});
  tool_fails("c1.1", "busy");
  tool_returns("c1.0", "3");
  CHECK_LINES(
    owes(),
    R"(run_tool c1.1 write {"n":1} 2 interrupted 2026-01-02T00:00:00.500000Z)",
    month);
  tool_returns("c1.1", "written");
  BOOST_CHECK_EQUAL(said(state).back(), "tool: c1.0=3 c1.1=written");
}

// -- across lives -------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_crash_while_it_waits_loses_nothing) {
  asks_for({"write"});
  tool_fails("c1.0", "busy");
  const auto before = owes();
  recovers();
  CHECK_LINES(events());
  BOOST_CHECK(owes() == before);
  passes(500ms);
  recovers();
  CHECK_LINES(events(), "run_recovered");
  BOOST_CHECK(owes() == before);
}

BOOST_AUTO_TEST_CASE(a_crash_uses_up_no_attempt) {
  asks_for({"write"});
  recovers();
  tool_fails("c1.0", "first");
  recovers();
  tool_fails("c1.0", "second");
  CHECK_LINES(events(), "tool_attempt_failed c1.0 failed 2");
  tool_returns("c1.0", "written");
  CHECK_LINES(events(), "tool_call_completed c1.0");
}

BOOST_AUTO_TEST_CASE(a_tool_that_became_once_meanwhile_is_in_doubt) {
  asks_for({"write", "look"});
  tool_fails("c1.0", "busy");
  tool_fails("c1.1", "busy");
  for (auto& tool : agent.tools)
    if (tool.name == "write")
      tool.contract = effect_contract::once;
  std::erase_if(agent.tools, [](const auto& t) { return t.name == "look"; });
  recovers();
  CHECK_LINES(events(), "run_recovered", "tool_call_in_doubt c1.0",
              "tool_call_in_doubt c1.1");
  resolved({"c1.0", doubt_answer::run_again, "ana", {}});
  CHECK_LINES(owes(), R"(run_tool c1.0 write {"n":1} 3)", month);
}

BOOST_AUTO_TEST_CASE(a_cancel_ends_the_wait) {
  asks_for({"write"});
  tool_fails("c1.0", "busy");
  is_cancelled();
  CHECK_LINES(events(), "run_cancelled");
  CHECK_LINES(owes());
}

BOOST_AUTO_TEST_CASE(a_parked_run_tries_nothing_until_it_is_unparked) {
  asks_for({"write"});
  tool_fails("c1.0", "busy");
  const auto before = owes();
  is_parked();
  CHECK_LINES(owes());
  is_unparked();
  CHECK_LINES(events(), "run_resumed");
  BOOST_CHECK(owes() == before);
}

BOOST_AUTO_TEST_SUITE_END()
