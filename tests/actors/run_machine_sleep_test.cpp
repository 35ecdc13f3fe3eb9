#include <boost/test/unit_test.hpp>

#include <kestrion/tests/support/check_lines.hpp>
#include <kestrion/tests/support/machine_dsl.hpp>

#include <kestrion/actors/replay.hpp>
#include <kestrion/actors/run_result.hpp>

/// Runs that sleep.
using namespace kestrion;
using namespace std::chrono_literals;
using test::machine_story;
using test::said;

namespace run_machine_sleep_test {

struct sleepy : machine_story {
  sleepy() : machine_story(test::team_agent()) {}

  void naps(const std::string& seconds) {
    starts();
    model_calls({{"nap", "{\"seconds\":" + seconds + "}"}});
  }

  std::optional<timestamp> wake() const {
    return wake_time(state.progress, *state.header);
  }
};

} // namespace run_machine_sleep_test

BOOST_FIXTURE_TEST_SUITE(run_machine_sleep_test, sleepy)

BOOST_AUTO_TEST_CASE(a_sleeping_run_is_at_rest_until_its_time) {
  naps("1209600");
  CHECK_LINES(events(), "model_call_completed m1", "sleep_started c1.0");
  BOOST_CHECK(decided<sleep_started>().until == now + 14 * 24h);
  BOOST_CHECK(status() == run_status::sleeping);
  BOOST_CHECK(is_at_rest(status()));
  CHECK_LINES(owes(), "wake_up 2026-01-16T00:00:00.000000Z");
  BOOST_CHECK(last->wake_at == now + 14 * 24h);
  BOOST_CHECK_EQUAL(result_of({}, state).reason,
                    "c1.0 sleeps until 2026-01-16T00:00:00.000000Z");
}

BOOST_AUTO_TEST_CASE(it_wakes_at_its_time_and_not_before) {
  naps("60");
  passes(60s - 1us);
  ticks();
  BOOST_CHECK(events().empty());
  passes(1us);
  ticks();
  CHECK_LINES(events(), "tool_call_completed c1.0");
  BOOST_CHECK_EQUAL(said(state).back(),
                    "tool: c1.0=Slept until 2026-01-02T00:01:00.000000Z.");
  BOOST_CHECK(status() == run_status::running);
  ticks();
  BOOST_CHECK(events().empty());
}

BOOST_AUTO_TEST_CASE(who_speaks_when_the_time_is_over_need_not_have_woken_it) {
  for (const bool interrupts : {false, true}) {
    machine_story story{test::team_agent()};
    story.starts();
    story.model_calls(
      {{"nap", R"({"seconds":60})"}, {"nap", R"({"seconds":90})"}});
    story.passes(60s);
    story.is_told("Mind that.", interrupts);
    story.ticks();
    BOOST_CHECK(!replay({}, story.log, story.agent).divergence);
    BOOST_CHECK_EQUAL(said(story.state).size(), interrupts ? 4u : 2u);
  }
}

BOOST_AUTO_TEST_CASE(a_clock_that_was_set_back_wakes_nobody_twice) {
  naps("60");
  passes(2min);
  ticks();
  CHECK_LINES(events(), "tool_call_completed c1.0");
  passes(-2min);
  ticks();
  recovers();
  CHECK_LINES(events(), "run_recovered m2");
}

BOOST_AUTO_TEST_CASE(a_time_that_is_no_time_is_told_to_the_model) {
  for (const auto* seconds : {"0", "-1", "31622401", "1.5", "\"1\""}) {
    sleepy fresh;
    fresh.naps(seconds);
    CHECK_LINES(fresh.events(), "model_call_completed m1",
                "tool_call_failed c1.0 invalid_arguments");
  }
  naps("31622400");
  CHECK_LINES(events(), "model_call_completed m1", "sleep_started c1.0");
}

BOOST_AUTO_TEST_CASE(a_signal_wakes_it) {
  naps("60");
  take(signal_run{"paid", "42", "shop", {}});
  CHECK_LINES(events(), "signal_received paid shop",
              "tool_call_completed c1.0 shop");
  BOOST_CHECK(status() == run_status::running);
  BOOST_CHECK_EQUAL(decided<tool_call_completed>().content,
                    "Woken at 2026-01-02T00:00:00.000000Z, before "
                    "2026-01-02T00:01:00.000000Z.");
}

BOOST_AUTO_TEST_CASE(only_a_message_that_interrupts_wakes_it) {
  naps("60");
  is_told("take your time");
  BOOST_CHECK(status() == run_status::sleeping);
  is_told("come back", true);
  CHECK_LINES(events(), "message_received ana", "tool_call_completed c1.0 ana");
  BOOST_CHECK(!replay({}, log, agent).divergence);
}

BOOST_AUTO_TEST_CASE(it_may_be_cancelled_and_needs_nobody_then) {
  naps("60");
  is_cancelled();
  BOOST_CHECK(status() == run_status::cancelled);
  BOOST_CHECK(!wake());
}

BOOST_AUTO_TEST_CASE(two_sleeps_of_a_batch_end_each_at_its_time) {
  starts();
  model_calls({{"nap", R"({"seconds":60})"}, {"nap", R"({"seconds":90})"}});
  passes(1min);
  ticks();
  CHECK_LINES(events(), "tool_call_completed c1.0");
  BOOST_CHECK(status() == run_status::sleeping);
  BOOST_CHECK(last->wake_at == now + 30s);
  passes(30s);
  ticks();
  CHECK_LINES(events(), "tool_call_completed c1.1");
  BOOST_CHECK(status() == run_status::running);
}

BOOST_AUTO_TEST_CASE(people_and_children_are_waited_for_before_sleep) {
  starts();
  model_calls({{"nap", R"({"seconds":60})"},
               {"research", R"({"prompt":"why?"})"},
               {"ask", R"({"question":"now?"})"}});
  BOOST_CHECK(status() == run_status::waiting_on_human);
  answered({"", "ana", "yes"});
  BOOST_CHECK(status() == run_status::waiting_on_child);
  child_ends("c1.1", run_status::completed, "so");
  BOOST_CHECK(status() == run_status::sleeping);
}

BOOST_AUTO_TEST_CASE(a_parked_run_does_not_wake) {
  naps("60");
  is_parked();
  BOOST_CHECK(!wake());
  passes(2min);
  ticks();
  BOOST_CHECK(events().empty());
  take(signal_run{"paid", "", "shop", {}});
  CHECK_LINES(events(), "signal_received paid shop");
  is_unparked();
  CHECK_LINES(events(), "run_resumed");
  ticks();
  CHECK_LINES(events(), "tool_call_completed c1.0");
}

BOOST_AUTO_TEST_CASE(a_deadline_comes_before_the_end_of_a_sleep) {
  run_started header;
  header.agent = agent.name;
  header.limits = agent.limits;
  header.deadline = now + 30s;
  take(start_run{std::move(header), user_message("go"), {}});
  model_calls({{"nap", R"({"seconds":60})"}});
  BOOST_CHECK(wake() == now + 30s);
  passes(2min);
  ticks();
  CHECK_LINES(events(), "run_failed timeout");
}

BOOST_AUTO_TEST_SUITE_END()
