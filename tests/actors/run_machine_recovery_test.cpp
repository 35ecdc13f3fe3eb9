#include <boost/test/unit_test.hpp>

#include <kestrion/tests/support/check_lines.hpp>
#include <kestrion/tests/support/machine_dsl.hpp>

using namespace kestrion;
using namespace std::chrono_literals;
using test::machine_story;
using test::said;

namespace run_machine_recovery_test {

struct recovery : machine_story {
  void answers(doubt_answer answer, const std::string& content = {}) {
    resolved({"", answer, "ana", content});
  }
};

const std::string month = "wake_up 2026-02-01T00:00:00.000000Z";

} // namespace run_machine_recovery_test

BOOST_FIXTURE_TEST_SUITE(run_machine_recovery_test, recovery)

// -- another life -------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_model_call_is_made_again_and_its_loss_is_counted) {
  starts(user_message(std::string(4'000, 'x')));
  const auto before = owes();
  recovers();
  CHECK_LINES(events(), "run_recovered m1");
  BOOST_CHECK(owes() == before);
  const auto lost = decided<run_recovered>();
  BOOST_CHECK_EQUAL(lost.lost_tokens_estimate, 1'000);
  BOOST_CHECK_EQUAL(lost.lost_usd_micros_estimate, 1'000); // 1 $ per million.
  BOOST_CHECK_EQUAL(state.progress.lost_tokens_estimate, 1'000);
  BOOST_CHECK_EQUAL(state.progress.cost_usd_micros, 1'000);
}

BOOST_AUTO_TEST_CASE(without_a_price_only_tokens_are_estimated) {
  agent.price.reset();
  starts(user_message(std::string(4'000, 'x')));
  recovers();
  BOOST_CHECK_EQUAL(decided<run_recovered>().lost_usd_micros_estimate, 0);
}

BOOST_AUTO_TEST_CASE(nothing_is_lost_while_a_retry_waits_for_its_time) {
  starts();
  model_fails(errc::unavailable);
  recovers();
  CHECK_LINES(events());
  passes(500ms);
  recovers();
  CHECK_LINES(events(), "run_recovered m1");
}

BOOST_AUTO_TEST_CASE(started_calls_go_on_by_their_contract) {
  asks_for({"look", "write", "deploy", "send"});
  tool_returns("c1.0", "3");
  recovers();
  CHECK_LINES(events(), "run_recovered", "tool_call_in_doubt c1.3");
  CHECK_LINES(owes(), R"(run_tool c1.1 write {"n":1} 1 interrupted)",
              R"(run_tool c1.2 deploy {"n":1} 1 interrupted)", month);
  BOOST_CHECK(status() == run_status::running);
  tool_returns("c1.1", "a");
  tool_returns("c1.2", "b");
  BOOST_CHECK(status() == run_status::waiting_on_human);
  CHECK_LINES(owes(), month);
}

BOOST_AUTO_TEST_CASE(a_pure_call_runs_again) {
  asks_for({"look"});
  recovers();
  CHECK_LINES(events(), "run_recovered");
  CHECK_LINES(owes(), R"(run_tool c1.0 look {"n":1} 1 interrupted)", month);
}

BOOST_AUTO_TEST_CASE(a_call_of_a_tool_that_is_gone_is_in_doubt) {
  asks_for({"look"});
  agent.tools.clear();
  recovers();
  CHECK_LINES(events(), "run_recovered", "tool_call_in_doubt c1.0");
}

BOOST_AUTO_TEST_CASE(who_waits_for_people_has_nothing_to_recover) {
  asks_for({"look", "apply"});
  recovers();
  CHECK_LINES(events());
  CHECK_LINES(owes(), month);
}

BOOST_AUTO_TEST_CASE(a_second_crash_leaves_a_doubt_as_it_is) {
  asks_for({"send"});
  recovers();
  recovers();
  CHECK_LINES(events());
  BOOST_CHECK(status() == run_status::waiting_on_human);
}

BOOST_AUTO_TEST_CASE(a_result_of_a_call_in_doubt_is_too_late) {
  asks_for({"send"});
  recovers();
  tool_returns("c1.0", "sent");
  CHECK_LINES(events());
}

BOOST_AUTO_TEST_CASE(taking_over_is_no_progress) {
  starts();
  const auto steps = state.progress.steps;
  BOOST_CHECK_EQUAL(steps, 2u);
  recovers();
  is_parked();
  is_unparked();
  BOOST_CHECK_EQUAL(state.progress.steps, steps);
  BOOST_CHECK_EQUAL(state.progress.seq, 6u);
  model_says("done");
  BOOST_CHECK_EQUAL(state.progress.steps, 4u);
}

BOOST_AUTO_TEST_CASE(an_ended_run_has_nothing_to_recover) {
  starts();
  model_says("done");
  recovers();
  CHECK_LINES(events());
}

// -- doubt --------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(it_happened_says_a_person_and_with_what_result) {
  asks_for({"send"});
  recovers();
  answers(doubt_answer::happened, "sent at noon");
  CHECK_LINES(events(), "tool_call_completed c1.0 ana");
  BOOST_CHECK_EQUAL(said(state).back(), "tool: c1.0=sent at noon");
  BOOST_CHECK_EQUAL(owes().at(0), "call_model m2 1");
}

BOOST_AUTO_TEST_CASE(it_did_not_happen_is_an_error_result) {
  asks_for({"send"});
  recovers();
  answers(doubt_answer::did_not_happen);
  CHECK_LINES(events(), "tool_call_failed c1.0 not_executed ana");
  BOOST_CHECK_EQUAL(said(state).back(),
                    "tool: c1.0!The call was interrupted and did not happen.");
}

BOOST_AUTO_TEST_CASE(run_it_again_is_a_second_attempt) {
  asks_for({"send"});
  recovers();
  answers(doubt_answer::run_again);
  CHECK_LINES(events(), "tool_call_started c1.0 ana");
  CHECK_LINES(owes(), R"(run_tool c1.0 send {"n":1} 2)", month);
  tool_returns("c1.0", "sent");
  BOOST_CHECK_EQUAL(said(state).back(), "tool: c1.0=sent");
}

BOOST_AUTO_TEST_CASE(a_second_attempt_may_be_in_doubt_too) {
  asks_for({"send"});
  recovers();
  answers(doubt_answer::run_again);
  recovers();
  CHECK_LINES(events(), "run_recovered", "tool_call_in_doubt c1.0");
}

BOOST_AUTO_TEST_CASE(an_answered_doubt_may_reach_a_limit) {
  recovery story;
  story.agent = test::ops_agent({.turns_max = 1});
  story.asks_for({"send"});
  story.recovers();
  story.answers(doubt_answer::happened);
  CHECK_LINES(story.events(), "tool_call_completed c1.0 ana",
              "run_failed limit_exceeded");
}

BOOST_AUTO_TEST_CASE(of_several_doubts_one_has_to_be_named) {
  asks_for({"send", "send"});
  recovers();
  answers(doubt_answer::happened);
  BOOST_CHECK_EQUAL(refusal(), "refused: several calls are in doubt (c1.0, "
                               "c1.1); name one by its \"call\"");
  resolved({"c1.1", doubt_answer::happened, "ana", "x"});
  CHECK_LINES(events(), "tool_call_completed c1.1 ana");
  answers(doubt_answer::did_not_happen);
  CHECK_LINES(events(), "tool_call_failed c1.0 not_executed ana");
}

BOOST_AUTO_TEST_CASE(an_answer_about_no_doubt_is_refused) {
  asks_for({"send"});
  answers(doubt_answer::happened);
  BOOST_CHECK_EQUAL(refusal(), "not_found: no call of the run is in doubt");
  recovers();
  resolved({"c7.7", doubt_answer::happened, "ana", ""});
  BOOST_CHECK_EQUAL(refusal(), "not_found: call c7.7 is not in doubt");
  resolved({"c1.0", doubt_answer::happened, "", ""});
  BOOST_CHECK_EQUAL(refusal(), "invalid_argument: who resolves a doubt has to "
                               "be named: \"by\" is empty");
  is_cancelled();
  answers(doubt_answer::happened);
  BOOST_CHECK_EQUAL(refusal(), "refused: the run is cancelled; nothing is in "
                               "doubt any more");
}

// -- cancel -------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(after_a_cancel_nothing_is_owed_and_nothing_starts) {
  asks_for({"look", "send"});
  is_cancelled();
  CHECK_LINES(events(), "run_cancelled");
  BOOST_CHECK(status() == run_status::cancelled);
  BOOST_CHECK_EQUAL(state.progress.reason, "ana: enough");
  CHECK_LINES(owes());
  tool_returns("c1.0", "3");
  CHECK_LINES(events());
  ticks();
  CHECK_LINES(events());
}

BOOST_AUTO_TEST_CASE(cancelled_twice_is_cancelled_once) {
  starts();
  is_cancelled();
  is_cancelled();
  CHECK_LINES(events());
  BOOST_CHECK_EQUAL(refusal(), "");
}

BOOST_AUTO_TEST_CASE(what_ended_otherwise_can_not_be_cancelled) {
  starts();
  model_says("done");
  is_cancelled();
  BOOST_CHECK_EQUAL(refusal(),
                    "refused: the run is completed; it can't be cancelled");
}

BOOST_AUTO_TEST_CASE(a_cancel_needs_neither_name_nor_reason) {
  starts();
  take(cancel_run{"", "shutdown", {}});
  BOOST_CHECK_EQUAL(state.progress.reason, "shutdown");
  machine_story other;
  other.starts();
  other.take(cancel_run{"ana", "", {}});
  BOOST_CHECK_EQUAL(other.state.progress.reason, "ana");
}

// -- parking ------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_parked_run_owes_nothing_and_says_why) {
  starts();
  is_parked();
  CHECK_LINES(events(), "run_parked");
  BOOST_CHECK(status() == run_status::parked);
  BOOST_CHECK_EQUAL(state.progress.reason, "crashed");
  CHECK_LINES(owes());
  model_says("too late");
  CHECK_LINES(events());
  is_parked();
  CHECK_LINES(events());
  recovers();
  CHECK_LINES(events());
}

BOOST_AUTO_TEST_CASE(an_unparked_run_goes_on_where_it_was) {
  starts();
  is_parked();
  is_unparked();
  CHECK_LINES(events(), "run_resumed", "run_recovered m1");
  CHECK_LINES(owes(), "call_model m1 1", month);
  BOOST_CHECK_EQUAL(state.progress.reason, "");
  is_unparked();
  BOOST_CHECK_EQUAL(refusal(), "refused: the run is running, not parked");
}

BOOST_AUTO_TEST_CASE(what_ran_when_it_was_parked_is_in_doubt_afterwards) {
  asks_for({"look", "send"});
  is_parked();
  is_unparked();
  CHECK_LINES(events(), "run_resumed", "run_recovered",
              "tool_call_in_doubt c1.1");
  CHECK_LINES(owes(), R"(run_tool c1.0 look {"n":1} 1 interrupted)", month);
}

BOOST_AUTO_TEST_CASE(an_approval_while_parked_starts_the_call_afterwards) {
  asks_for({"apply"});
  is_parked();
  approved({"", "", "ana", "", "", {}});
  CHECK_LINES(events(), "approval_granted c1.0 ana");
  BOOST_CHECK(status() == run_status::parked);
  is_unparked();
  CHECK_LINES(events(), "run_resumed", "tool_call_started c1.0");
  CHECK_LINES(owes(), R"(run_tool c1.0 apply {"n":1} 1)", month);
}

BOOST_AUTO_TEST_CASE(a_denial_while_parked_reaches_the_model_afterwards) {
  asks_for({"apply"});
  is_parked();
  denied({"", "", "ana", "", "", ""});
  CHECK_LINES(owes());
  is_unparked();
  BOOST_CHECK_EQUAL(owes().at(0), "call_model m2 1");
}

BOOST_AUTO_TEST_CASE(a_doubt_has_to_wait_while_parked) {
  asks_for({"send"});
  recovers();
  is_parked();
  answers(doubt_answer::run_again);
  BOOST_CHECK_EQUAL(refusal(), "refused: the run is parked; unpark it before "
                               "call c1.0 is resolved");
  is_unparked();
  BOOST_CHECK(status() == run_status::waiting_on_human);
}

BOOST_AUTO_TEST_CASE(what_was_cancelled_while_parked_stays_cancelled) {
  starts();
  is_parked();
  is_cancelled();
  BOOST_CHECK(status() == run_status::cancelled);
  is_unparked();
  BOOST_CHECK_EQUAL(refusal(), "refused: the run is cancelled, not parked");
  is_parked();
  CHECK_LINES(events());
}

BOOST_AUTO_TEST_SUITE_END()
