/// Conversations that move to another agent.

#include <kestrion/tests/support/family.hpp>

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <iostream>

namespace kestrion::test {

namespace handoff_test {

using namespace std::chrono_literals;

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

/// A directory ends after so many turns.
/// @returns False if nothing was left to lose.
struct dying_directories : family {
  bool play(std::uint32_t seed, int turns) {
    disk = open_store("memory:").value();
    boot({router(), scout(by_turn({says(""), says("mended")}))}, seed);
    caf::anon_send(process->directory(),
                   start_request{"router", user_message("Go on."), {}});
    process->settle(turns);
    const auto rows = disk->list({}).value();
    if (rows.empty())
      return true; // A start that was not heard is nobody's.
    if (rows.size() == 2
        && std::all_of(rows.begin(), rows.end(),
                       [](const auto& row) { return is_terminal(row.status); }))
      return false;
    ++moments;
    caf::anon_send_exit(process->directory(), caf::exit_reason::kill);
    process->advance(1min);
    const auto id = std::find_if(rows.begin(), rows.end(), [](const auto& row) {
                      return row.agent == "router";
                    })->id;
    BOOST_CHECK_EQUAL(status(id), run_status::completed);
    BOOST_CHECK_EQUAL(status(child(id)), run_status::completed);
    return true;
  }

  int moments = 0;
};

} // namespace handoff_test

BOOST_FIXTURE_TEST_SUITE(handoff_test, family)

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

BOOST_FIXTURE_TEST_CASE(no_handoff_is_lost_when_the_directory_dies,
                        dying_directories) {
  for (std::uint32_t seed = 1; seed <= 50; ++seed) {
    bool goes_on = true;
    for (int turns = 0; goes_on; ++turns)
      BOOST_TEST_CONTEXT("seed " << seed << ", after " << turns << " turns") {
        goes_on = play(seed, turns);
      }
  }
  std::cout << "a directory died at " << moments << " moments of a handoff\n";
  BOOST_CHECK_GT(moments, 500);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
