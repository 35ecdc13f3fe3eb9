#include <boost/test/unit_test.hpp>

#include <kestrion/tests/support/check_lines.hpp>
#include <kestrion/tests/support/machine_dsl.hpp>

#include <kestrion/actors/trace.hpp>

/// What people read about calls of other agents, questions and messages.
using namespace kestrion;

namespace trace_test {

test::lines timeline(const test::machine_story& story) {
  test::lines out;
  for (const auto& e : trace_of({}, story.log).entries)
    out.push_back(e.what + " " + e.call + "|" + e.detail);
  return out;
}

} // namespace trace_test

BOOST_AUTO_TEST_SUITE(trace_test)

BOOST_AUTO_TEST_CASE(children_questions_and_words_read_as_one_line_each) {
  test::machine_story story{test::team_agent()};
  story.starts();
  story.is_told("mind the cost", true);
  story.model_calls({{"research", R"({"prompt":"why?"})"},
                     {"ask", R"({"question":"Which?","choices":["a","b"]})"}});
  story.take(child_done{
    "c1.0", run_status::completed, "because", {3, 0, 0, 4, 0}, 70, 0, {}});
  story.answered({"", "bob", "a"});
  story.take(signal_run{"deployed", "v2", "ci", {}});
  story.model_says("fine");
  story.model_calls({{"to_billing", R"({"reason":"bills"})"}});
  story.child_ends("c3.0", run_status::running);
  CHECK_LINES(
    timeline(story), "run_started |agent ops", "message_received |go",
    "message_received |says ana: mind the cost",
    "model_call_interrupted m1|attempt 1 is given up, about 0 tokens lost",
    R"(model_call_completed m1|-> research{"prompt":"why?"} )"
    R"(-> ask{"question":"Which?","choices":["a","b"]})",
    "child_started c1.0|research: a run of researcher",
    "question_asked c1.1|ask: Which? (a, b)",
    "child_ended c1.0|research: completed: because",
    "tool_call_completed c1.1|ask: says bob: a",
    "signal_received |by ci: deployed: v2", "model_call_completed m2|fine",
    R"(model_call_completed m3|-> to_billing{"reason":"bills"})",
    "handed_off c3.0|to_billing: to billing", "run_completed |");
}

BOOST_AUTO_TEST_CASE(a_child_says_what_it_used_and_how_it_failed) {
  test::machine_story story{test::team_agent()};
  story.starts();
  story.model_calls({{"research", R"({"prompt":"why?"})"}});
  story.take(child_done{
    "c1.0", run_status::failed, "no network", {3, 0, 0, 4, 0}, 70, 0, {}});
  const auto last = trace_of({}, story.log).entries.back();
  BOOST_CHECK_EQUAL(last.detail, "research: The run of researcher ended as "
                                 "failed: no network");
  BOOST_REQUIRE(last.usage);
  BOOST_CHECK_EQUAL(last.usage->total(), 7);
  BOOST_CHECK_EQUAL(last.cost_usd_micros.value(), 70);
}

BOOST_AUTO_TEST_CASE(an_attempt_of_a_tool_says_why_it_failed_and_what_follows) {
  auto agent = test::ops_agent();
  agent.tools[0].retry.attempts_max = 2;
  test::machine_story story{std::move(agent)};
  story.asks_for({"look"});
  story.tool_fails("c1.0", "busy");
  BOOST_CHECK_EQUAL(timeline(story).back(),
                    "tool_attempt_failed c1.0|look: attempt 1: busy; again at "
                    "2026-01-02T00:00:00.500000Z");
}

BOOST_AUTO_TEST_CASE(a_compaction_says_what_it_saved_and_cost) {
  auto agent = test::ops_agent();
  agent.compaction = compaction_spec{100, 1, 1, 100, {}};
  test::machine_story story{std::move(agent)};
  story.starts();
  for (const auto* call : {"c1.0", "c2.0"}) {
    token_usage usage;
    usage.input_tokens = 90;
    story.model_calls({{"look", "{}"}}, usage);
    story.tool_returns(call, std::string(200, 'x'));
  }
  BOOST_CHECK_EQUAL(timeline(story).back(),
                    "compaction_started k3|of 2 messages; about 140 tokens");
  story.model_fails(errc::unavailable);
  BOOST_CHECK_EQUAL(timeline(story).back(),
                    "compaction_failed k3|attempt 1: unavailable: the vendor "
                    "says no; again at 2026-01-02T00:00:00.500000Z");
  model_reply reply;
  reply.parts = {text_part{"One page."}};
  reply.usage.input_tokens = 30;
  reply.cost_usd_micros = 3;
  story.take(model_done{"k3", reply, {}, {}});
  BOOST_CHECK_EQUAL(timeline(story).back(),
                    "conversation_compacted k3|from about 140 to 89 tokens: "
                    "One page.");
  const auto last = trace_of(run_id{}, story.log).entries.back();
  BOOST_CHECK_EQUAL(last.usage.value().total(), 30);
  BOOST_CHECK_EQUAL(last.cost_usd_micros.value(), 3);
}

BOOST_AUTO_TEST_CASE(a_model_that_takes_over_is_named) {
  auto agent = test::ops_agent();
  agent.fallbacks = {{"second", {}}};
  test::machine_story story{std::move(agent)};
  story.starts();
  story.model_fails(errc::quota_exhausted, false);
  BOOST_CHECK_EQUAL(timeline(story).back(),
                    "model_switched m1|quota_exhausted: second instead of "
                    "scripted until 2026-01-02T00:01:00.000000Z");
}

BOOST_AUTO_TEST_SUITE_END()
