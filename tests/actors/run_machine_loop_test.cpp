#include <boost/test/unit_test.hpp>

#include <kestrion/tests/support/check_lines.hpp>
#include <kestrion/tests/support/machine_dsl.hpp>

using namespace kestrion;
using test::machine_story;
using test::said;

BOOST_FIXTURE_TEST_SUITE(run_machine_loop_test, machine_story)

// -- the start ----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_start_owes_the_first_model_call) {
  BOOST_CHECK(status() == run_status::pending);
  starts(user_message("scale it"));
  CHECK_LINES(events(), "run_started ops", "message_received");
  CHECK_LINES(said(state), "user: scale it");
  CHECK_LINES(owes(), "call_model m1 1", "wake_up 2026-02-01T00:00:00.000000Z");
  BOOST_CHECK(status() == run_status::running);
  BOOST_CHECK(state.header->definition == agent.digest);
  BOOST_CHECK(state.progress.started_at == now);
}

BOOST_AUTO_TEST_CASE(a_run_starts_once) {
  starts();
  starts();
  BOOST_CHECK_EQUAL(refusal(), "refused: the run was started already");
}

BOOST_AUTO_TEST_CASE(an_empty_prompt_is_refused) {
  const std::string sentence =
    "invalid_argument: the prompt for agent \"ops\" is empty; expected "
    "something to do";
  starts(message{});
  BOOST_CHECK_EQUAL(refusal(), sentence);
  starts(user_message(" \r\n\t "));
  BOOST_CHECK_EQUAL(refusal(), sentence);
  starts({role::user, {text_part{}, text_part{" "}}});
  BOOST_CHECK_EQUAL(refusal(), sentence);
  BOOST_CHECK_EQUAL(state.progress.seq, 0u);
}

BOOST_AUTO_TEST_CASE(an_image_alone_is_a_prompt) {
  starts({role::user, {image_part{"", "https://example.org/a.png", ""}}});
  BOOST_CHECK_EQUAL(refusal(), "");
  BOOST_CHECK(status() == run_status::running);
}

BOOST_AUTO_TEST_CASE(a_prompt_can_not_hold_what_only_models_and_tools_say) {
  starts({role::user,
          {text_part{"hi"}, tool_result_part{"c1.0", "", "", "", false}}});
  BOOST_CHECK_EQUAL(refusal(),
                    "invalid_argument: the prompt for agent \"ops\" holds a "
                    "part that is neither text nor an image nor a document");
}

BOOST_AUTO_TEST_CASE(whoever_starts_it_a_prompt_is_the_users) {
  starts({role::assistant, {text_part{"hi"}}});
  CHECK_LINES(said(state), "user: hi");
}

BOOST_AUTO_TEST_CASE(nothing_happens_to_a_run_that_was_not_started) {
  ticks();
  CHECK_LINES(events());
  recovers();
  CHECK_LINES(events());
  is_parked();
  CHECK_LINES(events());
  take(model_done{"m1", model_reply{}, {}, {}});
  CHECK_LINES(events());
  tool_returns("c1.0", "3");
  CHECK_LINES(events());
  is_cancelled();
  BOOST_CHECK_EQUAL(refusal(),
                    "refused: the run is pending; it can't be cancelled");
  is_unparked();
  BOOST_CHECK_EQUAL(refusal(), "refused: the run is pending, not parked");
  approved({"c1.0", "", "ana", "", "", {}});
  BOOST_CHECK_EQUAL(refusal(),
                    "not_found: no approval is waiting for call c1.0");
  CHECK_LINES(owes());
}

// -- the answer ---------------------------------------------------------------

BOOST_AUTO_TEST_CASE(an_answer_without_tool_calls_completes_the_run) {
  starts();
  model_says("done");
  CHECK_LINES(events(), "model_call_completed m1", "run_completed");
  CHECK_LINES(owes());
  BOOST_CHECK(status() == run_status::completed);
  BOOST_CHECK_EQUAL(output_of(state), "done");
  BOOST_CHECK(last->status == run_status::completed);
}

BOOST_AUTO_TEST_CASE(what_a_model_call_cost_is_durable_with_its_answer) {
  starts();
  model_reply reply;
  reply.parts = {text_part{"hi"}};
  reply.usage = {10, 20, 30, 40, 5};
  reply.model = "scripted-1";
  reply.request_id = "req_7";
  reply.cost_usd_micros = 99;
  take(model_done{"m1", reply, std::chrono::milliseconds{7}, {}, 0, 1});
  const auto done = decided<model_call_completed>();
  BOOST_CHECK(done.usage == reply.usage);
  BOOST_CHECK_EQUAL(done.model, "scripted-1");
  BOOST_CHECK_EQUAL(done.request_id.value(), "req_7");
  BOOST_CHECK_EQUAL(done.cost_usd_micros.value(), 99);
  BOOST_CHECK(done.duration == std::chrono::milliseconds{7});
  BOOST_CHECK_EQUAL(done.attempt, 1);
  BOOST_CHECK_EQUAL(state.progress.usage.total(), 100);
  BOOST_CHECK_EQUAL(state.progress.cost_usd_micros, 99);
  BOOST_CHECK_EQUAL(state.progress.turns, 1);
}

