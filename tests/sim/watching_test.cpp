/// Who watches hears of each event once, in order, after it is durable; and
/// slows nobody. Virtual time, seeded schedules.

#include <kestrion/tests/support/check_lines.hpp>
#include <kestrion/tests/support/family.hpp>
#include <kestrion/tests/support/outside.hpp>
#include <kestrion/tests/support/temp_folder.hpp>

#include <caf/actor_cast.hpp>

#include <map>

namespace kestrion::test {

using namespace std::chrono_literals;

namespace watching_test {

/// The log as a listener that missed nothing has it.
std::vector<std::string> log_lines(const event_store& disk, const run_id& id,
                                   std::uint64_t after = 0) {
  std::vector<std::string> out;
  for (const auto& e : load_events(disk, id, after).value())
    out.push_back(std::to_string(e.seq) + " " + std::string{tag_of(e.event)});
  return out;
}

struct watched : family {
  result<bool> watch(const listener& who, event_filter filter = {}) {
    return ask_front<bool>(*process,
                           watch_events{std::move(filter), who.actor()});
  }

  std::string why_not(event_filter filter) {
    const listener who{*process};
    const auto answer = watch(who, std::move(filter));
    BOOST_REQUIRE(!answer);
    return to_string(answer.error());
  }

  /// What was heard are the logs, whole.
  void check_complete(const listener& who) {
    for (const auto& row : disk->list({}).value())
      BOOST_CHECK(same_lines(who.lines(row.id), log_lines(*disk, row.id)));
  }
};

/// Looks as often as it is told to, then speaks.
agent looker(int times) {
  agent a{"looker"};
  a.limits({.turns_max = 10'000, .tool_calls_max = 10'000})
    .model(function_model([times](const model_request& r) -> model_outcome {
      if (r.conversation.size() > static_cast<std::size_t>(2 * times))
        return says("seen");
      return calls({{"look"}});
    }))
    .tool(
      "look", "Looks.", [] { return "ran"; }, effect_contract::pure);
  return a;
}

/// A subscriber that takes one message when the test says so.
class slow_listener {
public:
  explicit slow_listener(sim& process) : self_(process.system()) {}

  event_subscriber_actor actor() {
    return caf::actor_cast<event_subscriber_actor>(
      caf::actor_cast<caf::strong_actor_ptr>(self_.ptr()));
  }

  /// Takes all that is there. @returns How much that was.
  std::size_t take_all() {
    std::size_t n = 0;
    for (; self_->has_next_message(); ++n)
      self_->receive([this](const run_event& x) { events.push_back(x); },
                     [this](const events_missed& x) { missed.push_back(x); });
    return n;
  }

  std::vector<run_event> events;
  std::vector<events_missed> missed;

private:
  caf::scoped_actor self_;
};

} // namespace watching_test

BOOST_FIXTURE_TEST_SUITE(watching_test, watched)

// -- order --------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(all_events_of_all_runs_are_heard_in_the_order_of_each) {
  for (std::uint32_t seed = 1; seed <= 20; ++seed)
    BOOST_TEST_CONTEXT("seed " << seed) {
      disk = open_store("memory:").value();
      boot({plain_lead(), gated_scout()}, seed);
      const listener who{*process};
      BOOST_REQUIRE(watch(who));
      std::vector<run_id> leads;
      for (int i = 0; i < 5; ++i)
        leads.push_back(start());
      for (const auto& id : leads)
        BOOST_REQUIRE(tell(child(id), yes));
      for (const auto& row : disk->list({}).value())
        BOOST_CHECK_EQUAL(row.status, run_status::completed);
      check_complete(who);
    }
}

BOOST_AUTO_TEST_CASE(an_event_is_durable_before_it_is_heard) {
  boot({looker(3)});
  std::size_t heard = 0;
  const auto subscriber =
    process->system().spawn([&](event_subscriber_actor::pointer)
                              -> event_subscriber_actor::behavior_type {
      return {
        [&](const run_event& x) {
          ++heard;
          BOOST_CHECK_GE(disk->find(x.run).value()->last_seq, x.event.seq);
        },
        [](const events_missed&) {},
      };
    });
  BOOST_REQUIRE(ask_front<bool>(*process, watch_events{{}, subscriber}));
  start("looker");
  BOOST_CHECK_EQUAL(heard,
                    log_lines(*disk, disk->list({}).value()[0].id).size());
}

