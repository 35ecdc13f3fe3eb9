/// People who answer a run, and tell it something while it goes on.

#include <kestrion/tests/support/family.hpp>

namespace kestrion::test {

BOOST_FIXTURE_TEST_SUITE(steering_test, family)

// -- questions ----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_question_waits_for_one_of_its_choices) {
  boot({scout(by_turn({calls({{"ask_human", R"({"question":"Which?",)"
                                            R"("choices":["red","blue"]})"}}),
                       says("done")}))});
  const auto id = start("scout");
  const auto r = wait(id);
  BOOST_CHECK_EQUAL(r.status, run_status::waiting_on_human);
  BOOST_REQUIRE_EQUAL(r.questions.size(), 1u);
  BOOST_CHECK_EQUAL(r.questions[0].question, "Which?");
  BOOST_CHECK_EQUAL(r.questions[0].choices.size(), 2u);

  const auto wrong = tell(id, answer_question{{"", "ana", "green"}, {}});
  BOOST_REQUIRE(!wrong);
  BOOST_CHECK(wrong.error().code == errc::invalid_argument);
  BOOST_CHECK_NE(wrong.error().detail.find("red, blue"), std::string::npos);

  const auto& call = r.questions[0].call;
  BOOST_REQUIRE(tell(id, answer_question{{call, "ana", "blue"}, {}}));
  BOOST_CHECK_EQUAL(wait(id).output, "done");
  BOOST_CHECK_EQUAL(results(id).at(0).content, "blue");

  // The same again is the same; anything else comes too late.
  BOOST_CHECK(tell(id, answer_question{{call, "ana", "blue"}, {}}));
  const auto late = tell(id, answer_question{{call, "bob", "red"}, {}});
  BOOST_REQUIRE(!late);
  BOOST_CHECK(late.error().code == errc::refused);
  BOOST_CHECK_NE(late.error().detail.find("answered by ana"),
                 std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_childs_question_reaches_who_waits_for_the_parent) {
  boot({plain_lead(),
        scout(by_turn({calls({{"ask_human", R"({"question":"Where?"})"}}),
                       says("seen")}))});
  const auto id = start();
  const auto r = wait(id);
  BOOST_REQUIRE_EQUAL(r.questions.size(), 1u);
  BOOST_CHECK_EQUAL(r.questions[0].run, child(id));
  BOOST_REQUIRE(
    tell(r.questions[0].run, answer_question{{"", "ana", "here"}, {}}));
  BOOST_CHECK_EQUAL(wait(id).output, "done");
}

// -- messages and signals -----------------------------------------------------

BOOST_AUTO_TEST_CASE(a_message_is_heard_with_the_next_model_call) {
  auto m = std::make_shared<patient_model>();
  boot({scout(m)});
  const auto id = start("scout");
  BOOST_REQUIRE(
    tell(id, send_message{user_message("Hurry."), "ana", false, {}}));
  BOOST_CHECK(!m->calls.at(0).stop.stop_requested());
  BOOST_CHECK_EQUAL(m->calls.size(), 1u);
  m->calls[0].done(says("first"));
  process->settle();
  BOOST_REQUIRE_EQUAL(m->calls.size(), 2u); // That was not the last word.
  BOOST_CHECK_EQUAL(text_of(*m->calls[1].request.conversation.back()),
                    "Hurry.");
  m->calls[1].done(says("second"));
  BOOST_CHECK_EQUAL(wait(id).output, "second");
}

BOOST_AUTO_TEST_CASE(an_interrupt_stops_the_model_call_and_makes_another) {
  auto m = std::make_shared<patient_model>();
  boot({scout(m)});
  const auto id = start("scout");
  BOOST_REQUIRE(tell(id, send_message{user_message("No!"), "ana", true, {}}));
  BOOST_CHECK(m->calls.at(0).stop.stop_requested());
  BOOST_REQUIRE_EQUAL(m->calls.size(), 2u);
  BOOST_CHECK_EQUAL(text_of(*m->calls[1].request.conversation.back()), "No!");
  m->calls[0].done(says("too late"));
  process->settle();
  BOOST_CHECK_EQUAL(status(id), run_status::running);
  m->calls[1].done(says("as you say"));
  BOOST_CHECK_EQUAL(wait(id).output, "as you say");
}

BOOST_AUTO_TEST_CASE(a_signal_is_read_by_the_model) {
  auto m = std::make_shared<patient_model>();
  boot({scout(m)});
  const auto id = start("scout");
  BOOST_REQUIRE(tell(id, signal_run{"deployed", "v2", "ci", {}}));
  m->calls.at(0).done(says("first"));
  process->settle();
  BOOST_REQUIRE_EQUAL(m->calls.size(), 2u);
  BOOST_CHECK_EQUAL(text_of(*m->calls[1].request.conversation.back()),
                    "Signal deployed: v2");
}

BOOST_AUTO_TEST_CASE(a_parent_is_told_while_it_waits_for_its_child) {
  auto above = std::make_shared<patient_model>();
  auto below = std::make_shared<patient_model>();
  boot({lead(above), scout(below)});
  const auto id = start();
  above->calls.at(0).done(calls({ask_scout()}));
  process->settle();
  BOOST_REQUIRE(
    tell(id, send_message{user_message("Short."), "ana", true, {}}));
  BOOST_CHECK(!below->calls.at(0).stop.stop_requested());
  below->calls[0].done(says("seen"));
  process->settle();
  BOOST_REQUIRE_EQUAL(above->calls.size(), 2u);
  BOOST_CHECK_EQUAL(text_of(*above->calls[1].request.conversation.back()),
                    "Short.");
}

BOOST_AUTO_TEST_CASE(a_run_that_has_ended_hears_nothing_any_more) {
  boot({scout(by_turn({says("done")}))});
  const auto id = start("scout");
  const auto late =
    tell(id, send_message{user_message("Wait."), "ana", false, {}});
  BOOST_REQUIRE(!late);
  BOOST_CHECK(late.error().code == errc::refused);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
