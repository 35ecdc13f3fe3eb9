#include <boost/test/unit_test.hpp>

#include <kestrion/tests/support/check_lines.hpp>
#include <kestrion/tests/support/machine_dsl.hpp>

/// Runs that ask people for more when a limit is reached.
using namespace kestrion;
using namespace std::chrono_literals;
using test::machine_story;
using test::ops_agent;
using test::team_agent;

namespace run_machine_raise_test {

agent_definition asking(agent_definition agent,
                        approval_gate gate = {true, {}, {}}) {
  agent.limit_gate = std::move(gate);
  return prepare(std::move(agent)).value();
}

machine_story limited(run_limits limits, approval_gate gate = {true, {}, {}}) {
  machine_story story{asking(ops_agent(limits), std::move(gate))};
  story.starts();
  return story;
}

/// Held before its second model call.
machine_story held(approval_gate gate = {true, {}, {}}) {
  auto story = limited({.turns_max = 1}, std::move(gate));
  story.asks_for({"look"});
  story.tool_returns("c1.0", "3");
  return story;
}

approval yes_with(std::string arguments) {
  return {.by = "ana", .arguments = std::move(arguments)};
}

} // namespace run_machine_raise_test

BOOST_AUTO_TEST_SUITE(run_machine_raise_test)

BOOST_AUTO_TEST_CASE(a_run_that_reached_a_limit_asks_and_goes_on_after_a_yes) {
  auto story = held();
  CHECK_LINES(story.events(), "tool_call_completed c1.0",
              R"(limit_reached l1 turns_max {"turns_max":2})",
              "approval_requested l1");
  BOOST_CHECK(story.status() == run_status::waiting_on_human);
  CHECK_LINES(story.owes()); // No limit of time, for it waits for people.
  story.approved({.by = "ana"});
  CHECK_LINES(story.events(), "approval_granted l1 ana", "limits_raised l1");
  CHECK_LINES(story.owes(), "call_model m2 1",
              "wake_up 2026-02-01T00:00:00.000000Z");
  BOOST_CHECK_EQUAL(limits_of(story.state).turns_max, 2);
  story.model_calls({{"look", "{}"}});
  story.tool_returns("c2.0", "3");
  CHECK_LINES(story.events(), "tool_call_completed c2.0",
              R"(limit_reached l2 turns_max {"turns_max":3})",
              "approval_requested l2");
}

BOOST_AUTO_TEST_CASE(a_no_ends_it) {
  auto story = held();
  story.denied({.by = "ana", .reason = "too dear"});
  CHECK_LINES(story.events(), "approval_denied l1 ana",
              "run_failed limit_exceeded");
  BOOST_CHECK_EQUAL(story.state.progress.reason,
                    "the run's limit is reached: turns_max of 1 (used: 1); "
                    "ana did not allow more: too dear");
}

BOOST_AUTO_TEST_CASE(a_deadline_that_passes_expires_it) {
  auto story = held({true, {}, 1h});
  CHECK_LINES(story.owes(), "wake_up 2026-01-02T01:00:00.000000Z");
  story.passes(1h);
  story.ticks();
  CHECK_LINES(story.events(), "approval_expired l1", "run_expired");
}

BOOST_AUTO_TEST_CASE(all_roles_have_to_agree_to_the_same) {
  auto story = held({true, {"lead", "finance"}, {}});
  story.approved({.by = "ana", .role = "lead"});
  CHECK_LINES(story.events(), "approval_granted l1 ana lead");
  story.approved(
    {.by = "bob", .role = "finance", .arguments = R"({"turns_max":7})"});
  BOOST_CHECK(story.status() == run_status::waiting_on_human);
  story.approved({.by = "ana", .role = "lead"});
  CHECK_LINES(story.events(), "approval_granted l1 ana lead",
              "limits_raised l1");
  BOOST_CHECK_EQUAL(limits_of(story.state).turns_max, 7);
}

BOOST_AUTO_TEST_CASE(other_numbers_have_to_help) {
  auto story = held();
  const auto why_not = [&](const char* arguments) {
    story.approved(run_machine_raise_test::yes_with(arguments));
    return story.refusal();
  };
  BOOST_CHECK_EQUAL(why_not(R"({"turns_max":1})"),
                    "invalid_argument: edited arguments: turns_max is 1; "
                    "expected more than the 1 that hold now");
  BOOST_CHECK_EQUAL(why_not(R"({"tokens_max":20000000})"),
                    "invalid_argument: edited arguments: the arguments of "
                    "raise_limits leave nothing: turns_max of 1 (used: 1)");
  BOOST_CHECK(why_not(R"({"depth_max":9})").find("depth_max")
              != std::string::npos);
  BOOST_CHECK(!why_not("[]").empty());
  BOOST_CHECK(!why_not("{").empty());
  BOOST_CHECK(why_not(R"({"turns_max":3,"tokens_max":20000000})").empty());
  BOOST_CHECK_EQUAL(limits_of(story.state).tokens_max, 20'000'000);
}

BOOST_AUTO_TEST_CASE(no_tool_of_a_held_batch_starts) {
  auto story = limited({.tool_calls_max = 1});
  story.model_calls({{"look", "{}"}, {"fly", "{}"}, {"apply", R"({"n":1})"}});
  CHECK_LINES(story.events(), "model_call_completed m1",
              R"(limit_reached l1 tool_calls_max {"tool_calls_max":4})",
              "approval_requested l1", "tool_call_failed c1.1 unknown_tool",
              "approval_requested c1.2");
  story.approved({.tool = "apply", .by = "ana"});
  CHECK_LINES(story.events(), "approval_granted c1.2 ana");
  story.approved({.tool = "raise_limits", .by = "ana"});
  CHECK_LINES(story.events(), "approval_granted l1 ana", "limits_raised l1",
              "tool_call_started c1.0", "tool_call_started c1.2");
}

