/// Schedules over years of virtual time, in processes that die anywhere, under
/// clocks that are set forward and back: each tick starts one run, none early.

#include <kestrion/actors/schedule_actor.hpp>
#include <kestrion/actors/schedule_book.hpp>
#include <kestrion/store/faulty_store.hpp>
#include <kestrion/tests/support/family.hpp>
#include <kestrion/tests/support/shared_disk.hpp>

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <array>
#include <iostream>
#include <map>
#include <set>

namespace kestrion::test {

namespace schedules_test {

using namespace std::chrono_literals;
using std::chrono::days;

constexpr timestamp new_year =
  std::chrono::sys_days{std::chrono::year{2026} / 1 / 1};

agent clerk(const std::string& name = "clerk") {
  agent a{name};
  a.model(function_model([](const model_request&) { return says("done"); }));
  return a;
}

schedule_request for_clerk(const std::string& name, schedule_times times,
                           missed_ticks missed = missed_ticks::latest) {
  schedule_request out;
  out.name = name;
  out.agent = "clerk";
  out.input = user_message("Go on.");
  out.times = std::move(times);
  out.missed = missed;
  return out;
}

/// What the store says was started: times of starts, by key.
std::map<std::string, timestamp> started(const event_store& disk) {
  std::map<std::string, timestamp> out;
  run_query all;
  all.limit = 1'000'000;
  for (const auto& row : disk.list(all).value())
    BOOST_CHECK_MESSAGE(out.emplace(row.key.value(), row.created_at).second,
                        *row.key << " has two runs");
  return out;
}

schedule_state state_of(event_store& disk, const std::string& name) {
  return find_schedule(disk, name).value().state;
}

void look(sim& process) {
  if (const auto actor =
        strong<schedule_actor>(process.actors().context->schedules))
    caf::anon_send(actor, look_at_schedules{});
  process.settle();
}

struct fixture {
  std::shared_ptr<event_store> disk = open_store("memory:").value();
  std::shared_ptr<faulty_store> store;
  std::optional<sim> process;

  void boot(timestamp at, std::uint32_t seed = 1, duration clock_check = 30s) {
    process.reset();
    store = std::make_shared<faulty_store>(disk);
    engine_options options;
    options.clock_check = clock_check;
    options.supervision.intensity = 1'000;
    process.emplace(store, std::vector{clerk()}, seed, at, options);
    process->settle();
  }

  void put(schedule_request r) {
    const auto done = put_schedule(*disk, std::move(r), process->now());
    BOOST_REQUIRE(done);
    look(*process);
  }

  std::size_t count() { return started(*disk).size(); }
};

// -- a life of accidents ------------------------------------------------------

/// What has to have been started, and what may have been.
struct expectation {
  schedule_request request;
  tick_series ticks;
  timestamp seen; ///< The latest that the clock ever showed.
  std::set<timestamp> required;
  std::set<timestamp> forbidden;

  /// Somebody was there all the time.
  void pass(timestamp to) {
    for (auto t = ticks.next(seen); t && *t <= to; t = ticks.next(*t))
      required.insert(*t);
    seen = std::max(seen, to);
  }

  /// Somebody was there, but may not have noticed yet that the clock jumped.
  void pass_unaware(timestamp to) {
    const auto before = required;
    const auto begin = seen;
    pass(to);
    if (request.missed == missed_ticks::all)
      return;
    const auto last = ticks.last(begin, to, 1);
    required = before;
    if (request.missed == missed_ticks::latest)
      required.insert(last.begin(), last.end());
  }

  /// Nobody was there, or the clock jumped.
  /// @param noticed_by  When somebody has looked for sure.
  void jump(timestamp to, duration noticed_by = {}) {
    std::vector<timestamp> missed;
    for (auto t = ticks.next(seen); t && *t <= to; t = ticks.next(*t))
      missed.push_back(*t);
    seen = std::max(seen, to);
    if (missed.empty())
      return;
    const auto next = ticks.next(to);
    const bool is_clear = !next || *next > to + noticed_by;
    if (request.missed == missed_ticks::all)
      required.insert(missed.begin(), missed.end());
    else if (request.missed == missed_ticks::latest) {
      if (is_clear)
        required.insert(missed.back());
      forbidden.insert(missed.begin(), missed.end() - 1);
    } else {
      for (const auto t : missed)
        if (t < to - request.grace)
          forbidden.insert(t);
        else if (t >= to + noticed_by - request.grace)
          required.insert(t);
    }
  }
};

/// One store through many lives of a process.
class storm {
public:
  storm(std::uint32_t seed, duration clock_check)
    : random_(seed), seed_(seed), check_(clock_check) {
    world_.boot(new_year, seed, check_);
    add(
      for_clerk("all", cron("30 2 * * *", "Europe/Berlin"), missed_ticks::all));
    add(for_clerk("latest", cron("15 */6 * * *", "America/New_York")));
    add(for_clerk("skip", every(5h, new_year), missed_ticks::skip));
  }

