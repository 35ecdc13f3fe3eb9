#include <boost/test/unit_test.hpp>

#include <kestrion/actors/compaction.hpp>
#include <kestrion/tests/support/check_lines.hpp>
#include <kestrion/tests/support/machine_dsl.hpp>

/// Older messages are summed up when the context has grown too long.
using namespace kestrion;
using namespace std::chrono_literals;
using test::machine_story;
using test::said;

namespace run_machine_compaction_test {

/// 500 tokens are too many; two messages stay.
agent_definition forgetful_agent(run_limits limits = {}) {
  auto a = test::ops_agent(limits);
  a.compaction = compaction_spec{1'000, 0.5, 2, 100, {}};
  return prepare(std::move(a)).value();
}

const std::string page(400, 'p'); // 100 tokens.

model_done summary(std::string text, const std::string& call = "k3") {
  model_reply reply;
  reply.parts = {text_part{std::move(text)}};
  reply.usage.input_tokens = 40;
  reply.cost_usd_micros = 4;
  reply.model = "scripted-1";
  return {call, std::move(reply), {}, {}};
}

struct compactions : machine_story {
  explicit compactions(run_limits limits = {})
    : machine_story(forgetful_agent(limits)) {}

  /// A call of a tool; its answer was counted with so many tokens in all.
  void looks(std::int64_t tokens, const std::string& result = page) {
    token_usage usage;
    usage.input_tokens = tokens - 10;
    usage.cache_read_tokens = 7;
    usage.output_tokens = 3;
    model_calls({{"look", "{}"}}, usage);
    tool_returns(state.progress.calls.at(0).id, result);
  }

  /// Two turns, and the third has to wait for a summary of the first.
  void grows() {
    starts();
    looks(200);
    looks(600);
  }
};

const std::string month = "wake_up 2026-02-01T00:00:00.000000Z";

conversation talk(const std::vector<role>& speakers) {
  conversation out;
  for (const auto speaker : speakers)
    out.push_back(std::make_shared<const message>(message{speaker, {}}));
  return out;
}

} // namespace run_machine_compaction_test

BOOST_FIXTURE_TEST_SUITE(run_machine_compaction_test, compactions)

// -- which messages -----------------------------------------------------------

BOOST_AUTO_TEST_CASE(all_but_the_first_and_the_last_are_summed_up) {
  using enum role;
  const auto t =
    talk({user, assistant, tool, assistant, tool, assistant, tool});
  BOOST_CHECK((compactable(t, 2) == message_range{1, 4}));
  BOOST_CHECK((compactable(t, 4) == message_range{1, 2}));
  // No result without its call.
  BOOST_CHECK((compactable(t, 1) == message_range{1, 4}));
  BOOST_CHECK((compactable(t, 3) == message_range{1, 2}));
  // Too little to be worth it.
  BOOST_CHECK(!compactable(t, 5));
  BOOST_CHECK(!compactable(t, 100));
  BOOST_CHECK(!compactable({}, 1));
  // What people said meanwhile goes along with the rest.
  BOOST_CHECK((compactable(talk({user, assistant, user, user, assistant}), 2)
               == message_range{1, 2}));
}

// -- when ---------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(the_call_that_is_too_long_waits_for_a_summary) {
  starts();
  looks(200);
  CHECK_LINES(events(), "tool_call_completed c1.0");
  looks(380); // And a hundred for the result: one more would do.
  CHECK_LINES(events(), "tool_call_completed c2.0");
  BOOST_CHECK_EQUAL(owes().at(0), "call_model m3 1");
  looks(400);
  CHECK_LINES(events(), "tool_call_completed c3.0",
              "compaction_started k4 1+4");
  CHECK_LINES(owes(), "call_model k4 1", month);
  BOOST_CHECK(status() == run_status::running);
}

