/// Runs that wait do so in the store: a process that starts does not load them,
/// and wakes each when its time has come. Virtual time, seeded schedules.

#include <kestrion/tests/support/family.hpp>

#include <boost/test/unit_test.hpp>

#include <caf/send.hpp>

#include <algorithm>

namespace kestrion::test {

namespace wake_test {

using namespace std::chrono_literals;

/// Whose gated call expires after an hour.
agent waiter() {
  agent a{"waiter"};
  a.model(by_turn({calls({{"gated"}}), says("done")}))
    .tool(
      "gated", "A gated tool.", [] { return "ran"; },
      requires_approval{"engineer"}.within(1h));
  return a;
}

struct sleepers : family {
  std::size_t count(run_status s) const {
    run_query q;
    q.statuses = {s};
    return disk->list(q).value().size();
  }

  /// Counts the actors from now on.
  void watch_actors() {
    const auto now = [this] {
      return process->system().registry().running();
    };
    most_actors = least_actors = now();
    process->on_turn([this, now] {
      most_actors = std::max(most_actors, now());
      least_actors = std::min(least_actors, now());
    });
  }

  std::size_t most_actors = 0;
  std::size_t least_actors = 0; ///< Without any run.
};

} // namespace wake_test

BOOST_FIXTURE_TEST_SUITE(wake_test, sleepers)

BOOST_AUTO_TEST_CASE(a_process_that_starts_does_not_load_who_waits) {
  boot({waiter()});
  for (int i = 0; i < 600; ++i)
    start("waiter");
  process->settle();
  BOOST_REQUIRE_EQUAL(count(run_status::waiting_on_human), 600u);

  boot({waiter()}, 2, noon + 10min);
  watch_actors();
  process->settle();
  BOOST_CHECK_EQUAL(most_actors, least_actors);

  // Nor all at once when their time comes: page by page.
  process->advance(50min);
  BOOST_CHECK_EQUAL(count(run_status::expired), 600u);
  BOOST_CHECK_GT(most_actors, least_actors + 100);
  BOOST_CHECK_LT(most_actors, least_actors + 300);
}

BOOST_AUTO_TEST_CASE(many_that_were_running_are_taken_up_page_by_page) {
  const auto silent = std::make_shared<patient_model>();
  agent a{"waiter"};
  boot({a.model(silent)});
  for (int i = 0; i < 600; ++i)
    start("waiter");
  process->settle();
  BOOST_REQUIRE_EQUAL(count(run_status::running), 600u);

  boot({waiter()}, 2);
  watch_actors();
  process->settle();
  BOOST_CHECK_EQUAL(count(run_status::waiting_on_human), 600u);
  BOOST_CHECK_LT(most_actors, least_actors + 600);
}

BOOST_AUTO_TEST_CASE(to_wait_for_one_that_waits_does_not_load_it) {
  boot({waiter()});
  const auto id = start("waiter");
  process->settle();
  watch_actors();
  BOOST_CHECK_EQUAL(wait(id).status, run_status::waiting_on_human);
  BOOST_CHECK_EQUAL(wait(id).approvals.size(), 1u);
  question<run_result, await_run> ended{*process, {id, wait_until::ended}};
  BOOST_CHECK_EQUAL(most_actors, least_actors + 1); // Who asks.
  BOOST_REQUIRE(tell(id, yes));
  process->settle();
  BOOST_CHECK_EQUAL(ended.answer().value().output, "done");
}

BOOST_AUTO_TEST_CASE(a_deadline_that_another_process_left_is_kept) {
  boot({waiter()});
  engine_options options;
  options.store_is_shared = true;
  sim other{disk, {waiter()}, 7, noon, options};
  other.settle();
  const auto id = start("waiter");
  process->settle();
  process.reset(); // The other one knew of it by the store only.
  other.advance(1h + 10s);
  BOOST_CHECK_EQUAL(status(id), run_status::expired);
}

BOOST_AUTO_TEST_CASE(who_can_not_be_woken_stays_due_and_hinders_nobody) {
  boot({waiter()});
  const auto mine = start("waiter");
  process->settle();
  agent stranger{"stranger"};
  stranger.model(by_turn({calls({{"gated"}})}))
    .tool(
      "gated", "A gated tool.", [] { return "ran"; },
      requires_approval{"engineer"}.within(30min));
  boot({waiter(), stranger}, 2, noon);
  const auto theirs = start("stranger");
  process->settle();
  boot({waiter()}, 3, noon); // Does not know the stranger.
  process->advance(2h);
  BOOST_CHECK_EQUAL(status(mine), run_status::expired);
  BOOST_CHECK_EQUAL(status(theirs), run_status::waiting_on_human);
  boot({waiter(), stranger}, 4, noon + 2h);
  process->settle();
  BOOST_CHECK_EQUAL(status(theirs), run_status::expired);
}

BOOST_AUTO_TEST_CASE(what_an_earlier_life_said_does_not_send_this_one_away) {
  const auto m = std::make_shared<patient_model>();
  boot({scout(m)});
  const auto id = start("scout");
  BOOST_REQUIRE_EQUAL(m->calls.size(), 1u);
  // Late, and from an actor that is no more: it was at rest.
  run_settled late;
  late.result = result_of(id, process->load(id));
  late.result.status = run_status::waiting_on_human;
  late.commands_taken = 1;
  caf::anon_send(process->directory(), late);
  process->settle();
  m->calls[0].done(says("seen"));
  BOOST_CHECK_EQUAL(wait(id).status, run_status::completed);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
