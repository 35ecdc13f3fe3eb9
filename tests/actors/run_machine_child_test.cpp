#include <boost/test/unit_test.hpp>

#include <kestrion/tests/support/check_lines.hpp>
#include <kestrion/tests/support/machine_dsl.hpp>

#include <kestrion/actors/run_result.hpp>

/// Calls that are runs of other agents.
using namespace kestrion;
using test::machine_story;
using test::said;
using test::team_agent;

namespace run_machine_child_test {

const std::string month = "wake_up 2026-02-01T00:00:00.000000Z";
const std::string why = R"({"prompt":"why?"})";

struct team : machine_story {
  explicit team(run_limits limits = {}) : machine_story(team_agent(limits)) {}

  /// The model asks the researcher once for each prompt.
  void researches(int times = 1) {
    if (state.progress.seq == 0)
      starts();
    model_calls(std::vector<std::pair<std::string, std::string>>(
      static_cast<std::size_t>(times), {"research", why}));
  }

  start_child child(std::size_t n = 0) const {
    return std::get<start_child>(owed(state).at(n));
  }
};

} // namespace run_machine_child_test

BOOST_FIXTURE_TEST_SUITE(run_machine_child_test, team)

// -- start --------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_subagent_call_is_a_run_of_the_other_agent) {
  researches();
  CHECK_LINES(events(), "model_call_completed m1",
              "child_started c1.0 researcher");
  CHECK_LINES(owes(), "start_child c1.0 researcher why?", month);
  BOOST_CHECK(status() == run_status::waiting_on_child);
  BOOST_CHECK(last->status == run_status::waiting_on_child);
  CHECK_LINES(open_children(state), "c1.0");
  BOOST_CHECK_EQUAL(result_of({}, state).reason,
                    "research (c1.0) waits for a run of researcher");
}

BOOST_AUTO_TEST_CASE(a_child_gets_what_is_left_of_the_limits) {
  team story{{.tokens_max = 1'000,
              .cost_usd_micros_max = 500,
              .depth_max = 3,
              .descendants_max = 10}};
  story.starts();
  story.model_calls({{"research", why}, {"research", why}}, {100, 0, 0, 20, 0});
  BOOST_CHECK_EQUAL(story.child().depth, 1);
  BOOST_CHECK(story.child().left == (child_allowance{880, 500, 3, 8}));
  story.take(child_done{
    "c1.0", run_status::completed, "because", {80, 0, 0, 0, 0}, 100, 2, {}});
  BOOST_CHECK_EQUAL(story.child().call, "c1.1");
  BOOST_CHECK(story.child().left == (child_allowance{800, 400, 3, 6}));
}

