#include <boost/test/unit_test.hpp>

#include <kestrion/tests/support/check_lines.hpp>
#include <kestrion/tests/support/machine_dsl.hpp>

#include <kestrion/actors/run_result.hpp>

/// Answers that have to be what the agent declares.
using namespace kestrion;
using namespace std::chrono_literals;
using test::lines;
using test::machine_story;
using test::said;

namespace run_machine_output_test {

const std::string month = "wake_up 2026-02-01T00:00:00.000000Z";

agent_definition typed_agent(run_limits limits, bool is_checked) {
  auto a = test::ops_agent(limits);
  a.output = output_spec{R"({"type":"object","properties":{"n":)"
                         R"({"type":"integer"}},"required":["n"],)"
                         R"("additionalProperties":false})",
                         is_checked,
                         {}};
  return prepare(std::move(a)).value();
}

struct typed : machine_story {
  explicit typed(run_limits limits = {})
    : machine_story(typed_agent(limits, false)) {}
};

struct checked : machine_story {
  explicit checked(run_limits limits = {})
    : machine_story(typed_agent(limits, true)) {}

  void check_says_yes(const std::string& call) { tool_returns(call, ""); }
  void check_says_no(const std::string& call, std::string why) {
    tool_fails(call, std::move(why));
  }
};

/// What the model is told at last.
std::string told(const machine_story& story) {
  return said(story.state).back();
}

std::string rejection(const std::string& reason) {
  return "user: The answer was rejected: " + reason
         + "\nGive the whole answer again.";
}

struct count {
  std::int64_t n;
};
BOOST_DESCRIBE_STRUCT(count, (), (n))

struct name {
  std::string name;
};
BOOST_DESCRIBE_STRUCT(name, (), (name))

errc why_not(const machine_story& story) {
  try {
    (void)result_of({}, story.state).output_as<count>();
    return errc::ok;
  } catch (const failure& e) {
    return e.code();
  }
}

} // namespace run_machine_output_test

BOOST_AUTO_TEST_SUITE(run_machine_output_test)

// -- the schema ---------------------------------------------------------------

BOOST_FIXTURE_TEST_CASE(an_answer_that_fits_completes_the_run, typed) {
  starts();
  model_says(R"({"n":3})");
  CHECK_LINES(events(), "model_call_completed m1", "run_completed");
  BOOST_CHECK(!decided<run_completed>().output);
  BOOST_CHECK_EQUAL(output_of(state), R"({"n":3})");
}

BOOST_FIXTURE_TEST_CASE(an_answer_that_does_not_fit_goes_back_with_the_reason,
                        typed) {
  starts();
  model_says("three");
  CHECK_LINES(events(), "model_call_completed m1", "output_rejected o1");
  CHECK_LINES(owes(), "call_model m2 1", month);
  BOOST_CHECK(status() == run_status::running);
  BOOST_CHECK_EQUAL(told(*this),
                    rejection("the answer is no JSON at byte 0: syntax error"));
  model_says(R"({"n":"three"})");
  CHECK_LINES(events(), "model_call_completed m2", "output_rejected o2");
  BOOST_CHECK(
    told(*this).starts_with("user: The answer was rejected: it does not fit "
                            "the schema of the answer: <root>[n]: "));
  model_says(R"({"n":3})");
  CHECK_LINES(events(), "model_call_completed m3", "run_completed");
  BOOST_CHECK_EQUAL(output_of(state), R"({"n":3})");
}

BOOST_FIXTURE_TEST_CASE(after_three_answers_that_do_not_fit_the_run_fails,
                        typed) {
  starts();
  model_says("one");
  model_says("");
  model_says(R"({"n":3,"m":4})");
  CHECK_LINES(events(), "model_call_completed m3", "output_rejected o3",
              "run_failed invalid_output");
  BOOST_CHECK(decided<run_failed>().reason.starts_with(
    "answers were rejected 3 times, as often as output_attempts_max allows; "
    "the last: it does not fit the schema of the answer: "));
  BOOST_CHECK(owed(state).empty());
  BOOST_CHECK_EQUAL(result_of({}, state).output, "");
}

