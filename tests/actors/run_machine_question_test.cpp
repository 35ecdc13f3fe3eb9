#include <boost/test/unit_test.hpp>

#include <kestrion/tests/support/check_lines.hpp>
#include <kestrion/tests/support/machine_dsl.hpp>

#include <kestrion/actors/run_result.hpp>

/// What a model asks people.
using namespace kestrion;
using test::machine_story;
using test::said;

namespace run_machine_question_test {

const std::string month = "wake_up 2026-02-01T00:00:00.000000Z";
const std::string which =
  R"({"question":"Which?","choices":["staging","production"]})";

struct asking : machine_story {
  asking() : machine_story(test::team_agent()) {}

  void asks(const std::vector<std::string>& questions) {
    starts();
    std::vector<std::pair<std::string, std::string>> calls;
    calls.reserve(questions.size());
    for (const auto& arguments : questions)
      calls.emplace_back("ask", arguments);
    model_calls(calls);
  }
};

} // namespace run_machine_question_test

BOOST_FIXTURE_TEST_SUITE(run_machine_question_test, asking)

// -- the question -------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_question_waits_for_people) {
  asks({which});
  CHECK_LINES(events(), "model_call_completed m1",
              "question_asked c1.0 Which?");
  BOOST_CHECK(status() == run_status::waiting_on_human);
  CHECK_LINES(owes(), month);
  const auto r = result_of({}, state);
  BOOST_REQUIRE_EQUAL(r.questions.size(), 1u);
  const pending_question expected{
    {}, "ops", "c1.0", "Which?", {"staging", "production"}};
  BOOST_CHECK(r.questions[0] == expected);
  BOOST_CHECK_EQUAL(r.reason, "c1.0 asks: Which?");
}

BOOST_AUTO_TEST_CASE(a_question_or_choice_of_blanks_asks_nobody) {
  asks({R"({"question":" "})", R"({"question":"x","choices":["a",""]})",
        R"({"question":7})"});
  CHECK_LINES(events(), "model_call_completed m1",
              "tool_call_failed c1.0 invalid_arguments",
              "tool_call_failed c1.1 invalid_arguments",
              "tool_call_failed c1.2 invalid_arguments");
  BOOST_CHECK_EQUAL(decided<tool_call_failed>(0).detail,
                    "the question is empty; expected something to answer");
  BOOST_CHECK_EQUAL(decided<tool_call_failed>(1).detail,
                    "a choice of the question is empty; expected an answer");
}

BOOST_AUTO_TEST_CASE(a_question_waits_for_the_gates_of_its_batch) {
  starts();
  model_calls({{"ask", which}, {"apply", R"({"n":1})"}});
  CHECK_LINES(events(), "model_call_completed m1", "approval_requested c1.1");
  answered({"c1.0", "ana", "staging"});
  BOOST_CHECK_EQUAL(refusal(), "not_found: call c1.0 asks nothing");
  approved({"", "", "ana", "", "", {}});
  CHECK_LINES(events(), "approval_granted c1.1 ana",
              "question_asked c1.0 Which?", "tool_call_started c1.1");
  BOOST_CHECK(status() == run_status::running);
  tool_returns("c1.1", "applied");
  BOOST_CHECK(status() == run_status::waiting_on_human);
}

BOOST_AUTO_TEST_CASE(a_person_is_needed_more_than_a_child) {
  starts();
  model_calls({{"ask", which}, {"research", R"({"prompt":"why?"})"}});
  BOOST_CHECK(status() == run_status::waiting_on_human);
  CHECK_LINES(owes(), "start_child c1.1 researcher why?", month);
  answered({"", "ana", "staging"});
  BOOST_CHECK(status() == run_status::waiting_on_child);
}

// -- the answer ---------------------------------------------------------------

BOOST_AUTO_TEST_CASE(the_answer_is_the_result) {
  asks({which});
  answered({"c1.0", "ana", "staging"});
  CHECK_LINES(events(), "tool_call_completed c1.0 ana");
  BOOST_CHECK_EQUAL(said(state).back(), "tool: c1.0=staging");
  CHECK_LINES(owes(), "call_model m2 1", month);
}

BOOST_AUTO_TEST_CASE(without_choices_any_text_is_an_answer) {
  asks({R"({"question":"Why?"})"});
  answered({"", "ana", "Because.\n\xff"});
  BOOST_CHECK_EQUAL(said(state).back(), "tool: c1.0=Because.\n\xEF\xBF\xBD");
}

