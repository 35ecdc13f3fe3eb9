#include <boost/test/unit_test.hpp>

#include <kestrion/tests/support/check_lines.hpp>
#include <kestrion/tests/support/machine_dsl.hpp>

/// What is said to a run while it goes on.
using namespace kestrion;
using namespace std::chrono_literals;
using test::machine_story;
using test::said;

namespace run_machine_message_test {

const std::string month = "wake_up 2026-02-01T00:00:00.000000Z";

struct steering : machine_story {
  explicit steering(run_limits limits = {})
    : machine_story(test::team_agent(limits)) {}

  void is_signalled(std::string name, std::string data = {},
                    std::string by = "ana") {
    take(signal_run{std::move(name), std::move(data), std::move(by), {}});
  }
};

} // namespace run_machine_message_test

BOOST_FIXTURE_TEST_SUITE(run_machine_message_test, steering)

// -- when it is heard ---------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_word_during_a_model_call_waits_for_the_next) {
  starts();
  is_told("faster");
  CHECK_LINES(events(), "message_received ana");
  CHECK_LINES(said(state), "user: go");
  BOOST_CHECK_EQUAL(state.heard.size(), 1u);
  CHECK_LINES(owes(), "call_model m1 1", month);
  model_calls({{"look", "{}"}});
  tool_returns("c1.0", "3");
  CHECK_LINES(said(state), "user: go", "assistant: c1.0/call_1_0:look({})",
              "tool: c1.0=3", "user: faster");
  BOOST_CHECK(state.heard.empty());
}

BOOST_AUTO_TEST_CASE(a_word_during_a_batch_comes_after_its_results) {
  asks_for({"look", "write"});
  tool_returns("c1.0", "3");
  is_told("one");
  is_told("two");
  tool_returns("c1.1", "4");
  const auto all = said(state);
  BOOST_REQUIRE_EQUAL(all.size(), 5u);
  BOOST_CHECK_EQUAL(all[2], "tool: c1.0=3 c1.1=4");
  BOOST_CHECK_EQUAL(all[3], "user: one");
  BOOST_CHECK_EQUAL(all[4], "user: two");
}

BOOST_AUTO_TEST_CASE(an_answer_is_not_the_last_word_if_something_was_said) {
  starts();
  is_told("and the other?");
  model_says("done");
  CHECK_LINES(events(), "model_call_completed m1");
  CHECK_LINES(said(state), "user: go", "assistant: done",
              "user: and the other?");
  CHECK_LINES(owes(), "call_model m2 1", month);
  model_says("both done");
  CHECK_LINES(events(), "model_call_completed m2", "run_completed");
  BOOST_CHECK_EQUAL(output_of(state), "both done");
}

BOOST_AUTO_TEST_CASE(limits_hold_for_what_was_said_too) {
  steering story{{.turns_max = 1}};
  story.starts();
  story.is_told("and the other?");
  story.model_says("done");
  CHECK_LINES(story.events(), "model_call_completed m1",
              "run_failed limit_exceeded");
}

BOOST_AUTO_TEST_CASE(a_refusal_or_a_cut_answer_fails_whatever_was_said) {
  for (auto stop : {stop_reason::refusal, stop_reason::max_tokens}) {
    steering story;
    story.starts();
    story.is_told("please");
    story.model_says("no", stop);
    BOOST_CHECK(story.status() == run_status::failed);
  }
}

BOOST_AUTO_TEST_CASE(the_next_attempt_takes_along_what_was_said) {
  starts();
  is_told("faster");
  model_fails(errc::unavailable);
  CHECK_LINES(said(state), "user: go", "user: faster");
  BOOST_CHECK(state.heard.empty());
}

BOOST_AUTO_TEST_CASE(so_does_the_call_that_another_life_makes_again) {
  starts();
  is_told("faster");
  recovers();
  CHECK_LINES(events(), "run_recovered m1");
  CHECK_LINES(said(state), "user: go", "user: faster");
}

BOOST_AUTO_TEST_CASE(who_waits_for_people_or_children_hears_and_waits_on) {
  asks_for({"apply"});
  is_told("hurry", true);
  CHECK_LINES(events(), "message_received ana");
  BOOST_CHECK(status() == run_status::waiting_on_human);
  approved({"", "", "ana", "", "", {}});
  tool_returns("c1.0", "applied");
  BOOST_CHECK_EQUAL(said(state).back(), "user: hurry");
}

BOOST_AUTO_TEST_CASE(a_parked_run_hears_and_starts_nothing) {
  starts();
  is_parked();
  is_told("hello", true);
  CHECK_LINES(events(), "message_received ana");
  CHECK_LINES(owes());
  is_unparked();
  CHECK_LINES(said(state), "user: go", "user: hello");
  BOOST_CHECK_EQUAL(owes().at(0), "call_model m1 1");
}

// -- interrupting -------------------------------------------------------------