BOOST_AUTO_TEST_CASE(an_agent_may_allow_fewer_answers_or_more) {
  typed strict{{.output_attempts_max = 1}};
  strict.starts();
  strict.model_says("one");
  CHECK_LINES(strict.events(), "model_call_completed m1", "output_rejected o1",
              "run_failed invalid_output");
  typed patient{{.output_attempts_max = 9}};
  patient.starts();
  for (int i = 0; i < 8; ++i)
    patient.model_says("no");
  patient.model_says(R"({"n":3})");
  BOOST_CHECK(patient.status() == run_status::completed);
}

BOOST_AUTO_TEST_CASE(the_other_limits_hold_for_a_rejected_answer_too) {
  typed story{{.turns_max = 1}};
  story.starts();
  story.model_says("one");
  CHECK_LINES(story.events(), "model_call_completed m1", "output_rejected o1",
              "run_failed limit_exceeded");
}

BOOST_FIXTURE_TEST_CASE(tools_may_be_called_before_and_between_answers, typed) {
  starts();
  model_calls({{"look", "{}"}});
  tool_returns("c1.0", "3");
  model_says("three");
  model_calls({{"look", "{}"}});
  tool_returns("c3.0", "3");
  model_says(R"({"n":3})");
  BOOST_CHECK(status() == run_status::completed);
  CHECK_LINES(said(state), "user: go", "assistant: c1.0/call_1_0:look({})",
              "tool: c1.0=3", "assistant: three",
              rejection("the answer is no JSON at byte 0: syntax error"),
              "assistant: c3.0/call_3_0:look({})", "tool: c3.0=3",
              R"(assistant: {"n":3})");
}

BOOST_FIXTURE_TEST_CASE(what_is_said_meanwhile_comes_before_any_verdict,
                        typed) {
  starts();
  is_told("and the other?");
  model_says("three");
  CHECK_LINES(events(), "model_call_completed m1");
  CHECK_LINES(said(state), "user: go", "assistant: three",
              "user: and the other?");
  BOOST_CHECK_EQUAL(state.progress.rejections, 0);
}

BOOST_FIXTURE_TEST_CASE(a_refusal_and_a_cut_answer_are_no_answers, typed) {
  starts();
  model_says("I won't", stop_reason::refusal);
  CHECK_LINES(events(), "model_call_completed m1", "run_failed refused");
  typed cut;
  cut.starts();
  cut.model_says(R"({"n":)", stop_reason::max_tokens);
  CHECK_LINES(cut.events(), "model_call_completed m1",
              "run_failed limit_exceeded");
}

// -- words around the document ------------------------------------------------

BOOST_AUTO_TEST_CASE(a_document_in_a_fence_is_one) {
  for (const auto* text :
       {"```json\n{\"n\":3}\n```", "```\n{\"n\":3}```", "  {\"n\":3}\n",
        "Here it is:\n```json\n{\"n\":3}\n```\nAnything else?"}) {
    typed story;
    story.starts();
    story.model_says(text);
    CHECK_LINES(story.events(), "model_call_completed m1", "run_completed");
    BOOST_CHECK_EQUAL(story.decided<run_completed>().output.value_or(""),
                      R"({"n":3})");
    BOOST_CHECK_EQUAL(output_of(story.state), R"({"n":3})");
    BOOST_CHECK_EQUAL(text_of(*story.state.conversation.back()), text);
  }
}

BOOST_FIXTURE_TEST_CASE(the_last_of_several_texts_may_be_the_document, typed) {
  starts();
  model_reply reply;
  reply.parts = {text_part{"Here it is:"}, text_part{R"({"n":3})"},
                 text_part{"\n"}};
  take(model_done{"m1", reply, {}, {}});
  CHECK_LINES(events(), "model_call_completed m1", "run_completed");
  BOOST_CHECK_EQUAL(output_of(state), R"({"n":3})");
}