BOOST_AUTO_TEST_CASE(a_childs_limits_are_its_own_cut_to_what_is_left) {
  const run_limits own{.turns_max = 7,
                       .tokens_max = 100,
                       .cost_usd_micros_max = 10,
                       .depth_max = 2};
  const auto cut = within(own, {50, 90, 1, 2'000});
  BOOST_CHECK_EQUAL(cut.turns_max, 7);
  BOOST_CHECK_EQUAL(cut.tokens_max, 50);
  BOOST_CHECK_EQUAL(cut.cost_usd_micros_max, 10);
  BOOST_CHECK_EQUAL(cut.depth_max.value(), 1);
  BOOST_CHECK_EQUAL(cut.descendants_max.value(), default_descendants_max);
  const auto spent = within({}, {0, 0, default_depth_max + 1, 0});
  BOOST_CHECK_EQUAL(spent.tokens_max, 0);
  BOOST_CHECK_EQUAL(spent.depth_max.value(), default_depth_max);
  BOOST_CHECK_EQUAL(spent.descendants_max.value(), 0);
}

BOOST_AUTO_TEST_CASE(depth_counts_from_the_header) {
  run_started header;
  header.depth = 4;
  take(start_run{header, user_message("go"), {}});
  researches();
  BOOST_CHECK_EQUAL(child().depth, 5);
  BOOST_CHECK_EQUAL(child().left.depth_max, default_depth_max);
}

BOOST_AUTO_TEST_CASE(a_prompt_that_is_missing_or_blank_starts_nothing) {
  starts();
  model_calls({{"research", "{}"}, {"research", R"({"prompt":" \n"})"}});
  CHECK_LINES(events(), "model_call_completed m1",
              "tool_call_failed c1.0 invalid_arguments",
              "tool_call_failed c1.1 invalid_arguments");
  BOOST_CHECK_EQUAL(decided<tool_call_failed>(1).detail,
                    "the prompt for researcher is empty; expected something "
                    "to do");
}

BOOST_AUTO_TEST_CASE(a_gate_holds_a_subagent_back_like_any_call) {
  starts();
  model_calls({{"look", "{}"}, {"audit", R"({"prompt":"all"})"}});
  CHECK_LINES(events(), "model_call_completed m1", "approval_requested c1.1");
  approved({"", "", "ana", "lead", "", R"({"prompt":"half"})"});
  CHECK_LINES(events(), R"(approval_granted c1.1 ana lead {"prompt":"half"})",
              "tool_call_started c1.0", "child_started c1.1 auditor");
  CHECK_LINES(owes(), "run_tool c1.0 look {} 1",
              "start_child c1.1 auditor half", month);
}

BOOST_AUTO_TEST_CASE(a_denied_subagent_starts_no_run) {
  starts();
  model_calls({{"audit", R"({"prompt":"all"})"}});
  denied({"", "", "ana", "lead", "", "no"});
  CHECK_LINES(events(), "approval_denied c1.0 ana lead");
  BOOST_CHECK(open_children(state).empty());
}

// -- end ----------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(the_childs_answer_is_the_result) {
  researches();
  child_ends("c1.0", run_status::completed, "because", {1, 2, 3, 4, 0});
  CHECK_LINES(events(), "child_ended c1.0 completed");
  BOOST_CHECK_EQUAL(said(state).back(), "tool: c1.0=because");
  CHECK_LINES(owes(), "call_model m2 1", month);
  BOOST_CHECK_EQUAL(state.progress.usage.total(), 10);
}

BOOST_AUTO_TEST_CASE(a_child_that_gave_no_answer_is_an_error_result) {
  const std::pair<run_status, std::string> ends[] = {
    {run_status::failed, "failed"},
    {run_status::expired, "expired"},
    {run_status::cancelled, "cancelled"}};
  for (const auto& [how, name] : ends) {
    team story;
    story.researches();
    story.child_ends("c1.0", how, "no network");
    CHECK_LINES(story.events(), "child_ended c1.0 " + name);
    BOOST_CHECK_EQUAL(said(story.state).back(),
                      "tool: c1.0!The run of researcher ended as " + name
                        + ": no network");
  }
  researches();
  child_ends("c1.0", run_status::failed);
  BOOST_CHECK_EQUAL(said(state).back(),
                    "tool: c1.0!The run of researcher ended as failed.");
}

BOOST_AUTO_TEST_CASE(a_child_that_has_not_ended_decides_nothing) {
  researches();
  for (auto how :
       {run_status::pending, run_status::running, run_status::waiting_on_human,
        run_status::waiting_on_child, run_status::parked}) {
    child_ends("c1.0", how);
    CHECK_LINES(events());
  }
  BOOST_CHECK(status() == run_status::waiting_on_child);
}

BOOST_AUTO_TEST_CASE(a_late_or_repeated_end_decides_nothing) {
  child_ends("c1.0", run_status::completed); // Before the start.
  CHECK_LINES(events());
  researches(2);
  child_ends("c9.0", run_status::completed);
  CHECK_LINES(events());
  child_ends("c1.0", run_status::completed, "one");
  child_ends("c1.0", run_status::completed, "two");
  CHECK_LINES(events());
  BOOST_CHECK_EQUAL(refusal(), "");
  child_ends("c1.1", run_status::completed, "three");
  BOOST_CHECK_EQUAL(said(state).back(), "tool: c1.0=one c1.1=three");
  child_ends("c1.1", run_status::completed, "four");
  CHECK_LINES(events());
}

BOOST_AUTO_TEST_CASE(a_child_is_no_tool_and_a_tool_is_no_child) {
  starts();
  model_calls({{"research", why}, {"look", "{}"}});
  tool_returns("c1.0", "3");
  CHECK_LINES(events());
  child_ends("c1.1", run_status::completed, "3");
  CHECK_LINES(events());
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_too_long_is_an_error_result) {
  researches();
  child_ends("c1.0", run_status::completed, std::string((16U << 20U) + 1, 'x'));
  CHECK_LINES(events(), "child_ended c1.0 failed");
  BOOST_CHECK_EQUAL(said(state).back(),
                    "tool: c1.0!the result has 16777217 bytes; at most "
                    "16777216 can be kept");
}

// -- together with others -----------------------------------------------------

BOOST_AUTO_TEST_CASE(what_runs_here_comes_before_what_runs_elsewhere) {
  starts();
  model_calls({{"research", why}, {"send", "{}"}});
  BOOST_CHECK(status() == run_status::running);
  tool_returns("c1.1", "sent");
  BOOST_CHECK(status() == run_status::waiting_on_child);
}

BOOST_AUTO_TEST_CASE(a_doubt_beside_a_child_waits_for_people) {
  starts();
  model_calls({{"research", why}, {"send", "{}"}});
  recovers();
  CHECK_LINES(events(), "run_recovered", "tool_call_in_doubt c1.1");
  BOOST_CHECK(status() == run_status::waiting_on_human);
  CHECK_LINES(owes(), "start_child c1.0 researcher why?", month);
  resolved({"", doubt_answer::did_not_happen, "ana", ""});
  BOOST_CHECK(status() == run_status::waiting_on_child);
}

// -- other lives --------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_new_life_owes_the_child_again_and_doubts_nothing) {
  researches();
  const auto before = owes();
  recovers();
  CHECK_LINES(events());
  BOOST_CHECK(owes() == before);
}