// -- filters ------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_filter_says_of_which_runs_and_of_what) {
  boot({plain_lead(), scout(by_turn({says("seen")}))});
  const listener runs{*process};
  const listener parents{*process};
  const listener trees{*process};
  const listener agents{*process};
  const listener tenants{*process};
  const listener kinds{*process};
  const auto id = run_id::make(noon, 1, 2);
  BOOST_REQUIRE(watch(parents, {.parent = id}));
  BOOST_REQUIRE(watch(trees, {.tree = id}));
  BOOST_REQUIRE(watch(agents, {.agent = "scout"}));
  BOOST_REQUIRE(watch(tenants, {.tenant = "acme"}));
  BOOST_REQUIRE(watch(kinds, {.kinds = {std::string{run_completed::tag},
                                        std::string{child_ended::tag}}}));
  start(); // Another family.
  run_started acme;
  acme.tenant = "acme";
  BOOST_REQUIRE(ask<run_receipt>(
    *process, start_request{"lead", user_message("Go on."), acme, id}));
  BOOST_REQUIRE(watch(runs, {.run = id, .from_seq = 1}));
  process->settle();

  BOOST_CHECK(same_lines(runs.lines(), log_lines(*disk, id)));
  BOOST_CHECK(same_lines(parents.lines(), log_lines(*disk, child(id))));
  BOOST_CHECK_EQUAL(trees.events().size(),
                    log_lines(*disk, id).size()
                      + log_lines(*disk, child(id)).size());
  BOOST_CHECK(same_lines(trees.lines(child(id)), log_lines(*disk, child(id))));
  for (const auto& x : agents.events())
    BOOST_CHECK_EQUAL(disk->find(x.run).value()->agent, "scout");
  BOOST_CHECK_EQUAL(agents.events().size(),
                    2 * log_lines(*disk, child(id)).size());
  // Children belong to their parents' tenant.
  BOOST_CHECK(same_lines(tenants.lines(id), log_lines(*disk, id)));
  BOOST_CHECK_EQUAL(tenants.events().size(), trees.events().size());
  BOOST_CHECK_EQUAL(kinds.events().size(), 6u);
}

BOOST_AUTO_TEST_CASE(a_filter_that_makes_no_sense_is_refused) {
  boot({looker(1)});
  BOOST_CHECK_EQUAL(why_not({.kinds = {"run_exploded"}}),
                    "invalid_argument: no event has the kind \"run_exploded\"; "
                    "expected a tag such as run_completed");
  BOOST_CHECK(
    why_not({.from_seq = 1}).starts_with("invalid_argument: from_seq"));
  const auto id = start("looker");
  BOOST_CHECK_EQUAL(why_not({.run = id, .from_seq = 0}),
                    "invalid_argument: from_seq is 0; the first event of a run "
                    "has the seq 1");
  BOOST_CHECK(
    why_not({.run = run_id::make(noon, 3, 4)}).starts_with("not_found: "));
  BOOST_CHECK(!process->actors().context->events->is_open());
}

// -- catching up --------------------------------------------------------------

BOOST_AUTO_TEST_CASE(whenever_one_begins_the_log_is_heard_from_there_on_once) {
  for (std::uint32_t seed = 1; seed <= 200; ++seed)
    BOOST_TEST_CONTEXT("seed " << seed) {
      disk = open_store("memory:").value();
      boot({looker(6)}, seed);
      run_id id;
      const auto front = process->actors().front;
      id = run_id::make(noon, 1, seed);
      caf::anon_send(front,
                     start_request{"looker", user_message("Go on."), {}, id});
      while (!disk->find(id).value())
        process->settle(1);
      process->settle(static_cast<int>(process->random() % 100));
      const auto from = 1 + process->random() % 12;
      const listener who{*process};
      caf::anon_send(front,
                     watch_events{{.run = id, .from_seq = from}, who.actor()});
      process->settle();
      BOOST_CHECK_EQUAL(status(id), run_status::completed);
      BOOST_CHECK(same_lines(who.lines(), log_lines(*disk, id, from - 1)));
      BOOST_CHECK(who.missed().empty());
    }
}

