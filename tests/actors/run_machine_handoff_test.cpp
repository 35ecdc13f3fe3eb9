#include <boost/test/unit_test.hpp>

#include <kestrion/tests/support/check_lines.hpp>
#include <kestrion/tests/support/machine_dsl.hpp>

#include <kestrion/actors/run_result.hpp>

/// Conversations that move to another agent.
using namespace kestrion;
using test::machine_story;
using test::said;

namespace run_machine_handoff_test {

const std::string month = "wake_up 2026-02-01T00:00:00.000000Z";
const std::string bills = R"({"reason":"bills"})";

struct leaving : machine_story {
  leaving() : machine_story(test::team_agent()) {}

  void hands_over(const std::string& tool = "to_billing") {
    if (state.progress.seq == 0)
      starts();
    model_calls({{tool, bills}});
  }

  test::lines history() const {
    test::lines out;
    for (const auto& m : handoff_history(state, "c1.0"))
      out.push_back(test::brief(m));
    return out;
  }
};

} // namespace run_machine_handoff_test

BOOST_FIXTURE_TEST_SUITE(run_machine_handoff_test, leaving)

// -- who leaves ---------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_handoff_starts_a_run_and_completes_this_one) {
  const auto id = run_id::make(now, 1, 2);
  hands_over();
  CHECK_LINES(events(), "model_call_completed m1", "handed_off c1.0 billing");
  CHECK_LINES(owes(), "hand over c1.0 billing bills", month);
  BOOST_CHECK(status() == run_status::running);
  BOOST_CHECK_EQUAL(result_of(id, state).reason,
                    "to_billing (c1.0) hands over to billing");
  BOOST_CHECK(!result_of(id, state).handed_to);
  child_ends("c1.0", run_status::running);
  CHECK_LINES(events(), "run_completed");
  const auto r = result_of(id, state);
  BOOST_CHECK(r.status == run_status::completed);
  BOOST_CHECK(r.handed_to == child_id(id, "c1.0"));
  BOOST_CHECK_EQUAL(r.reason,
                    "handed over to billing, " + child_id(id, "c1.0").str());
  BOOST_CHECK(open_children(state).empty());
}

BOOST_AUTO_TEST_CASE(a_run_that_answers_itself_was_handed_to_nobody) {
  starts();
  model_says("done");
  BOOST_CHECK(!result_of({}, state).handed_to);
}

BOOST_AUTO_TEST_CASE(the_conversation_moves_with_a_result_for_the_handoff) {
  hands_over();
  const test::lines expected{
    "user: go", R"(assistant: c1.0/call_1_0:to_billing({"reason":"bills"}))",
    "tool: c1.0=Handed over to billing."};
  CHECK_LINES(history(), expected[0], expected[1], expected[2]);
  child_ends("c1.0", run_status::running);
  CHECK_LINES(history(), expected[0], expected[1], expected[2]);
}

BOOST_AUTO_TEST_CASE(what_was_heard_and_what_failed_moves_too) {
  starts();
  is_told("and my address");
  model_calls({{"fly", "{}"}, {"to_billing", bills}});
  test::lines got;
  for (const auto& m : handoff_history(state, "c1.1"))
    got.push_back(test::brief(m));
  BOOST_REQUIRE_EQUAL(got.size(), 4u);
  BOOST_CHECK(got[2].starts_with("tool: c1.0!There is no tool \"fly\""));
  BOOST_CHECK(got[2].ends_with("c1.1=Handed over to billing."));
  BOOST_CHECK_EQUAL(got[3], "user: and my address");
}

BOOST_AUTO_TEST_CASE(a_history_for_a_call_that_hands_nothing_over_is_whole) {
  starts();
  BOOST_CHECK_EQUAL(handoff_history(state, "c1.0").size(), 1u);
  model_calls({{"look", "{}"}});
  BOOST_CHECK_EQUAL(history().back(), "tool: c1.0=Handed over to another "
                                      "agent.");
  BOOST_CHECK_EQUAL(test::brief(handoff_history(state, "c9.9").back()),
                    "tool: c1.0!Not done: the conversation was handed over.");
}

BOOST_AUTO_TEST_CASE(a_handoff_is_done_alone) {
  starts();
  model_calls({{"to_billing", bills}, {"look", "{}"}});
  CHECK_LINES(events(), "model_call_completed m1",
              "tool_call_failed c1.0 failed", "tool_call_started c1.1");
  BOOST_CHECK_EQUAL(
    decided<tool_call_failed>().detail,
    "Hand over alone: this has to be the only call of an answer.");
  tool_returns("c1.1", "3");
  model_calls({{"to_billing", bills}, {"escalate", bills}});
  CHECK_LINES(events(), "model_call_completed m2",
              "tool_call_failed c2.0 failed", "tool_call_failed c2.1 failed");
  BOOST_CHECK_EQUAL(owes().at(0), "call_model m3 1");
}