BOOST_AUTO_TEST_CASE(a_parked_run_hears_of_its_child_once_it_is_unparked) {
  researches();
  is_parked();
  CHECK_LINES(owes());
  child_ends("c1.0", run_status::completed, "because");
  CHECK_LINES(events());
  CHECK_LINES(open_children(state), "c1.0");
  is_unparked();
  CHECK_LINES(events(), "run_resumed");
  CHECK_LINES(owes(), "start_child c1.0 researcher why?", month);
  child_ends("c1.0", run_status::completed, "because");
  CHECK_LINES(events(), "child_ended c1.0 completed");
}

BOOST_AUTO_TEST_CASE(a_gate_that_opens_while_parked_starts_its_child_later) {
  starts();
  model_calls({{"audit", R"({"prompt":"all"})"}});
  is_parked();
  approved({"", "", "ana", "lead", "", {}});
  CHECK_LINES(events(), "approval_granted c1.0 ana lead");
  is_unparked();
  CHECK_LINES(events(), "run_resumed", "child_started c1.0 auditor");
}

BOOST_AUTO_TEST_CASE(a_run_that_ends_says_which_children_it_leaves) {
  researches(2);
  child_ends("c1.0", run_status::completed);
  is_cancelled();
  CHECK_LINES(events(), "run_cancelled");
  CHECK_LINES(open_children(state), "c1.1");
  CHECK_LINES(owes());
  child_ends("c1.1", run_status::cancelled);
  CHECK_LINES(events());
}

BOOST_AUTO_TEST_CASE(the_wall_time_passes_while_a_child_works) {
  researches();
  passes(std::chrono::days{30});
  ticks();
  CHECK_LINES(events(), "run_failed limit_exceeded");
  CHECK_LINES(open_children(state), "c1.0");
}

// -- limits -------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(what_children_use_counts_against_the_limits_of_the_run) {
  team tokens{{.tokens_max = 100}};
  tokens.researches();
  tokens.child_ends("c1.0", run_status::failed, "", {100, 0, 0, 0, 0});
  CHECK_LINES(tokens.events(), "child_ended c1.0 failed",
              "run_failed limit_exceeded");
  team cost{{.cost_usd_micros_max = 100}};
  cost.researches(2);
  cost.take(child_done{"c1.0", run_status::completed, "", {}, 100, 0, {}});
  CHECK_LINES(cost.events(), "child_ended c1.0 completed",
              "run_failed limit_exceeded");
  CHECK_LINES(open_children(cost.state), "c1.1");
}