BOOST_AUTO_TEST_CASE(without_a_seq_it_begins_with_what_comes) {
  boot({plain_lead(), gated_scout()});
  const auto id = child(start());
  const auto known = log_lines(*disk, id).size();
  const listener who{*process};
  BOOST_REQUIRE(watch(who, {.run = id}));
  BOOST_CHECK(who.events().empty());
  BOOST_REQUIRE(tell(id, yes));
  BOOST_CHECK(same_lines(who.lines(), log_lines(*disk, id, known)));
}

// -- slow ones ----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_slow_one_slows_nobody_and_hears_what_it_missed) {
  constexpr int runs = 30;
  boot({looker(20)});
  slow_listener who{*process};
  BOOST_REQUIRE(ask_front<bool>(*process, watch_events{{}, who.actor()}));
  for (int i = 0; i < runs; ++i)
    start("looker");
  std::size_t appended = 0;
  for (const auto& row : disk->list({}).value()) {
    BOOST_CHECK_EQUAL(row.status, run_status::completed);
    appended += row.last_seq;
  }
  BOOST_REQUIRE_GT(appended, events_in_flight_max);
  // It has not looked once.
  BOOST_CHECK_EQUAL(who.take_all(), events_in_flight_max);
  while (process->settle(), who.take_all() != 0)
    ;
  std::map<run_id, std::uint64_t> heard;
  for (const auto& x : who.events)
    BOOST_CHECK_EQUAL(x.event.seq, ++heard[x.run]);
  BOOST_CHECK(!who.missed.empty());
  for (const auto& x : who.missed) {
    BOOST_CHECK_EQUAL(x.from_seq, heard[x.run] + 1);
    heard[x.run] += x.count;
  }
  for (const auto& row : disk->list({}).value())
    BOOST_CHECK_EQUAL(heard[row.id], row.last_seq);
  // From now on it is as any other.
  who.events.clear();
  const auto next = start("looker");
  who.take_all();
  BOOST_CHECK_EQUAL(who.events.size(), disk->find(next).value()->last_seq);
}

BOOST_AUTO_TEST_CASE(
  a_slow_one_of_a_single_run_lags_behind_and_misses_nothing) {
  boot({looker(800)});
  const auto id = run_id::make(noon, 1, 2);
  caf::anon_send(process->actors().front,
                 start_request{"looker", user_message("Go on."), {}, id});
  while (!disk->find(id).value())
    process->settle(1);
  slow_listener who{*process};
  BOOST_REQUIRE(ask_front<bool>(
    *process, watch_events{{.run = id, .from_seq = 1}, who.actor()}));
  BOOST_REQUIRE_EQUAL(status(id), run_status::completed);
  const auto all = disk->find(id).value()->last_seq;
  BOOST_REQUIRE_GT(all, 2 * events_in_flight_max);
  BOOST_CHECK_EQUAL(who.take_all(), events_in_flight_max);
  while (process->settle(), who.take_all() != 0)
    ;
  BOOST_CHECK(who.missed.empty());
  BOOST_REQUIRE_EQUAL(who.events.size(), all);
  for (std::size_t i = 0; i < all; ++i)
    BOOST_REQUIRE_EQUAL(who.events[i].event.seq, i + 1);
}

// -- ends ---------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(it_ends_with_the_subscriber_and_then_costs_nothing) {
  boot({looker(2)});
  listener who{*process};
  const listener other{*process};
  auto& events = *process->actors().context->events;
  BOOST_CHECK(!events.is_open());
  BOOST_REQUIRE(watch(who));
  BOOST_REQUIRE(watch(other));
  who.end();
  process->settle();
  const auto id = start("looker");
  BOOST_CHECK(who.events().empty());
  BOOST_CHECK(same_lines(other.lines(), log_lines(*disk, id)));
  BOOST_CHECK(events.is_open());
  caf::anon_send_exit(other.actor(), caf::exit_reason::kill);
  process->settle();
  BOOST_CHECK(!events.is_open());
}

