/// Runs that start runs, people who answer and steer them: what the directory
/// and the runs do together. Virtual time, seeded schedules.

#include <kestrion/kestrion.hpp>
#include <kestrion/tests/support/ask.hpp>
#include <kestrion/tests/support/patient_model.hpp>
#include <kestrion/tests/support/sim.hpp>

#include <caf/send.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

namespace kestrion {

std::ostream& boost_test_print_type(std::ostream& out, run_status s) {
  return out << to_string(s);
}

} // namespace kestrion

namespace kestrion::test {

namespace {

using namespace std::chrono_literals;

constexpr auto noon = timestamp{std::chrono::hours{500'004}};

/// What it says follows from how often it spoke, so it may forget and wake.
model_ptr by_turn(std::vector<model_outcome> replies) {
  return function_model([replies](const model_request& r) -> model_outcome {
    const auto turn =
      std::count_if(r.conversation.begin(), r.conversation.end(),
                    [](const auto& m) { return m->role == role::assistant; });
    return replies.at(static_cast<std::size_t>(turn));
  });
}

scripted_call ask_scout(const std::string& prompt = "Look.") {
  return {"scout", R"({"prompt":")" + prompt + "\"}"};
}

agent lead(model_ptr m) {
  agent a{"lead"};
  a.model(std::move(m)).subagent("scout", "Looks around.", "scout");
  return a;
}

/// Asks the scout once, then says what it is done with.
agent plain_lead() {
  return lead(by_turn({calls({ask_scout()}), says("done")}));
}

agent scout(model_ptr m) {
  agent a{"scout"};
  a.model(std::move(m))
    .tool(
      "gated", "A gated tool.", [] { return "ran"; },
      requires_approval{"engineer"}.within(1h))
    .can_ask();
  return a;
}

/// Wants its gated tool once.
agent gated_scout() {
  return scout(by_turn({calls({{"gated"}}), says("seen")}));
}

struct fixture {
  std::shared_ptr<event_store> disk = open_store("memory:").value();
  std::optional<sim> process;

  void boot(const std::vector<agent>& agents, std::uint32_t seed = 1,
            timestamp at = noon) {
    process.reset();
    process.emplace(disk, agents, seed, at);
  }

  run_id start(const std::string& name = "lead") {
    return ask<run_receipt>(*process,
                            start_request{name, user_message("Go on."), {}})
      .value()
      .run;
  }

  result<run_receipt> tell(const run_id& id, command c) {
    return ask<run_receipt>(*process, run_command{id, std::move(c)});
  }

  run_result wait(const run_id& id, wait_until until = wait_until::at_rest) {
    return ask<run_result>(*process, await_run{id, until}).value();
  }

  run_status status(const run_id& id) { return disk->find(id).value()->status; }

  /// The run that this call of `parent` is.
  run_id child(const run_id& parent, const char* call = "c1.0") {
    return child_id(parent, call);
  }

  /// What the run was last told by its tools.
  std::vector<tool_result_part> results(const run_id& id) {
    std::vector<tool_result_part> out;
    for (const auto& m : process->load(id).conversation)
      if (m->role == role::tool) {
        out.clear();
        for (const auto& each : m->parts)
          out.push_back(std::get<tool_result_part>(each));
      }
    return out;
  }

  /// The parent went on after a child that gave no answer.
  void check_error_result(const run_id& id, const std::string& what) {
    process->settle();
    BOOST_CHECK_EQUAL(status(id), run_status::completed);
    BOOST_REQUIRE_EQUAL(results(id).size(), 1u);
    BOOST_CHECK(results(id)[0].is_error);
    BOOST_CHECK_MESSAGE(results(id)[0].content.find(what) != std::string::npos,
                        results(id)[0].content);
  }
};

const approve_call yes{{.by = "ana", .role = "engineer"}, {}};
const cancel_run stop{"ana", "enough", {}};

/// What a scout that has just been asked is answered with.
model_reply echo(const patient_model::call& c) {
  return says("seen: " + text_of(*c.request.conversation.back()));
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(family_test, fixture)

// -- answers ------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_parent_hears_of_an_answer_and_of_its_costs) {
  auto answer = says("three of them", {.input_tokens = 10, .output_tokens = 5});
  answer.cost_usd_micros = 7;
  auto wish = calls({ask_scout()}, {}, {.input_tokens = 100});
  wish.cost_usd_micros = 20;
  boot({lead(by_turn({wish, says("done")})), scout(by_turn({answer}))});
  const auto id = start();
  const auto r = wait(id);
  BOOST_CHECK_EQUAL(r.output, "done");
  BOOST_CHECK_EQUAL(results(id).at(0).content, "three of them");
  BOOST_CHECK(!results(id).at(0).is_error);
  BOOST_CHECK_EQUAL(r.usage.input_tokens, 110);
  BOOST_CHECK_EQUAL(r.usage.output_tokens, 5);
  BOOST_CHECK_EQUAL(r.cost_usd_micros, 27);
  BOOST_CHECK_EQUAL(process->load(id).progress.descendants, 1);
  BOOST_CHECK(disk->find(child(id)).value()->parent == id);
}

BOOST_AUTO_TEST_CASE(
  what_children_cost_counts_against_the_limit_of_the_parent) {
  auto spender = plain_lead();
  spender.limits({.tokens_max = 100});
  boot({spender, scout(by_turn({says("seen", {.input_tokens = 100})}))});
  const auto r = wait(start());
  BOOST_CHECK_EQUAL(r.status, run_status::failed);
  BOOST_CHECK_NE(r.reason.find("tokens_max of 100"), std::string::npos);
}

BOOST_AUTO_TEST_CASE(results_stand_in_the_order_of_calls_whoever_ends_first) {
  std::array<std::size_t, 3> order{0, 1, 2};
  do {
    for (const bool at_once : {false, true}) {
      disk = open_store("memory:").value();
      auto m = std::make_shared<patient_model>();
      const auto seed = static_cast<std::uint32_t>(1 + order[0] * 3 + order[1]);
      BOOST_TEST_CONTEXT("seed " << seed) {
        boot({lead(by_turn(
                {calls({ask_scout("a"), ask_scout("b"), ask_scout("c")}),
                 says("done")})),
              scout(m)},
             seed);
        const auto id = start();
        BOOST_REQUIRE_EQUAL(m->calls.size(), 3u);
        BOOST_CHECK_EQUAL(status(id), run_status::waiting_on_child);
        for (const auto i : order) {
          m->calls[i].done(echo(m->calls[i]));
          if (!at_once)
            process->settle();
        }
        process->settle();
        BOOST_CHECK_EQUAL(wait(id).output, "done");
        const auto told = results(id);
        BOOST_REQUIRE_EQUAL(told.size(), 3u);
        BOOST_CHECK_EQUAL(told[0].content, "seen: a");
        BOOST_CHECK_EQUAL(told[1].content, "seen: b");
        BOOST_CHECK_EQUAL(told[2].content, "seen: c");
      }
    }
  } while (std::next_permutation(order.begin(), order.end()));
}

BOOST_AUTO_TEST_CASE(a_parent_that_left_memory_wakes_for_its_childs_end) {
  auto m = std::make_shared<patient_model>();
  boot({plain_lead(), scout(m)});
  const auto before = process->system().registry().running();
  const auto id = start();
  BOOST_CHECK_EQUAL(status(id), run_status::waiting_on_child);
  // Only the child is there.
  BOOST_CHECK_EQUAL(process->system().registry().running(), before + 1);
  m->calls.at(0).done(says("seen"));
  process->settle();
  BOOST_CHECK_EQUAL(status(id), run_status::completed);
  BOOST_CHECK_EQUAL(process->system().registry().running(), before);
}

// -- people below -------------------------------------------------------------

BOOST_AUTO_TEST_CASE(who_waits_for_a_parent_hears_that_its_child_needs_people) {
  auto m = std::make_shared<patient_model>();
  boot({plain_lead(), scout(m)});
  const auto id = start();
  question<run_result, await_run> rest{*process, {id, wait_until::at_rest}};
  question<run_result, await_run> end{*process, {id, wait_until::ended}};
  BOOST_CHECK(!rest.is_answered());

  m->calls.at(0).done(calls({{"gated"}}));
  process->settle();
  BOOST_REQUIRE(rest.is_answered());
  const auto r = rest.answer().value();
  BOOST_CHECK_EQUAL(r.id, id);
  BOOST_CHECK_EQUAL(r.status, run_status::waiting_on_child);
  BOOST_REQUIRE_EQUAL(r.approvals.size(), 1u);
  BOOST_CHECK_EQUAL(r.approvals[0].run, child(id));
  BOOST_CHECK(!end.is_answered());

  // The approval is the child's; both go on with it.
  BOOST_REQUIRE(tell(r.approvals[0].run, yes));
  m->calls.at(1).done(says("seen"));
  process->settle();
  BOOST_CHECK_EQUAL(end.answer().value().output, "done");
  BOOST_CHECK_EQUAL(status(child(id)), run_status::completed);
}

BOOST_AUTO_TEST_CASE(who_comes_later_hears_of_the_childs_needs_too) {
  boot({plain_lead(), gated_scout()});
  const auto id = start();
  for (int again = 0; again < 2; ++again) {
    question<run_result, await_run> rest{*process, {id, wait_until::at_rest}};
    BOOST_REQUIRE(rest.is_answered());
    const auto r = rest.answer().value();
    BOOST_REQUIRE_EQUAL(r.approvals.size(), 1u);
    BOOST_CHECK_EQUAL(r.approvals[0].run, child(id));
  }
  // Also in another process.
  boot({plain_lead(), gated_scout()});
  question<run_result, await_run> rest{*process, {id, wait_until::at_rest}};
  BOOST_REQUIRE(rest.is_answered());
  BOOST_CHECK_EQUAL(rest.answer().value().approvals.size(), 1u);
}

BOOST_AUTO_TEST_CASE(who_waits_at_the_top_hears_of_needs_two_levels_down) {
  agent top{"top"};
  top.model(by_turn({calls({{"delegate", R"({"prompt":"Do."})"}}), says("ok")}))
    .subagent("delegate", "Leads.", "lead");
  boot({top, plain_lead(), gated_scout()});
  const auto id = start("top");
  question<run_result, await_run> rest{*process, {id, wait_until::at_rest}};
  BOOST_REQUIRE(rest.is_answered());
  const auto r = rest.answer().value();
  BOOST_REQUIRE_EQUAL(r.approvals.size(), 1u);
  BOOST_CHECK_EQUAL(r.approvals[0].run, child(child(id)));
  BOOST_REQUIRE(tell(r.approvals[0].run, yes));
  BOOST_CHECK_EQUAL(wait(id).output, "ok");
}

BOOST_AUTO_TEST_CASE(a_wait_for_children_that_need_nobody_goes_on) {
  auto m = std::make_shared<patient_model>();
  boot({plain_lead(), scout(m)});
  const auto id = start();
  question<run_result, await_run> rest{*process, {id, wait_until::at_rest}};
  process->advance(10min);
  BOOST_CHECK(!rest.is_answered());
  m->calls.at(0).done(says("seen"));
  process->settle();
  BOOST_CHECK_EQUAL(rest.answer().value().output, "done");
}

// -- ends without an answer ---------------------------------------------------

BOOST_AUTO_TEST_CASE(a_child_that_failed_is_an_error_result) {
  boot({plain_lead(), scout(by_turn({fails(errc::refused)}))});
  check_error_result(start(), "The run of scout ended as failed");
}

BOOST_AUTO_TEST_CASE(a_child_that_expired_is_an_error_result) {
  boot({plain_lead(), gated_scout()});
  const auto id = start();
  process->advance(59min);
  BOOST_CHECK_EQUAL(status(id), run_status::waiting_on_child);
  process->advance(1min);
  check_error_result(id, "The run of scout ended as expired");
}

BOOST_AUTO_TEST_CASE(a_child_that_was_cancelled_is_an_error_result) {
  boot({plain_lead(), gated_scout()});
  const auto id = start();
  BOOST_REQUIRE(tell(child(id), stop));
  check_error_result(id, "The run of scout ended as cancelled");
}

BOOST_AUTO_TEST_CASE(a_call_of_an_agent_that_was_denied_starts_no_run) {
  agent careful{"lead"};
  careful.model(by_turn({calls({ask_scout()}), says("done")}))
    .subagent("scout", "Looks around.", "scout", requires_approval{"engineer"});
  boot({careful, gated_scout()});
  const auto id = start();
  BOOST_CHECK_EQUAL(wait(id).approvals.at(0).run, id);
  BOOST_REQUIRE(
    tell(id, deny_call{{.by = "ana", .role = "engineer", .reason = "no"}, {}}));
  check_error_result(id, "Denied by ana (engineer): no");
  BOOST_CHECK(!disk->find(child(id)).value());
}

BOOST_AUTO_TEST_CASE(a_child_whose_tool_is_denied_goes_on_and_answers) {
  boot({plain_lead(), gated_scout()});
  const auto id = start();
  BOOST_REQUIRE(
    tell(child(id), deny_call{{.by = "ana", .role = "engineer"}, {}}));
  BOOST_CHECK_EQUAL(wait(id).output, "done");
  BOOST_CHECK_EQUAL(results(id).at(0).content, "seen");
}

BOOST_AUTO_TEST_CASE(an_unknown_agent_is_an_error_result_that_names_it) {
  boot({plain_lead()});
  check_error_result(start(), "agent \"scout\" is not known to this runtime; "
                              "it knows lead");
}

BOOST_AUTO_TEST_CASE(a_run_too_deep_gets_an_error_result_and_starts_nobody) {
  agent endless{"lead"};
  endless.limits({.depth_max = 2})
    .model(by_turn({calls({{"again", R"({"prompt":"Go on."})"}}), says("up")}))
    .subagent("again", "Does it.", "lead");
  boot({endless});
  const auto id = start();
  BOOST_CHECK_EQUAL(wait(id).output, "up");
  BOOST_CHECK_EQUAL(disk->list({}).value().size(), 3u); // Depths 0, 1 and 2.
  const auto deepest = results(child(child(id)));
  BOOST_REQUIRE_EQUAL(deepest.size(), 1u);
  BOOST_CHECK(deepest[0].is_error);
  BOOST_CHECK_MESSAGE(deepest[0].content.find("depth_max") != std::string::npos,
                      deepest[0].content);
}

BOOST_AUTO_TEST_CASE(a_batch_with_too_many_runs_starts_none_of_them) {
  auto many = lead(by_turn(
    {calls({ask_scout("a"), ask_scout("b"), ask_scout("c")}), says("done")}));
  many.limits({.descendants_max = 2});
  boot({many, gated_scout()});
  const auto r = wait(start());
  BOOST_CHECK_EQUAL(r.status, run_status::failed);
  BOOST_CHECK_EQUAL(r.code, "limit_exceeded");
  BOOST_CHECK_NE(r.reason.find("descendants_max of 2"), std::string::npos);
  BOOST_CHECK_EQUAL(disk->list({}).value().size(), 1u);
}

// -- cancel -------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(cancel_goes_down_two_levels) {
  agent top{"top"};
  top.model(by_turn({calls({{"delegate", R"({"prompt":"Do."})"}}), says("ok")}))
    .subagent("delegate", "Leads.", "lead");
  auto m = std::make_shared<patient_model>();
  boot({top, plain_lead(), scout(m)});
  const auto id = start("top");
  BOOST_REQUIRE_EQUAL(m->calls.size(), 1u);
  BOOST_REQUIRE(tell(id, stop));
  BOOST_CHECK(m->calls[0].stop.stop_requested());
  for (const auto& each : {id, child(id), child(child(id))})
    BOOST_CHECK_EQUAL(status(each), run_status::cancelled);
}

BOOST_AUTO_TEST_CASE(cancel_reaches_a_child_that_is_still_starting) {
  int children = 0;
  for (std::uint32_t seed = 1; seed <= 50; ++seed)
    BOOST_TEST_CONTEXT("seed " << seed) {
      disk = open_store("memory:").value();
      auto above = std::make_shared<patient_model>();
      auto below = std::make_shared<patient_model>();
      boot({lead(above), scout(below)}, seed);
      const auto id = start();
      // Both at once: the child starts while its parent is cancelled.
      above->calls.at(0).done(calls({ask_scout()}));
      caf::anon_send(process->directory(), run_command{id, stop});
      process->settle();
      BOOST_CHECK_EQUAL(status(id), run_status::cancelled);
      for (const auto& c : below->calls)
        BOOST_CHECK(c.stop.stop_requested());
      if (const auto row = disk->find(child(id)).value()) {
        ++children;
        BOOST_CHECK_EQUAL(row->status, run_status::cancelled);
      }
    }
  BOOST_CHECK_GT(children, 0);
}

BOOST_AUTO_TEST_CASE(a_parent_that_fails_leaves_no_child_at_work) {
  auto m = std::make_shared<patient_model>();
  auto hasty = plain_lead();
  hasty.limits({.wall_time_max = 1min});
  boot({hasty, scout(m)});
  const auto id = start();
  process->advance(1min);
  BOOST_CHECK_EQUAL(status(id), run_status::failed);
  BOOST_CHECK_EQUAL(status(child(id)), run_status::cancelled);
  BOOST_CHECK(m->calls.at(0).stop.stop_requested());
}

// -- handoffs -----------------------------------------------------------------

namespace {

agent router() {
  agent a{"router"};
  a.model(by_turn({calls({{"transfer", R"({"reason":"it is yours"})"}},
                         "One moment.", {.input_tokens = 4})}))
    .handoff("transfer", "Hands over.", "scout");
  return a;
}

/// Has the router answer.
agent caller() {
  agent a{"lead"};
  a.model(by_turn({calls({{"call", R"({"prompt":"Help."})"}}), says("done")}))
    .subagent("call", "Gets help.", "router");
  return a;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_conversation_goes_on_where_it_was_handed_to) {
  auto m = std::make_shared<patient_model>();
  boot({router(), scout(m)});
  const auto id = start("router");
  const auto r = wait(id);
  BOOST_CHECK_EQUAL(r.status, run_status::completed);
  BOOST_REQUIRE(r.handed_to.has_value());
  BOOST_CHECK_EQUAL(*r.handed_to, child(id));
  // It knows all that was said.
  const auto& said = m->calls.at(0).request.conversation;
  BOOST_REQUIRE_EQUAL(said.size(), 3u);
  BOOST_CHECK_EQUAL(text_of(*said[0]), "Go on.");
  BOOST_CHECK_EQUAL(text_of(*said[1]), "One moment.");
  m->calls[0].done(says("mended"));
  BOOST_CHECK_EQUAL(wait(*r.handed_to).output, "mended");
}

BOOST_AUTO_TEST_CASE(a_handed_over_conversation_is_cancelled_where_it_is) {
  auto m = std::make_shared<patient_model>();
  boot({router(), scout(m)});
  const auto id = start("router");
  const auto old = tell(id, stop);
  BOOST_REQUIRE(!old);
  BOOST_CHECK(old.error().code == errc::refused);
  BOOST_REQUIRE(tell(child(id), stop));
  BOOST_CHECK(m->calls.at(0).stop.stop_requested());
  BOOST_CHECK_EQUAL(status(child(id)), run_status::cancelled);
}

BOOST_AUTO_TEST_CASE(a_parent_hears_of_the_end_of_a_handed_over_conversation) {
  auto m = std::make_shared<patient_model>();
  boot({caller(), router(), scout(m)});
  const auto id = start();
  BOOST_CHECK_EQUAL(status(child(id)), run_status::completed);
  BOOST_CHECK_EQUAL(status(id), run_status::waiting_on_child);
  m->calls.at(0).done(says("mended", {.input_tokens = 10}));
  process->settle();
  const auto r = wait(id);
  BOOST_CHECK_EQUAL(r.output, "done");
  BOOST_CHECK_EQUAL(results(id).at(0).content, "mended");
  BOOST_CHECK_EQUAL(r.usage.input_tokens, 14); // The router's, too.
}

BOOST_AUTO_TEST_CASE(cancel_follows_a_handed_over_conversation) {
  auto m = std::make_shared<patient_model>();
  boot({caller(), router(), scout(m)});
  const auto id = start();
  BOOST_REQUIRE(tell(id, stop));
  BOOST_CHECK(m->calls.at(0).stop.stop_requested());
  BOOST_CHECK_EQUAL(status(child(child(id))), run_status::cancelled);
  BOOST_CHECK_EQUAL(status(child(id)), run_status::completed);
}

BOOST_AUTO_TEST_CASE(who_waits_hears_of_needs_of_a_handed_over_conversation) {
  boot({caller(), router(),
        scout(function_model([](const model_request& r) -> model_outcome {
          const auto& last =
            std::get<tool_result_part>(r.conversation.back()->parts.back());
          if (last.name == "transfer")
            return calls({{"gated"}});
          return says("mended");
        }))});
  const auto id = start();
  question<run_result, await_run> rest{*process, {id, wait_until::at_rest}};
  BOOST_REQUIRE(rest.is_answered());
  const auto r = rest.answer().value();
  BOOST_REQUIRE_EQUAL(r.approvals.size(), 1u);
  BOOST_CHECK_EQUAL(r.approvals[0].run, child(child(id)));
  BOOST_REQUIRE(tell(r.approvals[0].run, yes));
  BOOST_CHECK_EQUAL(wait(id).output, "done");
}

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