  void step() {
    ++steps_;
    switch (random_() % 8) {
      case 0: return die_at_a_tick(0s);
      case 1: return die_at_a_tick(std::chrono::minutes{random_() % 10'000});
      case 2: return set_clock(std::chrono::minutes{random_() % 5'000});
      case 3: return set_clock(-std::chrono::minutes{random_() % 5'000});
      case 4: return kill_an_actor();
      default: return pass(std::chrono::minutes{random_() % 10'000});
    }
  }

  void check() {
    // To where nobody was before.
    const auto ahead = expected_.front().seen - now();
    pass(std::max(ahead, duration{}) + 24h);
    const auto there = started(*world_.disk);
    std::set<std::string> known;
    for (const auto& x : expected_) {
      for (auto t = x.ticks.next(new_year); t && *t <= now();
           t = x.ticks.next(*t))
        known.insert(tick_key(x.request.name, *t));
      for (const auto t : x.required)
        BOOST_CHECK_MESSAGE(there.contains(tick_key(x.request.name, t)),
                            tick_key(x.request.name, t) << " is missing");
      for (const auto t : x.forbidden)
        BOOST_CHECK_MESSAGE(!there.contains(tick_key(x.request.name, t)),
                            tick_key(x.request.name, t) << " was skipped");
      for (auto t = x.ticks.next(new_year); t && *t <= now();
           t = x.ticks.next(*t))
        if (const auto run = there.find(tick_key(x.request.name, *t));
            run != there.end())
          BOOST_CHECK_MESSAGE(run->second >= *t, run->first << " was early");
    }
    for (const auto& [key, at] : there)
      BOOST_CHECK_MESSAGE(known.contains(key), key << " is no tick");
    ticks_ += there.size();
  }

  timestamp now() { return world_.process->now(); }
  std::size_t ticks() const { return ticks_; }
  int deaths() const { return deaths_; }

private:
  void add(schedule_request r) {
    expected_.push_back(
      {r, tick_series::make(r.times).value(), new_year, {}, {}});
    world_.put(std::move(r));
  }

  void pass(duration d) {
    world_.process->advance(d);
    for (auto& x : expected_)
      x.pass(now());
  }

  void boot(timestamp at) {
    world_.boot(at, seed_ + static_cast<std::uint32_t>(++deaths_), check_);
  }

  timestamp next_tick() {
    auto out = timestamp::max();
    for (const auto& x : expected_)
      if (const auto t = x.ticks.next(std::max(x.seen, now())))
        out = std::min(out, *t);
    return out;
  }

  /// After some turns of the actors that start its run, and note it.
  void die_at_a_tick(duration down) {
    const auto tick = next_tick();
    pass(tick - now() - 1us);
    world_.process->stall(1us);
    world_.process->settle(static_cast<int>(random_() % 60));
    world_.store->kill();
    boot(tick + down);
    for (auto& x : expected_)
      if (down == 0s)
        x.pass(tick);
      else if (const auto at_tick = x.ticks.next(x.seen);
               at_tick == tick && x.request.missed != missed_ticks::all) {
        x.seen = tick; // Started or not: it was, if there was time enough.
        x.jump(tick + down);
      } else {
        x.jump(tick + down);
      }
  }

  void set_clock(duration by) {
    const auto to = std::max(now() + by, new_year + days{1});
    const bool is_forward = to > now();
    world_.process->set_clock(to);
    world_.process->advance(check_);
    for (auto& x : expected_) {
      if (to > x.seen)
        x.jump(to, check_);
      if (is_forward)
        x.pass_unaware(now());
      else
        x.pass(now());
    }
  }

  /// While a tick is being started.
  void kill_an_actor() {
    const auto tick = next_tick();
    pass(tick - now() - 1us);
    auto& process = *world_.process;
    process.stall(1us);
    process.settle(static_cast<int>(random_() % 40));
    const auto& context = *process.actors().context;
    const auto kill = [](const auto& actor) {
      if (actor)
        caf::anon_send_exit(actor, caf::exit_reason::kill);
    };
    switch (random_() % 3) {
      case 0: kill(strong<schedule_actor>(context.schedules)); break;
      case 1: kill(process.directory()); break;
      default: kill(context.journal.get());
    }
    pass(10s);
  }

  std::mt19937 random_;
  std::uint32_t seed_;
  duration check_;
  fixture world_;
  std::vector<expectation> expected_;
  int steps_ = 0;
  int deaths_ = 0;
  std::size_t ticks_ = 0;
};

} // namespace schedules_test

BOOST_FIXTURE_TEST_SUITE(schedules_test, fixture)

BOOST_AUTO_TEST_CASE(ten_years_pass_and_each_tick_is_started_at_its_time) {
  boot(new_year, 1, 24h);
  const std::vector schedules{
    for_clerk("nights", cron("30 2 * * SUN", "Europe/Berlin")),
    for_clerk("months", cron("@monthly", "America/New_York")),
    for_clerk("island", cron("45 1 * * SUN", "Australia/Lord_Howe")),
    for_clerk("weeks", every(days{7}, new_year + 1h)),
    for_clerk("once", at(new_year + days{2'000}))};
  for (const auto& each : schedules)
    put(each);
  process->advance(days{3'652});
  auto there = started(*disk);
  const auto runs = there.size();
  for (const auto& each : schedules) {
    const auto ticks = tick_series::make(each.times).value();
    for (auto t = ticks.next(new_year); t && *t <= process->now();
         t = ticks.next(*t)) {
      const auto run = there.extract(tick_key(each.name, *t));
      BOOST_REQUIRE_MESSAGE(run, tick_key(each.name, *t) << " is missing");
      BOOST_CHECK_EQUAL(to_string(run.mapped()), to_string(*t));
    }
  }
  BOOST_CHECK(there.empty());
  BOOST_CHECK_GT(runs, 1'600u);
  std::cout << runs << " runs started in ten years\n";
}

BOOST_AUTO_TEST_CASE(processes_die_anywhere_and_clocks_are_set) {
  const auto seed = std::random_device{}();
  std::cout << "schedules_test seed: " << seed << '\n';
  std::size_t ticks = 0;
  int deaths = 0;
  for (std::uint32_t i = 0; i < 6; ++i) {
    BOOST_TEST_CONTEXT("seed " << seed << " + " << i) {
      storm s{seed + i, i % 2 == 0 ? duration{30min} : duration{6h}};
      for (int step = 0; step < 60; ++step)
        s.step();
      s.check();
      ticks += s.ticks();
      deaths += s.deaths();
    }
  }
  std::cout << ticks << " ticks started, " << deaths << " processes died\n";
}

BOOST_AUTO_TEST_CASE(a_clock_that_is_set_forward_is_noticed_at_the_next_check) {
  boot(noon);
  put(for_clerk("daily", cron("0 3 * * *")));
  process->set_clock(noon + 16h);
  process->advance(30s);
  BOOST_CHECK_EQUAL(count(), 1u);
}

BOOST_AUTO_TEST_CASE(who_has_no_schedules_never_wakes_up) {
  boot(noon);
  int turns = 0;
  process->on_turn([&] { ++turns; });
  process->advance(days{365});
  const auto idle = turns;
  put(for_clerk("daily", cron("0 3 * * *")));
  BOOST_REQUIRE(remove_schedule(*disk, "daily"));
  look(*process);
  turns = 0;
  process->advance(days{365});
  BOOST_CHECK_LE(turns, idle + 5);
}

BOOST_AUTO_TEST_CASE(two_processes_and_one_dies_between_start_and_note) {
  std::set<std::size_t> noted_by_the_dead;
  for (int turns = 0; turns < 120; ++turns) {
    BOOST_TEST_CONTEXT("dies after " << turns << " turns") {
      auto at = noon;
      auto shared =
        std::make_shared<shared_disk>(lease_default, [&] { return at - noon; });
      const auto all = shared->open();
      engine_options options;
      options.store_is_shared = true;
      BOOST_REQUIRE(
        put_schedule(*all, for_clerk("hourly", every(1h, noon)), noon));
      auto dies = std::make_shared<faulty_store>(shared->open());
      std::optional<sim> first;
      first.emplace(dies, std::vector{clerk()}, 1, noon, options);
      sim second{shared->open(), {clerk()}, 2, noon, options};
      sim stranger{shared->open(), {clerk("another")}, 3, noon, options};
      for (auto* each : {&*first, &second, &stranger}) {
        each->settle(200);
        each->stall(1h);
      }
      at = noon + 1h;
      first->settle(turns);
      stranger.settle(200);
      const auto by_first = state_of(*all, "hourly").last_tick.has_value();
      noted_by_the_dead.insert(by_first);
      dies->kill();
      first.reset();
      second.advance(1min);
      at += 1min;
      const auto runs = started(*all);
      BOOST_REQUIRE_EQUAL(runs.size(), 1u);
      BOOST_CHECK_EQUAL(runs.begin()->first, tick_key("hourly", noon + 1h));
      const auto state = state_of(*all, "hourly");
      BOOST_CHECK(state.settled == noon + 1h);
      run_query any;
      BOOST_CHECK(state.last_run == all->list(any).value().at(0).id);
    }
  }
  BOOST_CHECK_EQUAL(noted_by_the_dead.size(), 2u); // It died before and after.
}

BOOST_AUTO_TEST_CASE(paused_it_starts_nothing_and_misses_nothing) {
  boot(noon);
  put(for_clerk("hourly", every(1h, noon), missed_ticks::all));
  process->advance(1h);
  BOOST_REQUIRE(pause_schedule(*disk, "hourly", "ana"));
  process->advance(5h);
  BOOST_CHECK_EQUAL(count(), 1u);
  BOOST_REQUIRE(resume_schedule(*disk, "hourly", process->now()));
  look(*process);
  BOOST_CHECK_EQUAL(count(), 1u);
  process->advance(1h);
  BOOST_CHECK_EQUAL(count(), 2u);
}

BOOST_AUTO_TEST_CASE(a_backfill_starts_what_has_no_run_yet) {
  boot(noon);
  put(for_clerk("hourly", every(1h, noon - 300h)));
  process->advance(2h);
  BOOST_CHECK_EQUAL(count(), 2u);
  BOOST_REQUIRE(backfill_schedule(*disk, "hourly", noon - 200h, process->now(),
                                  process->now()));
  // It dies again and again in between.
  for (int i = 0; i < 5; ++i) {
    look(*process);
    const auto now = process->now();
    store->kill();
    boot(now, 10 + static_cast<std::uint32_t>(i));
  }
  process->settle();
  BOOST_CHECK_EQUAL(count(), 203u); // Noon, and 200 before it; those two.
  BOOST_CHECK(state_of(*disk, "hourly").backfills.empty());
  BOOST_CHECK(state_of(*disk, "hourly").last_tick == noon + 2h);
}

BOOST_AUTO_TEST_CASE(what_can_never_start_says_why_and_hinders_nobody) {
  boot(noon);
  auto silent = for_clerk("silent", every(1h, noon));
  silent.input = {};
  put(silent);
  put(for_clerk("hourly", every(1h, noon)));
  process->advance(2h);
  BOOST_CHECK_EQUAL(count(), 2u);
  const auto state = state_of(*disk, "silent");
  BOOST_CHECK(state.settled == noon + 2h);
  BOOST_CHECK(state.problem.value().find("is empty") != std::string::npos);
  BOOST_CHECK(!state.last_run);
}

BOOST_AUTO_TEST_CASE(a_disk_that_fails_for_a_while_delays_a_tick) {
  boot(noon);
  put(for_clerk("hourly", every(1h, noon)));
  store->fail_append(1, faulty_store::moment::before);
  store->fail_append(2, faulty_store::moment::after);
  process->advance(1h);
  process->advance(10s);
  BOOST_CHECK_EQUAL(count(), 1u);
  BOOST_CHECK(state_of(*disk, "hourly").settled == noon + 1h);
}

BOOST_AUTO_TEST_CASE(a_store_whose_schedules_are_corrupt_still_serves_runs) {
  BOOST_REQUIRE(disk->update_shared(
    "schedules", [](const auto&) { return std::string{"{\"version\":1}"}; }));
  boot(noon);
  process->advance(10min);
  BOOST_CHECK(ask<run_receipt>(
    *process, start_request{"clerk", user_message("Go."), {}}));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
