/// A family whose runs live in two processes over one SQLite file. Virtual
/// time; the file and its locks are real.

#include <kestrion/tests/support/family.hpp>
#include <kestrion/tests/support/temp_folder.hpp>

namespace kestrion::test {

using namespace std::chrono_literals;

namespace split_family_test {

/// Asks the scout and works beside; the scout needs an engineer.
std::vector<agent> agents() {
  auto busy = lead(by_turn({calls({ask_scout(), {"work"}}), says("done")}));
  busy.tool("work", "Works.", [] { return "worked"; });
  return {busy, gated_scout()};
}

struct process {
  std::shared_ptr<event_store> store;
  sim world;

  explicit process(const std::string& url)
    : store(open_store(url).value()),
      world(store, agents(), 1, noon, {.store_is_shared = true}) {}
};

struct two_processes {
  temp_folder folder;
  std::string url = "sqlite:///" + (folder / "runs.db");
  std::optional<process> first{url};
  std::optional<process> second{url};

  run_id start() {
    return ask<run_receipt>(first->world,
                            start_request{"lead", user_message("Go on."), {}})
      .value()
      .run;
  }

  void approve_in_second(const run_id& run) {
    BOOST_REQUIRE(ask<run_receipt>(second->world, run_command{run, yes}));
  }

  /// Long enough for a look at the store in both.
  void let_both_look() {
    first->world.advance(20ms);
    second->world.advance(20ms);
    first->world.advance(20ms);
  }

  run_status status(const run_id& id) {
    return second->store->find(id).value()->status;
  }

  std::size_t ends_of_children(const run_id& id) {
    const auto log = load_events(*second->store, id).value();
    return static_cast<std::size_t>(
      std::count_if(log.begin(), log.end(), [](const auto& e) {
        return std::holds_alternative<child_ended>(e.event);
      }));
  }
};

} // namespace split_family_test

BOOST_FIXTURE_TEST_SUITE(split_family_test, two_processes)

BOOST_AUTO_TEST_CASE(a_child_ends_elsewhere_and_its_resting_parent_goes_on) {
  const auto id = start();
  BOOST_CHECK_EQUAL(status(id), run_status::waiting_on_child);
  question<run_result, await_run> end{first->world, {id, wait_until::ended}};
  approve_in_second(child_id(id, "c1.0"));
  let_both_look();
  BOOST_CHECK_EQUAL(status(id), run_status::completed);
  BOOST_CHECK_EQUAL(ends_of_children(id), 1u);
  BOOST_CHECK_EQUAL(end.answer().value().output, "done");
}

BOOST_AUTO_TEST_CASE(the_end_of_a_child_reaches_a_parent_that_works_elsewhere) {
  first->world.hold_tools(true);
  const auto id = start();
  BOOST_CHECK_EQUAL(status(id), run_status::running);
  approve_in_second(child_id(id, "c1.0"));
  second->world.settle();
  // Its gated tool ran there; the parent belongs to the first.
  BOOST_CHECK_EQUAL(status(child_id(id, "c1.0")), run_status::completed);
  BOOST_CHECK_EQUAL(ends_of_children(id), 0u);
  let_both_look();
  BOOST_CHECK_EQUAL(ends_of_children(id), 1u);
  BOOST_CHECK_EQUAL(status(id), run_status::running);
  first->world.hold_tools(false);
  first->world.settle();
  BOOST_CHECK_EQUAL(status(id), run_status::completed);
  BOOST_CHECK(second->store->inbox().value().empty());
}

BOOST_AUTO_TEST_CASE(the_end_of_a_child_is_not_lost_with_its_parents_process) {
  first->world.hold_tools(true);
  const auto id = start();
  approve_in_second(child_id(id, "c1.0"));
  first.reset(); // Before it looked.
  second->world.advance(6s);
  BOOST_CHECK_EQUAL(status(id), run_status::completed);
  BOOST_CHECK_EQUAL(ends_of_children(id), 1u);
}

BOOST_AUTO_TEST_CASE(who_waits_elsewhere_hears_that_a_child_needs_people) {
  second->world.settle(); // It has looked what there was at its start.
  first->world.hold_tools(true);
  const auto id = start();
  question<run_result, await_run> rest{second->world,
                                       {id, wait_until::at_rest}};
  BOOST_CHECK(!rest.is_answered());
  first->world.hold_tools(false);
  first->world.settle();
  BOOST_CHECK_EQUAL(status(id), run_status::waiting_on_child);
  let_both_look();
  BOOST_REQUIRE(rest.is_answered());
  const auto r = rest.answer().value();
  BOOST_REQUIRE_EQUAL(r.approvals.size(), 1u);
  BOOST_CHECK_EQUAL(r.approvals[0].run, child_id(id, "c1.0"));
}

BOOST_AUTO_TEST_CASE(cancel_reaches_a_child_that_lives_elsewhere) {
  second->world.hold_tools(true);
  const auto id = start();
  approve_in_second(child_id(id, "c1.0"));
  BOOST_CHECK_EQUAL(status(child_id(id, "c1.0")), run_status::running);
  BOOST_REQUIRE(ask<run_receipt>(first->world, run_command{id, stop}));
  BOOST_CHECK_EQUAL(status(id), run_status::cancelled);
  let_both_look();
  BOOST_CHECK_EQUAL(status(child_id(id, "c1.0")), run_status::cancelled);
  second->world.hold_tools(false);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