BOOST_AUTO_TEST_CASE(tools_that_run_go_on_while_people_are_asked) {
  auto story = machine_story{
    run_machine_raise_test::asking(team_agent({.tokens_max = 100}))};
  story.starts();
  story.model_calls({{"research", R"({"prompt":"x"})"}, {"look", "{}"}});
  story.child_ends("c1.0", run_status::completed, "found", {100, 0, 0, 0, 0});
  CHECK_LINES(story.events(), "child_ended c1.0 completed",
              R"(limit_reached l1 tokens_max {"tokens_max":200})",
              "approval_requested l1");
  BOOST_CHECK(story.status() == run_status::running);
  CHECK_LINES(story.owes(), "run_tool c1.1 look {} 1");
  story.tool_returns("c1.1", "3");
  BOOST_CHECK(story.status() == run_status::waiting_on_human);
  CHECK_LINES(story.owes());
  story.approved({.by = "ana"});
  CHECK_LINES(story.owes(), "call_model m2 1",
              "wake_up 2026-02-01T00:00:00.000000Z");
}

BOOST_AUTO_TEST_CASE(the_start_of_too_many_children_is_held) {
  auto story = machine_story{
    run_machine_raise_test::asking(team_agent({.descendants_max = 1}))};
  story.starts();
  story.model_calls(
    {{"research", R"({"prompt":"x"})"}, {"research", R"({"prompt":"y"})"}});
  CHECK_LINES(story.events(), "model_call_completed m1",
              R"(limit_reached l1 descendants_max {"descendants_max":3})",
              "approval_requested l1");
  story.approved({.by = "ana"});
  CHECK_LINES(story.events(), "approval_granted l1 ana", "limits_raised l1",
              "child_started c1.0 researcher", "child_started c1.1 researcher");
}

BOOST_AUTO_TEST_CASE(a_child_may_use_what_was_added) {
  auto story = machine_story{
    run_machine_raise_test::asking(team_agent({.tokens_max = 100}))};
  story.starts();
  story.model_calls({{"research", R"({"prompt":"x"})"}}, {100, 0, 0, 0, 0});
  story.approved({.by = "ana"});
  const auto debts = owed(story.state);
  BOOST_CHECK_EQUAL(std::get<start_child>(debts.front()).left.tokens_max, 100);
}

BOOST_AUTO_TEST_CASE(time_that_is_up_gives_up_the_call_and_asks) {
  auto story = limited({.wall_time_max = 90s});
  story.passes(90s);
  story.ticks();
  CHECK_LINES(story.events(), "model_call_interrupted m1 1",
              R"(limit_reached l1 wall_time_max {"wall_time_max":180000000})",
              "approval_requested l1");
  story.ticks();
  CHECK_LINES(story.events());
  CHECK_LINES(story.owes());
  story.recovers(); // Nothing was under way.
  CHECK_LINES(story.events());
  story.passes(10s);
  story.approved({.by = "ana"});
  CHECK_LINES(story.owes(), "call_model m1 2",
              "wake_up 2026-01-02T00:03:00.000000Z");
}

BOOST_AUTO_TEST_CASE(what_is_said_meanwhile_is_heard_by_the_next_call) {
  auto story = held();
  story.is_told("be brief", true);
  story.is_told("and kind");
  BOOST_CHECK(story.status() == run_status::waiting_on_human);
  story.approved({.by = "ana"});
  BOOST_CHECK(story.state.heard.empty());
  BOOST_CHECK_EQUAL(test::said(story.state).back(), "user: and kind");
}

BOOST_AUTO_TEST_CASE(a_parked_run_takes_the_yes_and_goes_on_later) {
  auto story = limited({.tool_calls_max = 1});
  story.model_calls({{"look", "{}"}, {"look", "{}"}});
  story.is_parked();
  story.approved({.by = "ana"});
  CHECK_LINES(story.events(), "approval_granted l1 ana", "limits_raised l1");
  story.is_unparked();
  CHECK_LINES(story.events(), "run_resumed", "tool_call_started c1.0",
              "tool_call_started c1.1");
}

BOOST_AUTO_TEST_CASE(the_same_decision_twice_is_one) {
  auto story = held();
  story.approved({.call = "l1", .by = "ana"});
  story.approved({.call = "l1", .by = "ana"});
  CHECK_LINES(story.events());
  BOOST_CHECK_EQUAL(story.refusal(), "");
  story.denied({.call = "l1", .by = "bob"});
  BOOST_CHECK_EQUAL(story.refusal(),
                    "refused: call l1 of raise_limits was approved by ana");
}

BOOST_AUTO_TEST_CASE(names_and_gates_are_checked) {
  auto agent = ops_agent();
  agent.tools.front().name = "raise_limits";
  BOOST_CHECK(prepare(agent));
  agent.limit_gate = {true, {}, {}};
  BOOST_CHECK_EQUAL(prepare(agent).error().detail,
                    "agent \"ops\", limits: no tool may have the name "
                    "raise_limits, by which people are asked for more");
  auto late = ops_agent();
  late.limit_gate = {true, {}, duration{0}};
  BOOST_CHECK_EQUAL(
    prepare(late).error().detail,
    "agent \"ops\", limits: the approval deadline is not positive");
  BOOST_CHECK(prepare(ops_agent())->digest
              != run_machine_raise_test::asking(ops_agent()).digest);
}

BOOST_AUTO_TEST_SUITE_END()