BOOST_AUTO_TEST_CASE(impossible_counters_of_a_vendor_do_not_spoil_the_sums) {
  starts();
  model_reply reply;
  reply.parts = {text_part{"hi"}};
  reply.usage = {-5, INT64_MAX, 0, INT64_MAX, INT64_MIN};
  reply.cost_usd_micros = INT64_MIN;
  take(model_done{"m1", reply, {}, {}});
  BOOST_CHECK_EQUAL(state.progress.usage.total(), 2'000'000'000'000);
  BOOST_CHECK_EQUAL(state.progress.cost_usd_micros, 0);
}

BOOST_AUTO_TEST_CASE(a_cut_answer_fails_the_run) {
  starts();
  model_says("half of", stop_reason::max_tokens);
  CHECK_LINES(events(), "model_call_completed m1", "run_failed limit_exceeded");
  BOOST_CHECK_EQUAL(state.progress.reason,
                    "the model's answer was cut at its limit of output tokens; "
                    "output_tokens_max is 8192");
}

BOOST_AUTO_TEST_CASE(a_refusal_of_the_model_fails_the_run) {
  starts();
  model_says("No.", stop_reason::refusal);
  CHECK_LINES(events(), "model_call_completed m1", "run_failed refused");
  BOOST_CHECK_EQUAL(state.progress.reason, "the model refused: No.");
}

BOOST_AUTO_TEST_CASE(a_refusal_without_words_has_a_reason_too) {
  starts();
  model_says("", stop_reason::refusal);
  BOOST_CHECK_EQUAL(state.progress.reason, "the model refused");
}

BOOST_AUTO_TEST_CASE(tools_that_a_refusal_asks_for_do_not_run) {
  starts();
  model_reply reply;
  reply.parts = {tool_call_part{"", "", "look", "{}"}};
  reply.stop = stop_reason::refusal;
  take(model_done{"m1", reply, {}, {}});
  CHECK_LINES(events(), "model_call_completed m1", "run_failed refused");
}

// -- tool calls ---------------------------------------------------------------

BOOST_AUTO_TEST_CASE(open_calls_of_a_batch_start_in_one_append) {
  starts();
  model_calls({{"look", "{}"}, {"send", R"({"n":2})"}});
  CHECK_LINES(events(), "model_call_completed m1", "tool_call_started c1.0",
              "tool_call_started c1.1");
  CHECK_LINES(owes(), "run_tool c1.0 look {} 1",
              R"(run_tool c1.1 send {"n":2} 1)",
              "wake_up 2026-02-01T00:00:00.000000Z");
  BOOST_CHECK(status() == run_status::running);
}

BOOST_AUTO_TEST_CASE(results_go_to_the_model_in_the_order_of_the_calls) {
  std::vector<std::string> ids{"c1.0", "c1.1", "c1.2"};
  do {
    machine_story story;
    story.starts();
    story.model_calls({{"look", "{}"}, {"look", "{}"}, {"look", "{}"}});
    for (const auto& id : ids) {
      BOOST_CHECK_EQUAL(said(story.state).size(), 2u);
      if (id == "c1.1")
        story.tool_fails(id, "no such file");
      else
        story.tool_returns(id, "got " + id);
    }
    BOOST_CHECK_EQUAL(said(story.state).at(2),
                      "tool: c1.0=got c1.0 c1.1!no such file c1.2=got c1.2");
    BOOST_CHECK_EQUAL(story.owes().at(0), "call_model m2 1");
    story.model_says("all seen");
    BOOST_CHECK_EQUAL(output_of(story.state), "all seen");
  } while (std::next_permutation(ids.begin(), ids.end()));
}

BOOST_AUTO_TEST_CASE(each_result_is_durable_when_it_comes) {
  starts();
  model_calls({{"look", "{}"}, {"look", "{}"}});
  take(tool_done{"c1.1", {"3", {}}, std::chrono::seconds{2}, {}});
  CHECK_LINES(events(), "tool_call_completed c1.1");
  BOOST_CHECK(decided<tool_call_completed>().duration
              == std::chrono::seconds{2});
  CHECK_LINES(owes(), "run_tool c1.0 look {} 1",
              "wake_up 2026-02-01T00:00:00.000000Z");
}

