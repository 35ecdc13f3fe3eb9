/// Runs that start runs: answers, ends, and what gets around of both. Virtual
/// time, seeded schedules.

#include <kestrion/tests/support/family.hpp>

#include <caf/send.hpp>

#include <array>

namespace kestrion::test {

using namespace std::chrono_literals;

BOOST_FIXTURE_TEST_SUITE(family_test, family)

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

BOOST_AUTO_TEST_CASE(no_more_children_at_once_than_the_limit_across_lives) {
  constexpr std::size_t all = 7;
  constexpr std::int64_t at_once = 2;
  for (std::uint32_t seed = 1; seed <= 20; ++seed)
    BOOST_TEST_CONTEXT("seed " << seed) {
      disk = open_store("memory:").value();
      std::vector<scripted_call> wishes;
      for (std::size_t i = 0; i < all; ++i)
        wishes.push_back(ask_scout(std::to_string(i)));
      auto m = std::make_shared<patient_model>();
      auto many = lead(by_turn({calls(wishes), says("done")}));
      many.limits({.children_at_once_max = at_once});
      boot({many, scout(m)}, seed);
      const auto id = start();
      std::mt19937 random{seed};
      std::size_t answered = 0;
      while (status(id) != run_status::completed) {
        BOOST_REQUIRE_LE(m->calls.size(), answered + at_once);
        BOOST_REQUIRE_LT(answered, m->calls.size());
        // The store has no more of them at work either.
        run_query at_work;
        at_work.parent = id;
        at_work.statuses = {run_status::running};
        BOOST_REQUIRE_LE(disk->list(at_work).value().size(),
                         static_cast<std::size_t>(at_once));
        if (random() % 4 == 0) {
          m->calls.clear(); // What was asked is asked again.
          answered = 0;
          boot({many, scout(m)}, seed);
          process->settle();
        } else {
          m->calls[answered].done(echo(m->calls[answered]));
          ++answered;
          process->settle();
        }
      }
      BOOST_REQUIRE_EQUAL(results(id).size(), all);
      for (std::size_t i = 0; i < all; ++i)
        BOOST_CHECK_EQUAL(results(id)[i].content, "seen: " + std::to_string(i));
      BOOST_CHECK_EQUAL(disk->list({}).value().size(), all + 1);
    }
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

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
