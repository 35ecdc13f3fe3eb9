/// A run as an actor: monitored, linked to, talked to. Virtual time.

#include <kestrion/store/faulty_store.hpp>
#include <kestrion/tests/support/family.hpp>
#include <kestrion/tests/support/outside.hpp>

namespace kestrion::test {

using namespace std::chrono_literals;

namespace run_handle_test {

struct handles : family {
  run_handle_actor attach(const run_id& id) {
    return ask_front<run_handle_actor>(*process, attach_run{id}).value();
  }

  /// A run that waits for its model, and then for an engineer.
  run_id start_slow() {
    m = std::make_shared<patient_model>();
    boot({scout(m)});
    return start("scout");
  }

  void model_says(model_outcome what) {
    m->calls.back().done(std::move(what));
    process->settle();
  }

  void kill_directory() {
    caf::anon_send_exit(process->directory(), caf::exit_reason::kill);
    process->settle();
  }

  std::shared_ptr<patient_model> m;
};

errc code_of(const onlooker& who) {
  BOOST_REQUIRE_EQUAL(who.ends().size(), 1u);
  return from_caf(who.ends().front()).code;
}

using bond = onlooker::bond;

} // namespace run_handle_test

BOOST_FIXTURE_TEST_SUITE(run_handle_test, handles)

// -- monitor ------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(who_monitors_a_run_hears_once_and_only_of_its_end) {
  const auto id = start_slow();
  onlooker who{*process, attach(id), bond::monitor};
  model_says(calls({{"gated"}})); // Waits for a person, and leaves memory.
  kill_directory();
  process->advance(1min);
  BOOST_CHECK(who.ends().empty());
  BOOST_REQUIRE(tell(id, yes));
  BOOST_CHECK(who.ends().empty());
  model_says(says("seen"));
  BOOST_REQUIRE_EQUAL(who.ends().size(), 1u);
  BOOST_CHECK(who.ends()[0] == caf::exit_reason::normal);
}

BOOST_AUTO_TEST_CASE(a_run_that_ended_before_is_heard_of_too) {
  const auto id = start_slow();
  model_says(says("seen"));
  onlooker who{*process, attach(id), bond::monitor};
  BOOST_REQUIRE_EQUAL(who.ends().size(), 1u);
  BOOST_CHECK(who.ends()[0] == caf::exit_reason::normal);
  // Also by an old handle.
  const auto handle = attach(id);
  process->settle();
  onlooker late{*process, handle, bond::monitor};
  BOOST_REQUIRE_EQUAL(late.ends().size(), 1u);
  BOOST_CHECK(late.ends()[0] == caf::exit_reason::normal);
}

BOOST_AUTO_TEST_CASE(the_reason_says_how_a_run_ended_that_gave_no_answer) {
  const auto cancelled = start_slow();
  onlooker of_cancelled{*process, attach(cancelled), bond::monitor};
  BOOST_REQUIRE(tell(cancelled, stop));
  BOOST_CHECK(code_of(of_cancelled) == errc::cancelled);
  BOOST_CHECK_EQUAL(from_caf(of_cancelled.ends()[0]).detail,
                    "run " + cancelled.str()
                      + " ended as cancelled: ana: enough");

  const auto failed = start("scout");
  onlooker of_failed{*process, attach(failed), bond::monitor};
  model_says(fails(errc::unauthenticated));
  BOOST_CHECK(code_of(of_failed) == errc::unauthenticated);

  const auto expired = start("scout");
  onlooker of_expired{*process, attach(expired), bond::monitor};
  model_says(calls({{"gated"}}));
  process->advance(1h);
  BOOST_CHECK(code_of(of_expired) == errc::timeout);
}

BOOST_AUTO_TEST_CASE(a_run_whose_actor_crashes_has_not_ended) {
  const auto healthy = disk;
  auto faulty = std::make_shared<faulty_store>(healthy);
  disk = faulty;
  const auto id = start_slow();
  onlooker who{*process, attach(id), bond::monitor};
  // Its next append fails: the actor crashes, and lives again from the log.
  faulty->fail_append(faulty->appends() + 1, faulty_store::moment::before);
  model_says(says("lost"));
  BOOST_CHECK(who.ends().empty());
  process->advance(1s);
  BOOST_REQUIRE_EQUAL(m->calls.size(), 2u);
  BOOST_CHECK(who.ends().empty());
  model_says(says("seen"));
  BOOST_CHECK_EQUAL(who.ends().size(), 1u);
}

BOOST_AUTO_TEST_CASE(a_parked_run_has_not_ended) {
  const auto id = start_slow();
  onlooker who{*process, attach(id), bond::monitor};
  BOOST_REQUIRE(tell(id, park_run{"crashed too often", {}}));
  process->advance(1min);
  BOOST_CHECK_EQUAL(status(id), run_status::parked);
  BOOST_CHECK(who.ends().empty());
  // Nor for who comes later.
  process->settle();
  onlooker late{*process, attach(id), bond::monitor};
  BOOST_CHECK(late.ends().empty());
  BOOST_REQUIRE(tell(id, unpark_run{"ana", {}}));
  model_says(says("seen"));
  BOOST_CHECK_EQUAL(who.ends().size(), 1u);
  BOOST_CHECK_EQUAL(late.ends().size(), 1u);
}