BOOST_AUTO_TEST_CASE(a_tools_failure_does_not_fail_the_run) {
  starts();
  model_calls({{"look", "{}"}, {"look", "{}"}});
  tool_fails("c1.0", "threw");
  CHECK_LINES(events(), "tool_call_failed c1.0 failed");
  tool_fails("c1.1", "too slow", tool_failure::timed_out);
  CHECK_LINES(events(), "tool_call_failed c1.1 timed_out");
  BOOST_CHECK_EQUAL(said(state).back(), "tool: c1.0!threw c1.1!too slow");
  BOOST_CHECK(status() == run_status::running);
}

BOOST_AUTO_TEST_CASE(late_and_repeated_results_are_dropped) {
  starts();
  model_calls({{"look", "{}"}, {"look", "{}"}});
  tool_returns("c1.0", "first");
  tool_returns("c1.0", "second");
  CHECK_LINES(events());
  tool_returns("c9.9", "of nothing");
  CHECK_LINES(events());
  tool_returns("c1.1", "x");
  tool_returns("c1.1", "y");
  CHECK_LINES(events());
  BOOST_CHECK_EQUAL(said(state).back(), "tool: c1.0=first c1.1=x");
}

BOOST_AUTO_TEST_CASE(a_result_beyond_what_can_be_kept_is_an_error_result) {
  starts();
  model_calls({{"look", "{}"}});
  tool_returns("c1.0", std::string((16U << 20U) + 1, 'x'));
  CHECK_LINES(events(), "tool_call_failed c1.0 failed");
  BOOST_CHECK_EQUAL(
    said(state).back(),
    "tool: c1.0!the result has 16777217 bytes; at most 16777216 can be kept");
}

BOOST_AUTO_TEST_CASE(a_result_as_big_as_can_be_is_kept) {
  starts();
  model_calls({{"look", "{}"}});
  tool_returns("c1.0", std::string(16U << 20U, 'x'));
  CHECK_LINES(events(), "tool_call_completed c1.0");
}

// -- what the model gets wrong ------------------------------------------------

BOOST_AUTO_TEST_CASE(an_unknown_tool_is_an_error_result) {
  starts();
  model_calls({{"fly", "{}"}});
  CHECK_LINES(events(), "model_call_completed m1",
              "tool_call_failed c1.0 unknown_tool");
  BOOST_CHECK_EQUAL(said(state).back(),
                    "tool: c1.0!There is no tool \"fly\". Known tools: look, "
                    "write, deploy, send, apply, scale, wipe, drop.");
  BOOST_CHECK_EQUAL(owes().at(0), "call_model m2 1");
}

BOOST_AUTO_TEST_CASE(an_agent_without_tools_says_so) {
  auto bare = agent;
  bare.tools.clear();
  machine_story story{prepare(bare).value()};
  story.starts();
  story.model_calls({{"fly", "{}"}});
  BOOST_CHECK_EQUAL(said(story.state).back(),
                    "tool: c1.0!There is no tool \"fly\". Known tools: none.");
}

BOOST_AUTO_TEST_CASE(arguments_that_do_not_fit_are_error_results) {
  starts();
  model_calls({{"look", "{\"n\":"},
               {"look", "[1]"},
               {"look", R"({"n":"two"})"},
               {"apply", "{}"},
               {"look", R"({"m":1})"},
               {"look", std::string(300, '[')}});
  CHECK_LINES(events(), "model_call_completed m1",
              "tool_call_failed c1.0 invalid_arguments",
              "tool_call_failed c1.1 invalid_arguments",
              "tool_call_failed c1.2 invalid_arguments",
              "tool_call_failed c1.3 invalid_arguments",
              "tool_call_failed c1.4 invalid_arguments",
              "tool_call_failed c1.5 invalid_arguments");
  BOOST_CHECK(
    decided<tool_call_failed>(0).detail.starts_with("the arguments of look"));
  BOOST_CHECK_EQUAL(decided<tool_call_failed>(1).detail,
                    "the arguments of look are no JSON object: [1]");
  BOOST_CHECK(decided<tool_call_failed>(2).detail.starts_with(
    "the arguments of look do not fit its schema: "));
  BOOST_CHECK(decided<tool_call_failed>(3).detail.starts_with(
    "the arguments of apply do not fit its schema: "));
  BOOST_CHECK_EQUAL(owes().at(0), "call_model m2 1");
}

BOOST_AUTO_TEST_CASE(no_arguments_are_an_empty_object) {
  starts();
  model_calls({{"look", ""}});
  BOOST_CHECK_EQUAL(owes().at(0), "run_tool c1.0 look {} 1");
}

