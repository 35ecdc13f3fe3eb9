#include <boost/test/unit_test.hpp>

#include <kestrion/tests/support/check_lines.hpp>
#include <kestrion/tests/support/machine_dsl.hpp>

using namespace kestrion;
using namespace std::chrono_literals;
using test::machine_story;
using test::ops_agent;

namespace run_machine_limit_test {

machine_story limited(run_limits limits) {
  machine_story story{ops_agent(limits)};
  story.starts();
  return story;
}

} // namespace run_machine_limit_test

BOOST_AUTO_TEST_SUITE(run_machine_limit_test)

BOOST_AUTO_TEST_CASE(turns_end_before_the_model_is_called_once_more) {
  auto story = limited({.turns_max = 2});
  story.model_calls({{"look", "{}"}});
  story.tool_returns("c1.0", "3");
  story.model_calls({{"look", "{}"}});
  CHECK_LINES(story.events(), "model_call_completed m2",
              "tool_call_started c2.0");
  story.tool_returns("c2.0", "3");
  CHECK_LINES(story.events(), "tool_call_completed c2.0",
              "run_failed limit_exceeded");
  BOOST_CHECK_EQUAL(story.state.progress.reason,
                    "the run's limit is reached: turns_max of 2 (used: 2)");
}

BOOST_AUTO_TEST_CASE(the_last_turn_may_answer) {
  auto story = limited({.turns_max = 2});
  story.model_calls({{"look", "{}"}});
  story.tool_returns("c1.0", "3");
  story.model_says("3");
  BOOST_CHECK(story.status() == run_status::completed);
}

BOOST_AUTO_TEST_CASE(error_results_of_a_whole_batch_do_not_evade_the_turns) {
  auto story = limited({.turns_max = 1});
  story.model_calls({{"fly", "{}"}});
  CHECK_LINES(story.events(), "model_call_completed m1",
              "tool_call_failed c1.0 unknown_tool",
              "run_failed limit_exceeded");
}

BOOST_AUTO_TEST_CASE(a_denial_does_not_evade_the_turns) {
  auto story = limited({.turns_max = 1});
  story.model_calls({{"apply", R"({"n":1})"}});
  story.denied({"", "", "ana", "", "", ""});
  CHECK_LINES(story.events(), "approval_denied c1.0 ana",
              "run_failed limit_exceeded");
}

BOOST_AUTO_TEST_CASE(no_call_of_a_batch_beyond_the_limit_starts) {
  auto story = limited({.tool_calls_max = 2});
  story.model_calls({{"look", "{}"}, {"look", "{}"}, {"look", "{}"}});
  CHECK_LINES(story.events(), "model_call_completed m1",
              "run_failed limit_exceeded");
  BOOST_CHECK_EQUAL(
    story.state.progress.reason,
    "the run's limit is reached: tool_calls_max of 2 (used: 3)");
}

BOOST_AUTO_TEST_CASE(as_many_tool_calls_as_allowed_run) {
  auto story = limited({.tool_calls_max = 2});
  story.model_calls({{"look", "{}"}, {"look", "{}"}});
  BOOST_CHECK_EQUAL(story.events().size(), 3u);
}

BOOST_AUTO_TEST_CASE(tokens_of_all_kinds_count) {
  auto story = limited({.tokens_max = 10});
  story.model_calls({{"look", "{}"}}, {1, 2, 3, 4, 4});
  CHECK_LINES(story.events(), "model_call_completed m1",
              "run_failed limit_exceeded");
  BOOST_CHECK_EQUAL(story.state.progress.reason,
                    "the run's limit is reached: tokens_max of 10 (used: 10)");
  auto other = limited({.tokens_max = 11});
  other.model_calls({{"look", "{}"}}, {1, 2, 3, 4, 4});
  BOOST_CHECK(other.status() == run_status::running);
}

BOOST_AUTO_TEST_CASE(an_answer_is_an_answer_however_long_it_was) {
  auto story = limited({.tokens_max = 10});
  model_reply reply;
  reply.parts = {text_part{"done"}};
  reply.usage.output_tokens = 99;
  story.take(model_done{"m1", reply, {}, {}});
  BOOST_CHECK(story.status() == run_status::completed);
}

BOOST_AUTO_TEST_CASE(money_ends) {
  auto story = limited({.cost_usd_micros_max = 5});
  model_reply reply;
  reply.parts = {tool_call_part{"", "", "look", "{}"}};
  reply.cost_usd_micros = 5;
  story.take(model_done{"m1", reply, {}, {}});
  CHECK_LINES(story.events(), "model_call_completed m1",
              "run_failed limit_exceeded");
  BOOST_CHECK_EQUAL(
    story.state.progress.reason,
    "the run's limit is reached: cost_usd_micros_max of 5 (used: 5)");
}

BOOST_AUTO_TEST_CASE(lost_calls_count_too) {
  auto story = limited({.tokens_max = 40});
  story.model_calls({{"look", "{}"}});
  story.tool_returns("c1.0", std::string(90, 'x'));
  story.recovers();
  CHECK_LINES(story.events(), "run_recovered m2");
  story.recovers();
  CHECK_LINES(story.events(), "run_recovered m2", "run_failed limit_exceeded");
}

BOOST_AUTO_TEST_CASE(time_ends_by_a_tick) {
  auto story = limited({.wall_time_max = 90s});
  CHECK_LINES(story.owes(), "call_model m1 1",
              "wake_up 2026-01-02T00:01:30.000000Z");
  story.passes(90s - 1us);
  story.ticks();
  CHECK_LINES(story.events());
  story.passes(1us);
  story.ticks();
  CHECK_LINES(story.events(), "run_failed limit_exceeded");
  BOOST_CHECK_EQUAL(story.state.progress.reason,
                    "the run's limit is reached: wall_time_max of 90 s");
  story.ticks();
  CHECK_LINES(story.events());
}

BOOST_AUTO_TEST_CASE(time_ends_for_those_who_wait_for_people_too) {
  auto story = limited({.wall_time_max = 90s});
  story.model_calls({{"wipe", R"({"n":1})"}});
  CHECK_LINES(story.owes(), "wake_up 2026-01-02T00:01:30.000000Z");
  story.passes(90s);
  story.ticks();
  CHECK_LINES(story.events(), "run_failed limit_exceeded");
}

BOOST_AUTO_TEST_CASE(a_limit_that_is_nothing_ends_the_run_at_its_start) {
  auto agent = ops_agent();
  agent.limits.turns_max = 0; // Not through `prepare`, which refuses it.
  machine_story story{agent};
  story.starts();
  CHECK_LINES(story.events(), "run_started ops", "message_received",
              "run_failed limit_exceeded");
}

BOOST_AUTO_TEST_SUITE_END()