BOOST_FIXTURE_TEST_CASE(texts_that_are_one_document_are_one, typed) {
  starts();
  model_reply reply;
  reply.parts = {text_part{R"({"n")"}, text_part{R"(:3})"}};
  take(model_done{"m1", reply, {}, {}});
  BOOST_CHECK_EQUAL(output_of(state), R"({"n":3})");
}

BOOST_FIXTURE_TEST_CASE(what_is_no_document_is_told_as_it_stands, typed) {
  starts();
  for (const auto* none : {"```\n```", "```", "``````", "```json\nthree```"}) {
    model_says(none);
    BOOST_CHECK_EQUAL(
      told(*this), rejection("the answer is no JSON at byte 0: syntax error"));
    state.progress.rejections = 0;
  }
  model_says(" \n");
  BOOST_CHECK_EQUAL(told(*this), rejection("the answer is empty"));
}

BOOST_FIXTURE_TEST_CASE(fences_in_a_document_are_a_part_of_it, typed) {
  agent.output->schema = R"({"type":"object"})";
  agent = prepare(agent).value();
  starts();
  const std::string document = R"({"text":"```\nx\n```"})";
  model_says(document);
  BOOST_CHECK_EQUAL(output_of(state), document);
}

// -- the agent's check --------------------------------------------------------

BOOST_FIXTURE_TEST_CASE(the_check_sees_what_fits_and_its_yes_completes,
                        checked) {
  starts();
  model_says("```\n{\"n\":3}\n```");
  CHECK_LINES(events(), "model_call_completed m1", "output_check_started o1");
  CHECK_LINES(owes(), R"(run_tool o1 final_answer {"n":3} 1)", month);
  BOOST_CHECK(status() == run_status::running);
  BOOST_CHECK_EQUAL(result_of({}, state).reason, "o1 is being checked");
  check_says_yes("o1");
  CHECK_LINES(events(), "run_completed");
  BOOST_CHECK_EQUAL(output_of(state), R"({"n":3})");
}

BOOST_FIXTURE_TEST_CASE(what_does_not_fit_never_reaches_the_check, checked) {
  starts();
  model_says("three");
  CHECK_LINES(events(), "model_call_completed m1", "output_rejected o1");
}

BOOST_FIXTURE_TEST_CASE(a_no_goes_back_with_its_reason_and_counts, checked) {
  starts();
  model_says(R"({"n":3})");
  check_says_no("o1", "odd");
  CHECK_LINES(events(), "output_rejected o1");
  BOOST_CHECK_EQUAL(told(*this), rejection("odd"));
  CHECK_LINES(owes(), "call_model m2 1", month);
  model_says("four");
  model_says(R"({"n":5})");
  CHECK_LINES(owes(), R"(run_tool o3 final_answer {"n":5} 1)", month);
  check_says_no("o3", "odd again");
  CHECK_LINES(events(), "output_rejected o3", "run_failed invalid_output");
}