BOOST_AUTO_TEST_CASE(a_summary_takes_the_place_of_what_it_is_about) {
  grows();
  CHECK_LINES(events(), "tool_call_completed c2.0",
              "compaction_started k3 1+2");
  const auto started = decided<compaction_started>();
  BOOST_CHECK_EQUAL(started.tokens, 700); // Counted, and the result since.
  const auto steps = log.size();
  take(summary("Page one."));
  CHECK_LINES(events(), "conversation_compacted k3 1+2");
  CHECK_LINES(said(state), "user: go",
              "user: Older messages were left out. What they came to:\n"
              "Page one.",
              "assistant: c2.0/call_2_0:look({})", "tool: c2.0=" + page);
  CHECK_LINES(owes(), "call_model m3 1", month);
  BOOST_CHECK_EQUAL(log.size(), steps + 1); // The log keeps all of it.

  const auto done = decided<conversation_compacted>();
  BOOST_CHECK_EQUAL(done.kept, 2);
  BOOST_CHECK_EQUAL(done.model, "scripted-1");
  BOOST_CHECK_EQUAL(done.tokens_before, 700);
  // In proportion to what is left of the bytes.
  const auto before = 2 + 2 * (6 + 400);
  const auto after = before - 406 + std::ssize(said(state).at(1)) - 6;
  BOOST_CHECK_EQUAL(done.said_bytes, after);
  BOOST_CHECK_EQUAL(done.tokens_after, 700 * after / before);
  BOOST_CHECK_EQUAL(context_tokens(state.progress), done.tokens_after);
  // It counts, but is no turn.
  BOOST_CHECK_EQUAL(state.progress.usage.total(), 200 + 600 + 40);
  BOOST_CHECK_EQUAL(state.progress.cost_usd_micros, 4);
  BOOST_CHECK_EQUAL(state.progress.turns, 2);
  // What stays was thought behind other messages.
  BOOST_CHECK_EQUAL(state.progress.compacted->rebased, 4);
  model_says("done");
  BOOST_CHECK(status() == run_status::completed);
}

BOOST_AUTO_TEST_CASE(a_second_summary_is_about_the_first_one_too) {
  grows();
  take(summary("Page one."));
  looks(600);
  CHECK_LINES(events(), "tool_call_completed c3.0",
              "compaction_started k4 1+3");
  take(summary("Two pages.", "k4"));
  CHECK_LINES(said(state), "user: go",
              "user: Older messages were left out. What they came to:\n"
              "Two pages.",
              "assistant: c3.0/call_3_0:look({})", "tool: c3.0=" + page);
}

BOOST_AUTO_TEST_CASE(where_nothing_can_be_left_out_the_call_is_made) {
  starts();
  looks(9'000);
  CHECK_LINES(events(), "tool_call_completed c1.0");
  BOOST_CHECK_EQUAL(owes().at(0), "call_model m2 1");
}

BOOST_AUTO_TEST_CASE(a_server_that_counts_nothing_is_counted_for) {
  starts();
  for (int turn = 1; turn <= 3; ++turn) {
    model_calls({{"look", "{}"}});
    tool_returns("c" + std::to_string(turn) + ".0", std::string(800, 'p'));
  }
  CHECK_LINES(events(), "tool_call_completed c3.0",
              "compaction_started k4 1+4");
}

BOOST_AUTO_TEST_CASE(without_a_rule_nothing_is_summed_up) {
  agent.compaction.reset();
  grows();
  CHECK_LINES(events(), "tool_call_completed c2.0");
}

// -- who ----------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(another_model_may_do_it) {
  agent.fallbacks = {{"second", {}}};
  agent.compaction->model = fallback_model{"small", model_price{8'000'000}};
  grows();
  CHECK_LINES(owes(), "call_model k3 1 place 2", month);
  BOOST_CHECK_EQUAL(agent.model_name(2), "small");
  recovers();
  CHECK_LINES(events(), "run_recovered k3");
  BOOST_CHECK_EQUAL(decided<run_recovered>().lost_usd_micros_estimate,
                    8 * decided<run_recovered>().lost_tokens_estimate);
}

BOOST_AUTO_TEST_CASE(else_the_model_that_makes_the_call_does_it) {
  agent.fallbacks = {{"second", {}}};
  starts();
  looks(200);
  model_fails(errc::quota_exhausted, false);
  looks(600);
  CHECK_LINES(owes(), "call_model k3 1 place 1", month);
}

