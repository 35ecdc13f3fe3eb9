/// Schedules whose runs take longer than it is to the next tick.

#include <kestrion/actors/schedule_book.hpp>
#include <kestrion/store/faulty_store.hpp>
#include <kestrion/tests/support/family.hpp>

#include <caf/send.hpp>

namespace kestrion::test {

namespace schedule_overlap_test {

using namespace std::chrono_literals;

constexpr timestamp noon{std::chrono::hours{500'004}};

/// Sleeps for two and a half hours first.
agent napper() {
  agent a{"napper"};
  a.model(
     model_by_turn({calls({{"sleep", R"({"seconds":9000})"}}), says("done")}))
    .can_sleep();
  return a;
}

schedule_request hourly(overlap_policy overlap) {
  schedule_request out;
  out.name = "hourly";
  out.agent = "napper";
  out.input = user_message("Go on.");
  out.times = every(1h, noon);
  out.missed = missed_ticks::all;
  out.overlap = overlap;
  return out;
}

struct fixture {
  std::shared_ptr<event_store> disk = open_store("memory:").value();
  std::shared_ptr<faulty_store> store;
  std::optional<sim> process;

  void boot(timestamp at, std::uint32_t seed = 1) {
    process.reset();
    store = std::make_shared<faulty_store>(disk);
    process.emplace(store, std::vector{napper()}, seed, at, engine_options{});
    process->settle();
  }

  void put(overlap_policy overlap) {
    BOOST_REQUIRE(put_schedule(*disk, hourly(overlap), noon));
    boot(noon);
  }

  /// At which hours runs were started.
  std::string started() {
    std::string out;
    for (const auto& row : disk->list({}).value())
      out += " "
             + std::to_string(std::chrono::duration_cast<std::chrono::hours>(
                                row.created_at - noon)
                                .count());
    return out;
  }

  schedule_state state() {
    return find_schedule(*disk, "hourly").value().state;
  }
};

} // namespace schedule_overlap_test

BOOST_FIXTURE_TEST_SUITE(schedule_overlap_test, schedule_overlap_test::fixture)

BOOST_AUTO_TEST_CASE(without_a_wish_runs_are_beside_each_other) {
  put(overlap_policy::allow);
  process->advance(4h);
  BOOST_CHECK_EQUAL(started(), " 1 2 3 4");
}

BOOST_AUTO_TEST_CASE(a_tick_is_skipped_while_the_last_run_goes_on) {
  put(overlap_policy::skip);
  process->advance(3h + 10min);
  BOOST_CHECK_EQUAL(started(), " 1");
  BOOST_CHECK(state().settled == noon + 3h);
  BOOST_CHECK(
    state().problem.value().ends_with(" of the tick before is still sleeping"));
  process->advance(5h);
  BOOST_CHECK_EQUAL(started(), " 1 4 7");
  process->advance(2h);
  BOOST_CHECK_EQUAL(started(), " 1 4 7 10");
  BOOST_CHECK(!state().problem);
}

BOOST_AUTO_TEST_CASE(of_ticks_that_were_missed_the_first_one_starts) {
  put(overlap_policy::skip);
  store->kill();
  boot(noon + 500h + 1min, 2);
  BOOST_CHECK_EQUAL(started(), " 500");
  BOOST_CHECK(state().settled == noon + 500h);
  BOOST_CHECK(state().last_tick == noon + 1h);
}

BOOST_AUTO_TEST_CASE(a_process_that_dies_changes_nothing_about_it) {
  put(overlap_policy::skip);
  for (std::uint32_t i = 0; i < 20; ++i) {
    process->advance(30min);
    const auto now = process->now();
    store->kill();
    boot(now, 10 + i);
  }
  BOOST_CHECK_EQUAL(started(), " 1 4 7 10");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