BOOST_FIXTURE_TEST_CASE(a_long_reason_is_cut, checked) {
  starts();
  model_says(R"({"n":3})");
  check_says_no("o1", std::string(100'000, 'x'));
  BOOST_CHECK_EQUAL(decided<output_rejected>().reason,
                    std::string(8'192, 'x') + " ...");
}

BOOST_FIXTURE_TEST_CASE(a_verdict_that_is_late_or_came_before_is_dropped,
                        checked) {
  starts();
  model_says(R"({"n":3})");
  check_says_no("o1", "odd");
  check_says_no("o1", "odd");
  BOOST_CHECK(events().empty());
  model_says(R"({"n":5})");
  check_says_yes("o1");
  BOOST_CHECK(events().empty());
  check_says_yes("o2");
  check_says_yes("o2");
  BOOST_CHECK(events().empty());
}

BOOST_FIXTURE_TEST_CASE(a_word_during_the_check_makes_it_the_models_turn,
                        checked) {
  starts();
  model_says(R"({"n":3})");
  is_told("make it four");
  CHECK_LINES(events(), "message_received ana");
  CHECK_LINES(owes(), "call_model m2 1", month);
  CHECK_LINES(said(state), "user: go", R"(assistant: {"n":3})",
              "user: make it four");
  check_says_yes("o1");
  BOOST_CHECK(events().empty());
  BOOST_CHECK_EQUAL(state.progress.rejections, 0);
}

BOOST_AUTO_TEST_CASE(limits_hold_for_a_word_during_the_check) {
  checked story{{.turns_max = 1}};
  story.starts();
  story.model_says(R"({"n":3})");
  story.take(signal_run{"deployed", "", "ci", {}});
  CHECK_LINES(story.events(), "signal_received deployed ci",
              "run_failed limit_exceeded");
}

BOOST_FIXTURE_TEST_CASE(another_life_checks_again, checked) {
  starts();
  model_says(R"({"n":3})");
  const auto before = owes();
  recovers();
  CHECK_LINES(events(), "run_recovered");
  BOOST_CHECK(owes() == before);
  check_says_yes("o1");
  BOOST_CHECK(status() == run_status::completed);
}

BOOST_FIXTURE_TEST_CASE(a_parked_run_hears_no_verdict, checked) {
  starts();
  model_says(R"({"n":3})");
  is_parked();
  BOOST_CHECK(owed(state).empty());
  check_says_no("o1", "odd");
  BOOST_CHECK(events().empty());
  is_unparked();
  CHECK_LINES(owes(), R"(run_tool o1 final_answer {"n":3} 1)", month);
}

BOOST_FIXTURE_TEST_CASE(a_cancelled_run_owes_no_check, checked) {
  starts();
  model_says(R"({"n":3})");
  is_cancelled();
  BOOST_CHECK(owed(state).empty());
  check_says_yes("o1");
  BOOST_CHECK(events().empty());
}

BOOST_FIXTURE_TEST_CASE(an_agent_that_lost_its_check_accepts, checked) {
  starts();
  model_says(R"({"n":3})");
  agent = typed_agent({}, false); // What the next process knows.
  recovers();
  tool_fails("o1", "There is no tool \"final_answer\" any more.",
             tool_failure::unknown_tool);
  CHECK_LINES(events(), "run_completed");
}

// -- the value ----------------------------------------------------------------

BOOST_FIXTURE_TEST_CASE(a_result_gives_the_value, typed) {
  starts();
  BOOST_CHECK(why_not(*this) == errc::refused);
  model_says("```\n{\"n\":3}\n```");
  BOOST_CHECK_EQUAL(result_of({}, state).output_as<count>().n, 3);
  BOOST_CHECK_EXCEPTION((void)result_of({}, state).output_as<name>(), failure,
                        [](const auto& e) {
                          return e.code() == errc::invalid_output
                                 && e.error().detail.ends_with(
                                   ": the document lacks the member \"name\"");
                        });
}

BOOST_AUTO_TEST_CASE(a_run_without_an_answer_says_why_instead) {
  typed failed{{.output_attempts_max = 1}};
  failed.starts();
  failed.model_says("no");
  BOOST_CHECK(why_not(failed) == errc::invalid_output);
  typed cancelled;
  cancelled.starts();
  cancelled.is_cancelled();
  BOOST_CHECK(why_not(cancelled) == errc::cancelled);
  machine_story untyped;
  untyped.starts();
  untyped.model_says("done");
  BOOST_CHECK(why_not(untyped) == errc::invalid_output);
  machine_story moved{test::team_agent()};
  moved.starts();
  moved.model_calls({{"to_billing", R"({"reason":"bills"})"}});
  moved.child_ends("c1.0", run_status::running);
  BOOST_CHECK(why_not(moved) == errc::refused);
}

BOOST_AUTO_TEST_SUITE_END()