BOOST_AUTO_TEST_CASE(an_interrupt_gives_the_model_call_up_and_makes_the_next) {
  starts(user_message(std::string(4'000, 'x')));
  is_told("stop that", true);
  CHECK_LINES(events(), "message_received ana", "model_call_interrupted m1 1");
  CHECK_LINES(owes(), "call_model m1 2", month);
  BOOST_CHECK_EQUAL(said(state).back(), "user: stop that");
  BOOST_CHECK(state.heard.empty());
  const auto lost = decided<model_call_interrupted>();
  BOOST_CHECK_EQUAL(lost.lost_tokens_estimate, 1'000);
  BOOST_CHECK_EQUAL(lost.lost_usd_micros_estimate, 1'000);
  BOOST_CHECK_EQUAL(state.progress.lost_tokens_estimate, 1'000);
  BOOST_CHECK_EQUAL(state.progress.cost_usd_micros, 1'000);
}

BOOST_AUTO_TEST_CASE(the_answer_of_an_attempt_that_was_given_up_is_too_late) {
  starts();
  is_told("stop that", true);
  model_reply late;
  late.parts = {text_part{"late"}};
  take(model_done{"m1", late, {}, {}, 0, 1});
  CHECK_LINES(events());
  take(model_done{"m1", late, {}, {}, 0, 2});
  CHECK_LINES(events(), "model_call_completed m1", "run_completed");
}

BOOST_AUTO_TEST_CASE(interrupts_do_not_use_up_the_attempts) {
  steering story{{.model_attempts_max = 2}};
  story.starts();
  for (int n = 0; n < 5; ++n)
    story.is_told("no, wait", true);
  CHECK_LINES(story.owes(), "call_model m1 6", month);
  story.model_fails(errc::unavailable);
  CHECK_LINES(story.events(), "model_call_failed m1 unavailable 6");
  BOOST_CHECK(story.decided<model_call_failed>().retry_at
              == story.now + 500ms); // As after the first.
  story.model_fails(errc::unavailable);
  CHECK_LINES(story.events(), "model_call_failed m1 unavailable 7",
              "run_failed unavailable");
}

BOOST_AUTO_TEST_CASE(
  an_interrupt_while_a_retry_waits_costs_no_time_and_nothing) {
  starts(user_message(std::string(4'000, 'x')));
  model_fails(errc::rate_limited, true, 10s);
  is_told("also this", true);
  CHECK_LINES(events(), "message_received ana", "model_call_interrupted m1 2");
  CHECK_LINES(owes(), "call_model m1 3 2026-01-02T00:00:10.000000Z", month);
  BOOST_CHECK_EQUAL(state.progress.lost_tokens_estimate, 0);
  BOOST_CHECK_EQUAL(said(state).back(), "user: also this");
}

BOOST_AUTO_TEST_CASE(what_interrupts_lose_counts_against_the_limits) {
  steering story{{.tokens_max = 1'000}};
  story.starts(user_message(std::string(4'000, 'x')));
  story.is_told("stop that", true);
  CHECK_LINES(story.events(), "message_received ana",
              "model_call_interrupted m1 1", "run_failed limit_exceeded");
}

// -- signals ------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_signal_is_heard_as_a_text) {
  starts();
  is_signalled("deploy_done", R"({"ok":true})");
  CHECK_LINES(events(), "signal_received deploy_done ana");
  is_signalled("tick");
  model_says("waiting");
  CHECK_LINES(said(state), "user: go", "assistant: waiting",
              R"(user: Signal deploy_done: {"ok":true})", "user: Signal tick.");
}

BOOST_AUTO_TEST_CASE(a_signal_has_a_name_and_a_sender) {
  starts();
  is_signalled("");
  BOOST_CHECK_EQUAL(refusal(), "invalid_argument: a signal has to have a name: "
                               "\"name\" is empty");
  is_signalled("x", "", "");
  BOOST_CHECK_EQUAL(refusal(), "invalid_argument: who tells a run something "
                               "has to be named: \"by\" is empty");
}

// -- refusals -----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_word_is_checked_as_a_prompt_is) {
  starts();
  is_told(" ");
  BOOST_CHECK_EQUAL(refusal(), "invalid_argument: the prompt for agent \"ops\" "
                               "is empty; expected something to do");
  message odd = user_message("x");
  odd.parts.emplace_back(tool_call_part{});
  take(send_message{odd, "ana", false, {}});
  BOOST_CHECK(refusal().starts_with("invalid_argument: the prompt for agent"));
  take(send_message{user_message("x"), "", false, {}});
  BOOST_CHECK_EQUAL(refusal(), "invalid_argument: who tells a run something "
                               "has to be named: \"by\" is empty");
  take(send_message{{role::assistant, {text_part{"x"}}}, "ana", true, {}});
  BOOST_CHECK_EQUAL(said(state).back(), "user: x"); // Who speaks is known.
}

BOOST_AUTO_TEST_CASE(who_has_not_begun_or_has_ended_hears_nothing) {
  is_told("hello");
  BOOST_CHECK_EQUAL(refusal(),
                    "refused: the run is pending; nothing can be said to it");
  starts();
  model_says("done");
  is_told("hello");
  BOOST_CHECK_EQUAL(refusal(),
                    "refused: the run is completed; nothing can be said to it");
  is_signalled("tick");
  BOOST_CHECK_EQUAL(refusal(),
                    "refused: the run is completed; nothing can be said to it");
}

BOOST_AUTO_TEST_CASE(only_so_many_words_wait) {
  starts();
  for (int n = 0; n < 1'000; ++n)
    is_told("x");
  BOOST_CHECK_EQUAL(refusal(), "");
  is_told("x");
  BOOST_CHECK_EQUAL(refusal(),
                    "refused: 1000 messages wait for the next model call of "
                    "the run, as many as may wait");
  model_says("done");
  is_told("x");
  BOOST_CHECK_EQUAL(refusal(), "");
}

BOOST_AUTO_TEST_SUITE_END()