BOOST_AUTO_TEST_CASE(calls_that_do_not_run_are_no_company) {
  starts();
  model_calls({{"fly", "{}"}, {"to_billing", bills}, {"to_billing", "{}"}});
  CHECK_LINES(
    events(), "model_call_completed m1", "tool_call_failed c1.0 unknown_tool",
    "tool_call_failed c1.2 invalid_arguments", "handed_off c1.1 billing");
}

BOOST_AUTO_TEST_CASE(a_gate_holds_a_handoff_back) {
  hands_over("escalate");
  CHECK_LINES(events(), "model_call_completed m1", "approval_requested c1.0");
  approved({"", "", "ana", "lead", "", {}});
  CHECK_LINES(events(), "approval_granted c1.0 ana lead",
              "handed_off c1.0 boss");
}

BOOST_AUTO_TEST_CASE(a_run_that_could_not_be_started_is_an_error_result) {
  hands_over();
  child_ends("c1.0", run_status::failed, "there is no agent billing");
  CHECK_LINES(events(), "child_ended c1.0 failed");
  BOOST_CHECK_EQUAL(said(state).back(),
                    "tool: c1.0!The run of billing ended as failed: there is "
                    "no agent billing");
  BOOST_CHECK_EQUAL(owes().at(0), "call_model m2 1");
  child_ends("c1.0", run_status::running);
  CHECK_LINES(events());
}

BOOST_AUTO_TEST_CASE(a_handoff_counts_as_depth_but_not_as_a_descendant) {
  run_started header;
  header.depth = 1;
  header.limits.depth_max = 2;
  take(start_run{header, user_message("go"), {}});
  hands_over();
  const auto effect = std::get<start_child>(owed(state).at(0));
  BOOST_CHECK_EQUAL(effect.depth, 2);
  BOOST_CHECK(effect.handoff);
  BOOST_CHECK_EQUAL(effect.left.descendants_max, default_descendants_max);
  leaving deepest;
  header.depth = 2;
  deepest.take(start_run{header, user_message("go"), {}});
  deepest.hands_over();
  CHECK_LINES(deepest.events(), "model_call_completed m1",
              "tool_call_failed c1.0 failed");
}

BOOST_AUTO_TEST_CASE(who_is_being_handed_over_hears_nothing) {
  hands_over();
  is_told("wait");
  BOOST_CHECK_EQUAL(refusal(), "refused: the run is being handed over to "
                               "billing; tell that run");
}

BOOST_AUTO_TEST_CASE(a_new_life_hands_over_again_and_so_does_an_unparked_one) {
  hands_over();
  const auto before = owes();
  recovers();
  CHECK_LINES(events());
  BOOST_CHECK(owes() == before);
  is_parked();
  child_ends("c1.0", run_status::running);
  CHECK_LINES(events());
  is_unparked();
  BOOST_CHECK(owes() == before);
}

BOOST_AUTO_TEST_CASE(a_cancel_before_the_new_run_exists_leaves_it_behind) {
  hands_over();
  is_cancelled();
  CHECK_LINES(open_children(state), "c1.0");
  BOOST_CHECK(!result_of({}, state).handed_to);
  child_ends("c1.0", run_status::running);
  CHECK_LINES(events());
}

// -- who takes over -----------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_run_goes_on_with_the_conversation_it_gets) {
  hands_over();
  leaving next;
  run_started header;
  header.agent = "billing";
  header.handed_from = run_id::make(now, 1, 2);
  next.take(start_run{header, {}, {}, handoff_history(state, "c1.0")});
  CHECK_LINES(next.events(), "run_started billing", "message_received",
              "message_received", "message_received");
  BOOST_CHECK(said(next.state) == history());
  CHECK_LINES(next.owes(), "call_model m1 1", month);
  next.model_calls({{"look", "{}"}});
  BOOST_CHECK_EQUAL(said(next.state).back(),
                    "assistant: c1.0/call_1_0_:look({})"); // Not the same id.
  next.tool_returns("c1.0", "3");
  next.model_says("Your bill is 3.");
  BOOST_CHECK(next.status() == run_status::completed);
}

BOOST_AUTO_TEST_CASE(a_prompt_comes_after_the_history) {
  take(start_run{{}, user_message("and now?"), {}, {user_message("before")}});
  CHECK_LINES(said(state), "user: before", "user: and now?");
}

BOOST_AUTO_TEST_CASE(a_history_does_not_excuse_a_bad_prompt) {
  take(start_run{{}, user_message(" "), {}, {user_message("before")}});
  BOOST_CHECK(refusal().starts_with("invalid_argument: the prompt for agent"));
  take(start_run{{}, {}, {}, {}});
  BOOST_CHECK(refusal().starts_with("invalid_argument: the prompt for agent"));
}

BOOST_AUTO_TEST_SUITE_END()