// -- crashes ------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(nothing_is_left_out_while_others_crash) {
  for (std::uint32_t seed = 1; seed <= 60; ++seed)
    BOOST_TEST_CONTEXT("seed " << seed) {
      disk = open_store("memory:").value();
      boot({plain_lead(), gated_scout(), looker(4)}, seed);
      const listener who{*process};
      BOOST_REQUIRE(watch(who));
      for (int i = 0; i < 4; ++i) {
        caf::anon_send(process->actors().front,
                       start_request{"looker", user_message("Go on."), {}});
        caf::anon_send(process->actors().front,
                       start_request{"lead", user_message("Go on."), {}});
      }
      for (int i = 0; i < 6; ++i) {
        process->settle(static_cast<int>(process->random() % 80));
        const auto& context = *process->actors().context;
        if (process->random() % 2 == 0)
          caf::anon_send_exit(context.journal.get(), caf::exit_reason::kill);
        else if (const auto directory = process->directory())
          caf::anon_send_exit(directory, caf::exit_reason::kill);
        process->advance(100ms);
      }
      process->advance(1min);
      BOOST_CHECK_EQUAL(disk->list({}).value().size(), 12u);
      check_complete(who);
      BOOST_CHECK(who.missed().empty());
    }
}

BOOST_AUTO_TEST_CASE(a_hub_that_crashes_is_replaced_and_says_so) {
  for (std::uint32_t seed = 1; seed <= 60; ++seed)
    BOOST_TEST_CONTEXT("seed " << seed) {
      disk = open_store("memory:").value();
      boot({looker(6)}, seed);
      const listener of_all{*process};
      const listener of_one{*process};
      BOOST_REQUIRE(watch(of_all));
      const auto id = run_id::make(noon, 1, seed);
      const auto front = process->actors().front;
      caf::anon_send(front,
                     start_request{"looker", user_message("Go on."), {}, id});
      while (!disk->find(id).value())
        process->settle(1);
      caf::anon_send(front,
                     watch_events{{.run = id, .from_seq = 1}, of_one.actor()});
      process->settle(static_cast<int>(process->random() % 40));
      caf::anon_send_exit(process->actors().context->events->hub(),
                          caf::exit_reason::kill);
      process->advance(1s);
      BOOST_CHECK_EQUAL(status(id), run_status::completed);
      // Who may have missed something of any run is told so.
      BOOST_REQUIRE(!of_all.missed().empty());
      BOOST_CHECK(!of_all.missed().front().run);
      BOOST_CHECK(same_lines(of_one.lines(), log_lines(*disk, id)));
      const auto next = start("looker");
      BOOST_CHECK(same_lines(of_all.lines(next), log_lines(*disk, next)));
    }
}

// -- other processes ----------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_single_run_is_heard_of_wherever_it_lives) {
  const temp_folder folder;
  const auto url = "sqlite:///" + (folder / "runs.db");
  struct world {
    std::shared_ptr<event_store> store;
    sim process;
    explicit world(const std::string& from)
      : store(open_store(from).value()),
        process(store, {plain_lead(), gated_scout()}, 1, noon,
                {.store_is_shared = true}) {}
  };
  world here{url};
  world there{url};
  const auto id =
    ask<run_receipt>(there.process,
                     start_request{"scout", user_message("Look."), {}})
      .value()
      .run;
  const listener of_run{here.process};
  const listener of_all{here.process};
  BOOST_REQUIRE(ask_front<bool>(
    here.process, watch_events{{.run = id, .from_seq = 1}, of_run.actor()}));
  BOOST_REQUIRE(
    ask_front<bool>(here.process, watch_events{{}, of_all.actor()}));
  BOOST_REQUIRE(ask<run_receipt>(there.process, run_command{id, yes}));
  here.process.advance(20ms);
  const auto log = log_lines(*here.store, id);
  BOOST_CHECK_EQUAL(log.back(), std::to_string(log.size()) + " run_completed");
  BOOST_CHECK(same_lines(of_run.lines(), log));
  BOOST_CHECK(of_all.events().empty()); // What lives here, as documented.
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