BOOST_AUTO_TEST_CASE(good_calls_of_a_batch_run_beside_bad_ones) {
  starts();
  model_calls({{"fly", "{}"}, {"look", "{}"}});
  CHECK_LINES(events(), "model_call_completed m1",
              "tool_call_failed c1.0 unknown_tool", "tool_call_started c1.1");
  tool_returns("c1.1", "3");
  BOOST_CHECK(said(state).back().ends_with(" c1.1=3"));
}

BOOST_AUTO_TEST_CASE(the_last_call_of_a_cut_answer_does_not_run) {
  starts();
  model_reply reply;
  reply.parts = {tool_call_part{"", "", "look", "{}"},
                 tool_call_part{"", "", "send", ""}};
  reply.stop = stop_reason::max_tokens;
  take(model_done{"m1", reply, {}, {}});
  CHECK_LINES(events(), "model_call_completed m1",
              "tool_call_failed c1.1 invalid_arguments",
              "tool_call_started c1.0");
  BOOST_CHECK_EQUAL(decided<tool_call_failed>().detail,
                    "the answer was cut at its limit of output tokens; the "
                    "arguments of send may be incomplete");
}

// -- ids ----------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(ids_count_and_never_come_from_the_vendor) {
  starts();
  model_reply reply;
  reply.parts = {tool_call_part{"theirs", "toolu_1", "look", "{}"},
                 text_part{"and"},
                 tool_call_part{"theirs", "toolu_2", "look", "{}"}};
  take(model_done{"m1", reply, {}, {}});
  BOOST_CHECK_EQUAL(said(state).back(), "assistant: c1.0/toolu_1:look({}) and "
                                        "c1.1/toolu_2:look({})");
  tool_returns("c1.0", "a");
  tool_returns("c1.1", "b");
  reply.parts = {tool_call_part{"", "toolu_3", "look", "{}"}};
  take(model_done{"m2", reply, {}, {}});
  BOOST_CHECK_EQUAL(said(state).back(), "assistant: c2.0/toolu_3:look({})");
}

BOOST_AUTO_TEST_CASE(vendor_ids_that_are_missing_or_repeated_are_replaced) {
  starts();
  model_reply reply;
  reply.parts = {tool_call_part{"", "x", "look", "{}"},
                 tool_call_part{"", "x", "look", "{}"},
                 tool_call_part{"", "", "look", "{}"}};
  take(model_done{"m1", reply, {}, {}});
  BOOST_CHECK_EQUAL(said(state).back(),
                    "assistant: c1.0/x:look({}) c1.1/call_1_1:look({}) "
                    "c1.2/call_1_2:look({})");
  for (const auto* id : {"c1.0", "c1.1", "c1.2"})
    tool_returns(id, "");
  reply.parts = {tool_call_part{"", "x", "look", "{}"}};
  take(model_done{"m2", reply, {}, {}});
  BOOST_CHECK_EQUAL(said(state).back(), "assistant: c2.0/call_2_0:look({})");
}

BOOST_AUTO_TEST_CASE(a_vendor_id_that_looks_like_ours_is_no_trap) {
  starts();
  model_reply reply;
  reply.parts = {tool_call_part{"", "call_1_1", "look", "{}"},
                 tool_call_part{"", "", "look", "{}"}};
  take(model_done{"m1", reply, {}, {}});
  BOOST_CHECK_EQUAL(
    said(state).back(),
    "assistant: c1.0/call_1_1:look({}) c1.1/call_1_1_:look({})");
}

// -- text ---------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(
  bytes_that_are_no_text_are_mended_before_they_are_decided) {
  starts(user_message("\xff"));
  model_reply reply;
  reply.parts = {text_part{"a\xc3"}, tool_call_part{"", "v\xff", "look", "{}"}};
  take(model_done{"m1", reply, {}, {}});
  tool_returns("c1.0", "\xff\xfe");
  CHECK_LINES(said(state), "user: \xEF\xBF\xBD",
              "assistant: a\xEF\xBF\xBD c1.0/v\xEF\xBF\xBD:look({})",
              "tool: c1.0=\xEF\xBF\xBD\xEF\xBF\xBD");
  run_state again;
  for (const auto& e : log)
    again = fold(std::move(again), test::reread(e));
  BOOST_CHECK(again == state);
}

BOOST_AUTO_TEST_CASE(what_a_vendor_wants_back_is_kept_unchanged) {
  starts();
  model_reply reply;
  reply.parts = {reasoning_part{"anthropic", "hm", R"({"a":1})"},
                 opaque_part{"anthropic", R"({"type":"new"})"},
                 text_part{"so"}};
  take(model_done{"m1", reply, {}, {}});
  BOOST_CHECK(state.conversation.back()->parts == reply.parts);
  BOOST_CHECK_EQUAL(output_of(state), "so");
}

BOOST_AUTO_TEST_SUITE_END()