BOOST_AUTO_TEST_CASE(absurd_counts_of_a_child_do_not_overflow) {
  researches(2);
  for (const auto* call : {"c1.0", "c1.1"})
    take(child_done{call,
                    run_status::completed,
                    "",
                    {INT64_MAX, -1, INT64_MAX, INT64_MAX, 0},
                    INT64_MIN,
                    INT64_MAX,
                    {}});
  BOOST_CHECK_EQUAL(state.progress.cost_usd_micros, 0);
  BOOST_CHECK_EQUAL(state.progress.usage.total(), 3'000'000'000'000);
  BOOST_CHECK(status() == run_status::failed);
}

BOOST_AUTO_TEST_CASE(a_run_at_the_greatest_depth_starts_no_other) {
  run_started header;
  header.depth = 2;
  header.limits.depth_max = 2;
  take(start_run{header, user_message("go"), {}});
  researches();
  CHECK_LINES(events(), "model_call_completed m1",
              "tool_call_failed c1.0 failed");
  BOOST_CHECK_EQUAL(decided<tool_call_failed>().detail,
                    "The limit depth_max is reached: this run has depth 2 of "
                    "2, so it can't start one of researcher. Go on without "
                    "its help.");
  BOOST_CHECK_EQUAL(owes().at(0), "call_model m2 1");
}

BOOST_AUTO_TEST_CASE(no_run_beyond_the_descendants_is_started) {
  team story{{.descendants_max = 2}};
  story.researches(2);
  BOOST_CHECK_EQUAL(story.events().size(), 3u);
  story.child_ends("c1.0", run_status::completed);
  story.child_ends("c1.1", run_status::completed);
  story.researches();
  CHECK_LINES(story.events(), "model_call_completed m2",
              "run_failed limit_exceeded");
  BOOST_CHECK_EQUAL(
    story.state.progress.reason,
    "the run's limit is reached: descendants_max of 2 (used: 2)");
  BOOST_CHECK(open_children(story.state).empty());
}

BOOST_AUTO_TEST_CASE(the_first_children_are_owed_and_the_others_follow) {
  team story{{.children_at_once_max = 2}};
  story.researches(4);
  BOOST_CHECK_EQUAL(story.events().size(), 5u); // All four are started.
  CHECK_LINES(story.owes(), "start_child c1.0 researcher why?",
              "start_child c1.1 researcher why?", month);
  // The order of their ends is theirs.
  story.child_ends("c1.1", run_status::completed);
  CHECK_LINES(story.owes(), "start_child c1.0 researcher why?",
              "start_child c1.2 researcher why?", month);
  story.child_ends("c1.0", run_status::failed);
  story.child_ends("c1.2", run_status::completed);
  CHECK_LINES(story.owes(), "start_child c1.3 researcher why?", month);
  story.child_ends("c1.3", run_status::completed);
  CHECK_LINES(story.owes(), "call_model m2 1", month);
}

BOOST_AUTO_TEST_CASE(without_a_word_a_named_number_of_children_is_owed) {
  researches(default_children_at_once_max + 3);
  BOOST_CHECK_EQUAL(owes().size(), default_children_at_once_max + 1u);
  BOOST_CHECK_EQUAL(open_children(state).size(),
                    default_children_at_once_max + 3u);
}

BOOST_AUTO_TEST_CASE(tools_of_the_batch_take_no_place_of_children) {
  team story{{.children_at_once_max = 1}};
  story.starts();
  story.model_calls({{"look", "{}"}, {"research", why}, {"research", why}});
  CHECK_LINES(story.owes(), "run_tool c1.0 look {} 1",
              "start_child c1.1 researcher why?", month);
}

BOOST_AUTO_TEST_CASE(a_gate_does_not_evade_the_descendants) {
  team story{{.descendants_max = 1}};
  story.starts();
  story.model_calls({{"research", why}, {"audit", why}});
  story.approved({"", "", "ana", "lead", "", {}});
  CHECK_LINES(story.events(), "approval_granted c1.1 ana lead",
              "run_failed limit_exceeded");
}

BOOST_AUTO_TEST_CASE(the_descendants_of_children_are_descendants) {
  team story{{.descendants_max = 5}};
  story.researches();
  story.take(child_done{"c1.0", run_status::completed, "", {}, 0, 5, {}});
  CHECK_LINES(story.events(), "child_ended c1.0 completed",
              "run_failed limit_exceeded");
}

BOOST_AUTO_TEST_SUITE_END()
