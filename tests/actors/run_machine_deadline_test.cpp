#include <boost/test/unit_test.hpp>

#include <kestrion/tests/support/check_lines.hpp>
#include <kestrion/tests/support/machine_dsl.hpp>

using namespace kestrion;
using namespace std::chrono_literals;
using test::machine_story;

BOOST_FIXTURE_TEST_SUITE(run_machine_deadline_test, machine_story)

BOOST_AUTO_TEST_CASE(a_deadline_counts_from_the_request_and_wakes_the_run) {
  asks_for({"wipe"});
  BOOST_CHECK(decided<approval_requested>().deadline.value() == now + 1h);
  CHECK_LINES(owes(), "wake_up 2026-01-02T01:00:00.000000Z");
}

BOOST_AUTO_TEST_CASE(a_deadline_is_set_once) {
  asks_for({"drop"});
  const auto deadline = now + 1h;
  passes(30min);
  approved({"", "", "ana", "sre", "", {}});
  BOOST_CHECK(call("c1.0").deadline.value() == deadline);
  approved({"", "", "bob", "lead", "", R"({"n":2})"});
  BOOST_CHECK(call("c1.0").deadline.value() == deadline);
  recovers();
  BOOST_CHECK(call("c1.0").deadline.value() == deadline);
  CHECK_LINES(owes(), "wake_up 2026-01-02T01:00:00.000000Z");
}

BOOST_AUTO_TEST_CASE(before_the_deadline_time_changes_nothing) {
  asks_for({"wipe"});
  passes(1h - 1us);
  ticks();
  CHECK_LINES(events());
  approved({"", "", "ana", "", "", {}});
  CHECK_LINES(events(), "approval_granted c1.0 ana", "tool_call_started c1.0");
  passes(1h);
  ticks();
  CHECK_LINES(events());
}

BOOST_AUTO_TEST_CASE(at_the_deadline_the_run_expires_by_itself) {
  asks_for({"look", "wipe", "drop"});
  passes(1h);
  ticks();
  CHECK_LINES(events(), "approval_expired c1.1", "approval_expired c1.2",
              "run_expired");
  BOOST_CHECK(status() == run_status::expired);
  BOOST_CHECK_EQUAL(
    state.progress.reason,
    "call c1.1 of wipe was not approved by 2026-01-02T01:00:00.000000Z");
  CHECK_LINES(owes());
}

BOOST_AUTO_TEST_CASE(a_partial_chain_expires_too) {
  asks_for({"drop"});
  approved({"", "", "ana", "sre", "", {}});
  passes(1h);
  ticks();
  CHECK_LINES(events(), "approval_expired c1.0", "run_expired");
}

BOOST_AUTO_TEST_CASE(a_late_approval_expires_the_run_and_is_refused) {
  asks_for({"wipe"});
  passes(1h);
  approved({"", "", "ana", "", "", {}});
  CHECK_LINES(events(), "approval_expired c1.0", "run_expired");
  BOOST_CHECK_EQUAL(refusal(),
                    "refused: call c1.0 of wipe was not approved by "
                    "2026-01-02T01:00:00.000000Z; the run is expired");
  BOOST_CHECK(last->status == run_status::expired);
  approved({"", "", "ana", "", "", {}});
  BOOST_CHECK_EQUAL(refusal(), "refused: the run is expired; nothing can be "
                               "decided any more");
}

BOOST_AUTO_TEST_CASE(a_late_denial_expires_the_run_and_is_refused) {
  asks_for({"wipe"});
  passes(2h);
  denied({"", "", "ana", "", "", "no"});
  CHECK_LINES(events(), "approval_expired c1.0", "run_expired");
  BOOST_CHECK(last->refusal->code == errc::refused);
}

BOOST_AUTO_TEST_CASE(a_decision_about_one_call_is_late_if_another_expired) {
  asks_for({"apply", "wipe"});
  passes(1h);
  approved({"c1.0", "", "ana", "", "", {}});
  CHECK_LINES(events(), "approval_expired c1.1", "run_expired");
  BOOST_CHECK(last->refusal);
}

BOOST_AUTO_TEST_CASE(a_repetition_after_the_deadline_is_no_late_decision) {
  asks_for({"drop"});
  const approval first{"", "", "ana", "sre", "", {}};
  approved(first);
  passes(1h);
  approved(first);
  CHECK_LINES(events());
  BOOST_CHECK_EQUAL(refusal(), "");
}

BOOST_AUTO_TEST_CASE(an_open_gate_has_no_deadline_any_more) {
  asks_for({"apply", "wipe"});
  approved({"c1.1", "", "ana", "", "", {}});
  CHECK_LINES(owes(), "wake_up 2026-02-01T00:00:00.000000Z");
  passes(2h);
  ticks();
  CHECK_LINES(events());
  approved({"c1.0", "", "ana", "", "", {}});
  CHECK_LINES(events(), "approval_granted c1.0 ana", "tool_call_started c1.0",
              "tool_call_started c1.1");
}

BOOST_AUTO_TEST_CASE(a_deadline_at_the_end_of_time_overflows_nothing) {
  auto patient = agent;
  patient.limits.wall_time_max = duration::max();
  patient.tools.at(6).gate.deadline = duration::max();
  agent = prepare(patient).value();
  asks_for({"wipe"});
  BOOST_CHECK(call("c1.0").deadline.value() == timestamp::max());
  BOOST_CHECK(std::get<wake_up>(owed(state).at(0)).at == timestamp::max());
  ticks();
  CHECK_LINES(events());
}

BOOST_AUTO_TEST_CASE(
  a_deadline_that_passes_while_parked_expires_the_run_later) {
  asks_for({"wipe"});
  is_parked();
  passes(2h);
  ticks();
  CHECK_LINES(events());
  is_unparked();
  CHECK_LINES(owes(), "wake_up 2026-01-02T01:00:00.000000Z");
  ticks();
  CHECK_LINES(events(), "approval_expired c1.0", "run_expired");
}

BOOST_AUTO_TEST_CASE(a_deadline_of_the_run_ends_it_whatever_it_does) {
  const auto starts_with = [&](timestamp deadline) {
    run_started header;
    header.agent = agent.name;
    header.limits = agent.limits;
    header.deadline = deadline;
    take(start_run{header, user_message("go"), {}});
  };
  starts_with(now);
  BOOST_CHECK_EQUAL(refusal(),
                    "invalid_argument: the deadline 2026-01-02T00:00:00.000000Z"
                    " has passed already");
  starts_with(now + 2h);
  CHECK_LINES(owes(), "call_model m1 1", "wake_up 2026-01-02T02:00:00.000000Z");
  passes(2h - 1us);
  ticks();
  CHECK_LINES(events());
  passes(1us);
  ticks();
  CHECK_LINES(events(), "run_failed timeout");
  BOOST_CHECK_EQUAL(state.progress.reason,
                    "the run's deadline passed: 2026-01-02T02:00:00.000000Z");
}

BOOST_AUTO_TEST_SUITE_END()