BOOST_AUTO_TEST_CASE(it_is_asked_with_all_that_counts_and_no_tool) {
  starts(user_message("Count the pages."));
  looks(200, std::string(9'000, 'a') + std::string(9'000, 'z'));
  looks(600);
  const auto request = summary_request(state, agent);
  BOOST_CHECK(request.agent->tools.empty());
  BOOST_CHECK(request.agent->system.starts_with("You sum up"));
  BOOST_CHECK_EQUAL(request.agent->options.output_tokens_max, 100);
  BOOST_REQUIRE_EQUAL(request.conversation.size(), 1u);
  BOOST_CHECK_EQUAL(text_of(*request.conversation.front()),
                    "The task, which the agent keeps:\n"
                    "User: Count the pages.\n"
                    "\n"
                    "The messages to sum up:\n"
                    "Agent calls look: {}\n"
                    "Result of look: "
                      + std::string(8'192, 'a')
                      + "\n[... 1616 bytes are left out ...]\n"
                      + std::string(8'192, 'z') + "\n");
}

// -- failures -----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(after_three_attempts_the_run_goes_on_as_it_is) {
  grows();
  const auto before = said(state);
  model_fails(errc::unavailable);
  CHECK_LINES(events(), "compaction_failed k3 unavailable 1");
  CHECK_LINES(owes(), "call_model k3 2 2026-01-02T00:00:00.500000Z", month);
  model_fails(errc::unavailable);
  model_fails(errc::unavailable);
  CHECK_LINES(events(), "compaction_failed k3 unavailable 3");
  BOOST_CHECK(!decided<compaction_failed>().retry_at);
  CHECK_LINES(owes(), "call_model m3 1", month);
  BOOST_CHECK(said(state) == before);
  // Tried again when a tenth has come on top of the 700.
  looks(660);
  CHECK_LINES(events(), "tool_call_completed c3.0");
  looks(670);
  CHECK_LINES(events(), "tool_call_completed c4.0",
              "compaction_started k5 1+6");
}

BOOST_AUTO_TEST_CASE(what_would_fail_again_is_not_tried_again) {
  grows();
  model_fails(errc::unauthenticated, false);
  CHECK_LINES(events(), "compaction_failed k3 unauthenticated 1");
  CHECK_LINES(owes(), "call_model m3 1", month);
}

BOOST_AUTO_TEST_CASE(a_summary_that_is_no_good_is_none_and_has_its_price) {
  const auto why = [](model_done answer) {
    compactions story;
    story.grows();
    story.take(std::move(answer));
    BOOST_CHECK_EQUAL(story.events().size(), 1u);
    BOOST_CHECK_EQUAL(story.owes().at(0), "call_model m3 1");
    BOOST_CHECK_EQUAL(story.state.progress.usage.total(), 840);
    BOOST_CHECK_EQUAL(story.state.progress.cost_usd_micros, 4);
    return story.decided<compaction_failed>().detail;
  };
  const auto stopped = [](stop_reason stop) {
    auto answer = summary("Page");
    std::get<model_reply>(answer.outcome).stop = stop;
    return answer;
  };
  BOOST_CHECK_EQUAL(why(summary(" \n")), "the summary is empty");
  BOOST_CHECK_EQUAL(why(stopped(stop_reason::refusal)),
                    "the model refused to sum up");
  BOOST_CHECK_EQUAL(why(stopped(stop_reason::max_tokens)),
                    "the summary was cut at summary_tokens_max");
  BOOST_CHECK_EQUAL(why(summary(page)),
                    "the summary has 449 bytes, what it is to replace 406");
}

BOOST_AUTO_TEST_CASE(its_cost_counts_against_the_limits) {
  compactions story{run_limits{.tokens_max = 830}};
  story.grows();
  story.take(summary("Page one."));
  CHECK_LINES(story.events(), "conversation_compacted k3 1+2",
              "run_failed limit_exceeded");
}

// -- meanwhile ----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(
  what_is_said_meanwhile_comes_behind_and_interrupts_nothing) {
  grows();
  is_told("Hurry.", true);
  CHECK_LINES(events(), "message_received ana");
  CHECK_LINES(owes(), "call_model k3 1", month);
  take(summary("Page one."));
  BOOST_CHECK_EQUAL(said(state).back(), "user: Hurry.");
  BOOST_CHECK_EQUAL(said(state).size(), 5u);
  CHECK_LINES(owes(), "call_model m3 1", month);
}

BOOST_AUTO_TEST_CASE(it_is_made_again_after_a_crash) {
  grows();
  recovers();
  CHECK_LINES(events(), "run_recovered k3");
  CHECK_LINES(owes(), "call_model k3 1", month);
  model_fails(errc::unavailable);
  recovers(); // It waits, so nothing is lost.
  CHECK_LINES(events());
  passes(1s);
  recovers();
  CHECK_LINES(events(), "run_recovered k3");
  take(summary("Page one."));
  CHECK_LINES(owes(), "call_model m3 1", month);
}

BOOST_AUTO_TEST_CASE(answers_that_nobody_waits_for_change_nothing) {
  grows();
  take(summary("Late.", "m3"));
  CHECK_LINES(events());
  take(summary("Late.", "k2"));
  CHECK_LINES(events());
  is_parked();
  CHECK_LINES(owes());
  take(summary("Page one."));
  CHECK_LINES(events());
  is_unparked();
  CHECK_LINES(owes(), "call_model k3 1", month);
  take(summary("Page one."));
  take(summary("Page one."));
  CHECK_LINES(events());
}

BOOST_AUTO_TEST_CASE(a_cancel_ends_it) {
  grows();
  is_cancelled();
  BOOST_CHECK(status() == run_status::cancelled);
  CHECK_LINES(owes());
  BOOST_CHECK(!state.progress.compaction);
}

BOOST_AUTO_TEST_SUITE_END()