BOOST_AUTO_TEST_CASE(a_runtime_that_stops_ends_handles_but_no_runs) {
  const auto id = start_slow();
  std::vector<caf::error> ends;
  {
    onlooker who{*process, attach(id), bond::monitor};
    process->actors().stop();
    process->settle();
    ends = who.ends();
  }
  BOOST_REQUIRE_EQUAL(ends.size(), 1u);
  BOOST_CHECK(ends[0] == caf::exit_reason::user_shutdown);
  BOOST_CHECK_EQUAL(status(id), run_status::running);
}

BOOST_AUTO_TEST_CASE(an_unknown_run_has_no_handle) {
  start_slow();
  const auto answer =
    ask_front<run_handle_actor>(*process, attach_run{run_id::make(noon, 1, 2)});
  BOOST_REQUIRE(!answer);
  BOOST_CHECK(answer.error().code == errc::not_found);
}

// -- link ---------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(the_failure_of_a_linked_actor_cancels_the_run) {
  const auto id = start_slow();
  onlooker who{*process, attach(id), bond::link};
  who.fail();
  process->settle();
  BOOST_CHECK_EQUAL(status(id), run_status::cancelled);
  BOOST_CHECK(m->calls[0].stop.stop_requested());
  const auto r = wait(id);
  BOOST_CHECK_MESSAGE(r.reason.starts_with("a linked actor: it ended with "),
                      r.reason);
}

BOOST_AUTO_TEST_CASE(it_is_cancelled_while_the_directory_is_away_too) {
  const auto id = start_slow();
  onlooker who{*process, attach(id), bond::link};
  caf::anon_send_exit(process->directory(), caf::exit_reason::kill);
  who.fail();
  process->advance(1s);
  BOOST_CHECK_EQUAL(status(id), run_status::cancelled);
}

BOOST_AUTO_TEST_CASE(the_normal_end_of_a_linked_actor_changes_nothing) {
  const auto id = start_slow();
  {
    onlooker who{*process, attach(id), bond::link_and_trap};
    who.end_well();
    process->settle();
  }
  const auto handle = attach(id);
  caf::anon_send_exit(handle, caf::exit_reason::normal);
  process->settle();
  BOOST_CHECK_EQUAL(status(id), run_status::running);
}

BOOST_AUTO_TEST_CASE(the_failure_of_a_run_takes_a_linked_actor_down) {
  const auto id = start_slow();
  onlooker who{*process, attach(id), bond::link};
  onlooker trapper{*process, attach(id), bond::link_and_trap};
  BOOST_CHECK(who.is_alive());
  model_says(fails(errc::refused));
  BOOST_CHECK(!who.is_alive());
  BOOST_CHECK(trapper.is_alive());
  BOOST_CHECK(code_of(trapper) == errc::refused);
}

BOOST_AUTO_TEST_CASE(a_link_to_a_run_that_has_failed_tells_at_once) {
  const auto id = start_slow();
  const auto handle = attach(id);
  model_says(fails(errc::refused));
  onlooker who{*process, handle, bond::link};
  BOOST_CHECK(!who.is_alive());
}

BOOST_AUTO_TEST_CASE(the_completion_of_a_run_leaves_a_linked_actor_alone) {
  const auto id = start_slow();
  onlooker who{*process, attach(id), bond::link};
  model_says(says("seen"));
  BOOST_CHECK(who.is_alive());
  BOOST_CHECK_EQUAL(status(id), run_status::completed);
}

// -- talking ------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_handle_takes_decisions_and_says_where_the_run_is) {
  const auto id = start_slow();
  const auto run = attach(id);
  caf::scoped_actor self{process->system()};
  const auto ask = [&](auto question, auto check) {
    auto pending = self->request(run, caf::infinite, std::move(question));
    process->settle();
    BOOST_REQUIRE(self->has_next_message());
    pending.receive(
      check, [](const caf::error& e) { BOOST_ERROR(to_string(from_caf(e))); });
  };
  const auto taken = [](const run_receipt&) {
  };
  ask(send_message{user_message("Look twice."), "ana", false, {}}, taken);
  ask(signal_run{"deployed", "v2", "ci", {}}, taken);
  model_says(calls({{"gated"}, {"ask_human", R"({"question":"Why?"})"}}));
  ask(await_this{},
      [&](const run_result& r) { BOOST_CHECK_EQUAL(r.approvals.size(), 1u); });
  ask(approve_call{{.by = "ana", .role = "engineer"}, {}}, taken);
  ask(answer_question{{.by = "ana", .text = "Because."}, {}}, taken);
  ask(cancel_run{"ana", "enough", {}}, taken);
  BOOST_CHECK_EQUAL(status(id), run_status::cancelled);
  std::vector<std::string> kinds;
  for (const auto& e : load_events(*disk, id).value())
    kinds.emplace_back(tag_of(e.event));
  for (const auto* kind : {"message_received", "signal_received",
                           "approval_granted", "tool_call_completed"})
    BOOST_CHECK_MESSAGE(
      std::find(kinds.begin(), kinds.end(), kind) != kinds.end(), kind);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