BOOST_AUTO_TEST_CASE(an_answer_names_its_call_if_several_ask) {
  asks({which, which});
  answered({"", "ana", "staging"});
  BOOST_CHECK_EQUAL(refusal(), "refused: several questions are open (c1.0, "
                               "c1.1); name one by its \"call\"");
  answered({"c1.1", "ana", "staging"});
  CHECK_LINES(events(), "tool_call_completed c1.1 ana");
  answered({"c1.0", "bob", "production"});
  BOOST_CHECK_EQUAL(said(state).back(), "tool: c1.0=production c1.1=staging");
}

BOOST_AUTO_TEST_CASE(an_answer_has_to_be_signed_and_one_of_the_choices) {
  asks({which});
  answered({"c1.0", "", "staging"});
  BOOST_CHECK_EQUAL(refusal(), "invalid_argument: who answers a question has "
                               "to be named: \"by\" is empty");
  answered({"c1.0", "ana", " "});
  BOOST_CHECK_EQUAL(refusal(),
                    "invalid_argument: the answer to call c1.0 is empty");
  answered({"c1.0", "ana", "moon"});
  BOOST_CHECK_EQUAL(refusal(),
                    "invalid_argument: the answer to call c1.0 is \"moon\"; "
                    "expected one of: staging, production");
  BOOST_CHECK(status() == run_status::waiting_on_human);
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_too_long_is_refused) {
  asks({R"({"question":"Why?"})"});
  answered({"c1.0", "ana", std::string((16U << 20U) + 1, 'x')});
  BOOST_CHECK(refusal().starts_with(
    "invalid_argument: the answer to call c1.0 is too long: the result has"));
  BOOST_CHECK(status() == run_status::waiting_on_human);
}

BOOST_AUTO_TEST_CASE(the_same_answer_twice_is_one_answer_another_is_refused) {
  asks({which});
  answered({"c1.0", "ana", "staging"});
  const auto refused = "refused: call c1.0 was answered by ana";
  for (int life = 0; life < 2; ++life) {
    answered({"c1.0", "ana", "staging"});
    CHECK_LINES(events());
    BOOST_CHECK_EQUAL(refusal(), "");
    answered({"c1.0", "ana", "production"});
    BOOST_CHECK_EQUAL(refusal(), refused);
    answered({"c1.0", "bob", "staging"});
    BOOST_CHECK_EQUAL(refusal(), refused);
    model_says("done"); // And the same after the end.
  }
  answered({"c2.0", "ana", "staging"});
  BOOST_CHECK_EQUAL(refusal(), "refused: the run is completed; nothing can be "
                               "answered any more");
}

BOOST_AUTO_TEST_CASE(what_nobody_asked_nobody_can_answer) {
  answered({"", "ana", "x"});
  BOOST_CHECK_EQUAL(refusal(),
                    "not_found: no question of the run waits for an answer");
  starts();
  answered({"c1.0", "ana", "x"});
  BOOST_CHECK_EQUAL(refusal(), "not_found: call c1.0 asks nothing");
}

BOOST_AUTO_TEST_CASE(a_question_is_answered_not_approved_returned_or_resolved) {
  asks({which});
  tool_returns("c1.0", "staging");
  CHECK_LINES(events());
  child_ends("c1.0", run_status::completed, "staging");
  CHECK_LINES(events());
  approved({"c1.0", "", "ana", "", "", {}});
  BOOST_CHECK_EQUAL(refusal(),
                    "not_found: no approval is waiting for call c1.0");
  resolved({"c1.0", doubt_answer::happened, "ana", "staging"});
  BOOST_CHECK_EQUAL(refusal(), "not_found: call c1.0 is not in doubt");
}

BOOST_AUTO_TEST_CASE(limits_hold_after_an_answer) {
  agent.limits.turns_max = 1;
  asks({which});
  answered({"", "ana", "staging"});
  CHECK_LINES(events(), "tool_call_completed c1.0 ana",
              "run_failed limit_exceeded");
}

// -- other lives --------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_new_life_asks_no_second_time) {
  asks({which});
  recovers();
  CHECK_LINES(events());
  BOOST_CHECK(status() == run_status::waiting_on_human);
}

BOOST_AUTO_TEST_CASE(a_parked_run_takes_answers_and_goes_on_later) {
  asks({which});
  is_parked();
  answered({"", "ana", "staging"});
  CHECK_LINES(events(), "tool_call_completed c1.0 ana");
  CHECK_LINES(owes());
  is_unparked();
  BOOST_CHECK_EQUAL(owes().at(0), "call_model m2 1");
}

BOOST_AUTO_TEST_CASE(the_wall_time_ends_a_question) {
  asks({which});
  passes(std::chrono::days{30});
  ticks();
  CHECK_LINES(events(), "run_failed limit_exceeded");
  answered({"", "ana", "staging"});
  BOOST_CHECK_EQUAL(refusal(), "refused: the run is failed; nothing can be "
                               "answered any more");
}

BOOST_AUTO_TEST_SUITE_END()
