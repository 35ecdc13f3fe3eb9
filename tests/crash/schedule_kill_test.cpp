/// Two processes start the ticks of one schedule from one SQLite file, and are
/// killed for real at random moments: between the start of a run and the note
/// of it, among others. Each tick has one run in the end.
/// KESTRION_SEED=n repeats after how many runs each is killed.

#include <kestrion/actors/schedule_book.hpp>
#include <kestrion/tests/support/child_process.hpp>
#include <kestrion/tests/support/temp_folder.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <random>
#include <set>
#include <stdexcept>
#include <string>

namespace kestrion::test {

namespace schedule_kill_test {

using namespace std::chrono_literals;
using clock = child_process::clock;

constexpr timestamp noon{std::chrono::hours{490'004}};
constexpr int ticks = 900;

std::uint64_t seed() {
  const char* given = std::getenv("KESTRION_SEED");
  const std::uint64_t n =
    given ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::cout << "schedule_kill_test: KESTRION_SEED=" << n << std::endl;
  return n;
}

using workers = std::array<std::unique_ptr<child_process>, 2>;

struct fixture {
  temp_folder folder;
  std::string url = "sqlite:///" + (folder.path() / "runs.db").string();
  std::mt19937_64 random{seed()};

  void give_work() {
    const auto store = open_store(url).value();
    schedule_request r;
    r.name = "past";
    r.agent = "clerk";
    r.input = user_message("Go on.");
    r.times = every(1min, noon);
    BOOST_REQUIRE(put_schedule(*store, r, system_now()));
    BOOST_REQUIRE(pause_schedule(*store, "past", "the test"));
    BOOST_REQUIRE(backfill_schedule(*store, "past", noon, noon + ticks * 1min,
                                    system_now()));
  }

  std::unique_ptr<child_process> worker() {
    return std::make_unique<child_process>(std::vector<std::string>{
      KESTRION_SCHEDULE_WORKER, folder.path().string()});
  }

  /// Until one of them gets to the end. @returns How many were killed.
  int fight() {
    int kills = 0;
    workers all{worker(), worker()};
    for (;;) {
      // Not by the clock: a fast machine would be done before it strikes.
      const auto line = "at " + std::to_string(1 + random() % 40);
      const auto leader = first_to_say(line, all);
      auto& victim = random() % 4 == 0 ? all.at(1 - leader) : all.at(leader);
      const auto has_ended = victim->has_ended(clock::now());
      victim->kill(); // Reads what is left, too.
      if (victim->has_said("done", clock::now()))
        return kills;
      BOOST_REQUIRE_MESSAGE(!has_ended,
                            "it ended by itself; it said:\n" + victim->text());
      BOOST_REQUIRE_LT(++kills, 1'000);
      victim = worker();
    }
  }

  /// Or the first to end.
  static std::size_t first_to_say(const std::string& line, const workers& all) {
    const auto hangs_at = clock::now() + 60s;
    while (clock::now() < hangs_at)
      for (std::size_t i = 0; i < all.size(); ++i)
        if (all.at(i)->has_said(line, clock::now() + 2ms)
            || all.at(i)->has_ended(clock::now()))
          return i;
    throw std::runtime_error("nobody says \"" + line + "\"");
  }
};

} // namespace schedule_kill_test

BOOST_FIXTURE_TEST_SUITE(schedule_kill_test, fixture)

BOOST_AUTO_TEST_CASE(each_tick_has_one_run_whoever_is_killed) {
  give_work();
  const auto kills = fight();
  const auto store = open_store(url).value();
  run_query all;
  all.limit = 10'000;
  const auto runs = store->list(all).value();
  std::set<std::string> keys;
  for (const auto& row : runs)
    keys.insert(row.key.value());
  BOOST_CHECK_EQUAL(runs.size(), std::size_t{ticks});
  for (int i = 0; i < ticks; ++i)
    BOOST_CHECK(keys.contains(tick_key("past", noon + i * 1min)));
  const auto state = find_schedule(*store, "past").value().state;
  BOOST_CHECK(state.last_tick == noon + (ticks - 1) * 1min);
  BOOST_CHECK(state.last_run
              == store->find_by_key("clerk", tick_key("past", *state.last_tick))
                   .value()
                   ->id);
  BOOST_CHECK_GT(kills, 3);
  std::cout << ticks << " ticks, " << kills << " kills\n";
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
