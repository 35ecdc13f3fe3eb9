#include "store_support.hpp"

#include <kestrion/store/owner_locks.hpp>
#include <kestrion/store/sqlite_store.hpp>

#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <latch>
#include <thread>

using namespace kestrion;
using namespace kestrion::test;
using namespace std::chrono_literals;

namespace lease_test {

/// Several owners of one file, in a time that belongs to the test.
struct fixture {
  temp_folder folder;
  std::string file = folder / "runs.db";
  duration now = 1'000s;
  std::unique_ptr<event_store> store = open(); ///< Owner 1.

  std::unique_ptr<event_store> open(duration lease = 10s) {
    return open_sqlite_store(file, {lease,
                                    [this] {
                                      return now;
                                    }})
      .value();
  }

  /// Runs 1 to `count` are the store's.
  void start_runs(std::uint64_t count) {
    for (std::uint64_t n = 1; n <= count; ++n)
      BOOST_REQUIRE(append(*store, first_append(run_number(n))));
  }

  void check_conflict(const result<std::uint64_t>& r,
                      const std::string& words) {
    BOOST_REQUIRE(r.has_error());
    BOOST_CHECK(r.error().code == errc::conflict);
    BOOST_CHECK_MESSAGE(r.error().detail.find(words) != std::string::npos,
                        r.error().detail << "; expected: " << words);
  }

  std::string owners() {
    return ask_sql(file, "SELECT group_concat(id) FROM owners");
  }
};

} // namespace lease_test

/// Owners that are slow, hang, or come back.
BOOST_FIXTURE_TEST_SUITE(lease_test, fixture)

BOOST_AUTO_TEST_CASE(runs_are_free_when_the_lease_is_over_and_not_before) {
  start_runs(3);
  auto other = open();
  now += 10s - 1us;
  BOOST_CHECK(!other->claim(run_number(1)).value());
  BOOST_CHECK(other->claim_unfinished(all_agents, {}, 10).value().empty());
  check_conflict(append(*other, next_append(run_number(1), 1)),
                 "owner 1, process " + std::to_string(::getpid())
                   + ", which renewed its lease 9.999 s ago; we are owner 2");
  now += 1us;
  BOOST_CHECK(other->claim(run_number(1)).value());
  BOOST_CHECK_EQUAL(append(*other, next_append(run_number(2), 1)).value(), 2u);
  BOOST_CHECK_EQUAL(other->claim_unfinished(all_agents, {}, 10).value().size(),
                    3u);
}

BOOST_AUTO_TEST_CASE(an_append_that_comes_too_late_is_fenced) {
  start_runs(2);
  auto other = open();
  now += 10s;
  BOOST_REQUIRE(other->claim(run_number(1)).value());
  now += 250ms;
  // What was taken is lost, and nothing of it written.
  check_conflict(append(*store, next_append(run_number(1), 1)),
                 "owner 2, process " + std::to_string(::getpid())
                   + ", which renewed its lease 0.250 s ago; we are owner 1");
  BOOST_CHECK_EQUAL(store->read(run_number(1), 0).value().size(), 1u);
  // What nobody took is still ours, and stays it.
  BOOST_CHECK_EQUAL(append(*store, next_append(run_number(2), 1)).value(), 2u);
  BOOST_CHECK(!other->claim(run_number(2)).value());
}

BOOST_AUTO_TEST_CASE(who_renews_in_time_keeps_its_runs) {
  start_runs(1);
  auto other = open();
  for (int i = 0; i < 5; ++i) {
    now += 9s;
    BOOST_REQUIRE(store->renew());
    now += 9s;
    BOOST_CHECK(!other->claim(run_number(1)).value());
    BOOST_REQUIRE(store->renew());
  }
}

BOOST_AUTO_TEST_CASE(a_lease_that_ran_out_is_good_again_once_it_is_renewed) {
  start_runs(1);
  auto other = open();
  now += 1h;
  BOOST_REQUIRE(store->renew());
  BOOST_CHECK(!other->claim(run_number(1)).value());
  BOOST_CHECK_EQUAL(append(*store, next_append(run_number(1), 1)).value(), 2u);
}

BOOST_AUTO_TEST_CASE(appends_and_claims_are_signs_of_life) {
  start_runs(2);
  auto other = open();
  now += 6s;
  BOOST_REQUIRE(append(*store, next_append(run_number(1), 1)));
  now += 6s;
  BOOST_CHECK(!other->claim(run_number(1)).value());
  BOOST_REQUIRE(store->claim(run_number(2)).value());
  now += 6s;
  BOOST_CHECK(!other->claim(run_number(1)).value());
  BOOST_REQUIRE_EQUAL(store->claim_unfinished(all_agents, {}, 9).value().size(),
                      2u);
  now += 6s;
  BOOST_CHECK(!other->claim(run_number(1)).value());
  // Nobody takes a run under a lease that has run out.
  now += 1h;
  BOOST_REQUIRE(other->claim(run_number(1)).value());
  BOOST_CHECK(!store->claim(run_number(1)).value());
}

BOOST_AUTO_TEST_CASE(the_others_go_by_the_lease_that_the_owner_promised) {
  auto patient = open(60s);
  BOOST_REQUIRE(append(*patient, first_append(run_number(1))));
  auto other = open(1s);
  now += 59s;
  BOOST_CHECK(!other->claim(run_number(1)).value());
  now += 1s;
  BOOST_CHECK(other->claim(run_number(1)).value());
}

BOOST_AUTO_TEST_CASE(a_forgotten_owner_comes_back_under_a_new_id) {
  start_runs(3);
  now += 10s;
  auto newcomer = open();
  BOOST_CHECK_EQUAL(owners(), "2");
  BOOST_REQUIRE(newcomer->claim(run_number(1)).value());

  BOOST_REQUIRE(store->renew());
  BOOST_CHECK_EQUAL(owners(), "2,3");
  // It has what nobody took, inbox and all.
  BOOST_CHECK(!newcomer->claim(run_number(2)).value());
  BOOST_CHECK_EQUAL(
    ask_sql(file, "SELECT group_concat(owner) FROM runs ORDER BY id"), "2,3,3");
  BOOST_REQUIRE(newcomer->post(run_number(2), "hello"));
  BOOST_CHECK_EQUAL(store->inbox().value().at(0).data, "hello");
  BOOST_CHECK_EQUAL(append(*store, next_append(run_number(2), 1)).value(), 2u);
  // And what somebody took, it has not.
  check_conflict(append(*store, next_append(run_number(1), 1)),
                 "we are owner 3");
  // Nobody hears of the old id again.
  auto locks = owner_locks::open(file + "-owners").value();
  BOOST_CHECK(!locks.is_taken(1).value());
  BOOST_CHECK(locks.is_taken(3).value());
}

BOOST_AUTO_TEST_CASE(
  a_forgotten_owner_that_just_goes_on_is_fenced_all_the_same) {
  start_runs(2);
  now += 10s;
  auto newcomer = open();
  BOOST_REQUIRE(newcomer->claim(run_number(1)).value());
  const std::vector<append_request> both{next_append(run_number(1), 1),
                                         next_append(run_number(2), 1)};
  const auto results = store->append(both);
  check_conflict(results.at(0), "we are owner 3");
  BOOST_CHECK_EQUAL(results.at(1).value(), 2u);
  BOOST_CHECK(!newcomer->claim(run_number(2)).value());
  BOOST_CHECK_EQUAL(ask_sql(file, "SELECT count(*) FROM runs WHERE owner = 1"),
                    "0");
}

BOOST_AUTO_TEST_CASE(a_come_back_that_fails_leaves_no_trace) {
  start_runs(2);
  now += 10s;
  auto newcomer = open();
  const auto nothing = store->claim(run_number(99));
  BOOST_CHECK(nothing.error().code == errc::not_found);
  BOOST_CHECK_EQUAL(owners(), "2");
  auto locks = owner_locks::open(file + "-owners").value();
  BOOST_CHECK(!locks.is_taken(3).value());
  // The next one succeeds, and still knows which runs were ours.
  BOOST_REQUIRE(store->claim(run_number(1)).value());
  BOOST_CHECK_EQUAL(owners(), "2,3");
  BOOST_CHECK(!newcomer->claim(run_number(1)).value());
  BOOST_CHECK(!newcomer->claim(run_number(2)).value());
}

BOOST_AUTO_TEST_CASE(a_run_that_was_taken_and_given_back_unchanged_is_free) {
  start_runs(3);
  auto other = open();
  now += 10s;
  for (std::uint64_t n = 1; n <= 3; ++n)
    BOOST_REQUIRE(other->claim(run_number(n)).value());
  BOOST_REQUIRE(append(*other, next_append(run_number(2), 1)));
  auto rests = next_append(run_number(3), 1);
  rests.status = run_status::waiting_on_human;
  BOOST_REQUIRE(append(*other, rests));
  other.reset();
  // The log is the one that was decided on.
  BOOST_CHECK_EQUAL(append(*store, next_append(run_number(1), 1)).value(), 2u);
  // It is not, whoever owns it now.
  check_conflict(append(*store, next_append(run_number(2), 1)),
                 "has 2 events; expected 1");
  check_conflict(append(*store, next_append(run_number(3), 1)),
                 "has 2 events; expected 1");
}

BOOST_AUTO_TEST_CASE(what_the_writer_knows_of_its_logs_is_never_stale) {
  // Given a run that was ours at its last append, and is no more.
  start_runs(1);
  auto other = open();
  now += 10s;
  BOOST_REQUIRE(append(*other, next_append(run_number(1), 1)));
  BOOST_REQUIRE(other->release(run_number(1)));
  check_conflict(append(*store, next_append(run_number(1), 1)),
                 "has 2 events; expected 1");
  // When it is ours again, it is so for the others too.
  BOOST_CHECK_EQUAL(append(*store, next_append(run_number(1), 2)).value(), 3u);
  BOOST_CHECK(!other->claim(run_number(1)).value());
  // Also if it was ourselves who let go of it.
  BOOST_REQUIRE(store->release(run_number(1)));
  BOOST_CHECK_EQUAL(append(*store, next_append(run_number(1), 3)).value(), 4u);
  BOOST_CHECK(!other->claim(run_number(1)).value());
}

BOOST_AUTO_TEST_CASE(of_all_who_want_a_hung_owners_run_one_gets_it) {
  constexpr std::size_t takers = 4;
  constexpr std::uint64_t count = 40;
  start_runs(count);
  std::vector<std::unique_ptr<event_store>> stores;
  for (std::size_t i = 0; i < takers; ++i)
    stores.push_back(open());
  now += 10s;
  stores.push_back(std::move(store)); // The late one competes.
  std::latch start{takers + 1};
  std::vector<std::vector<std::uint64_t>> won(takers + 1);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i <= takers; ++i)
    threads.emplace_back([&, i] {
      start.arrive_and_wait();
      for (std::uint64_t n = 1; n <= count; ++n) {
        const auto run = run_number(n);
        if (n % 2 == 0 && i < takers
              ? stores[i]->claim(run).value()
              : append(*stores[i], next_append(run, 1)).has_value())
          won[i].push_back(n);
      }
    });
  for (auto& thread : threads)
    thread.join();
  std::vector<int> winners(count + 1);
  for (const auto& each : won)
    for (const auto n : each)
      ++winners[n];
  for (std::uint64_t n = 1; n <= count; ++n)
    BOOST_CHECK_MESSAGE(winners[n] == 1,
                        "run " << n << " was won " << winners[n] << " times");
}

BOOST_AUTO_TEST_CASE(an_owner_that_knows_no_leases_lives_by_its_lock) {
  // Given a program of version 2 that had the store open when it was migrated.
  start_runs(1);
  run_sql(file, "UPDATE owners SET renewed_at = NULL, lease = NULL");
  now += 1h;
  auto other = open();
  BOOST_CHECK(!other->claim(run_number(1)).value());
  check_conflict(append(*other, next_append(run_number(1), 1)),
                 "a program without leases");
  store.reset();
  BOOST_CHECK(other->claim(run_number(1)).value());
}

BOOST_AUTO_TEST_CASE(a_lease_of_another_boot_is_as_good_as_its_lock) {
  start_runs(1);
  now = 5s; // The machine was started anew: the clock began at 0.
  auto other = open();
  BOOST_CHECK(!other->claim(run_number(1)).value());
  store.reset();
  BOOST_CHECK(other->claim(run_number(1)).value());
}

BOOST_AUTO_TEST_CASE(a_time_that_none_is_does_no_harm) {
  start_runs(1);
  auto other = open();
  for (const auto* time : {"-9223372036854775808", "9223372036854775807"}) {
    run_sql(file, std::string{"UPDATE owners SET renewed_at = "} + time);
    BOOST_CHECK(store->renew());
    BOOST_CHECK(!other->claim(run_number(1)).value());
  }
}

BOOST_AUTO_TEST_CASE(a_lease_is_longer_than_nothing) {
  for (const auto lease : {duration{0}, duration{-1}}) {
    const auto refused = open_store("sqlite:///" + file, lease);
    BOOST_REQUIRE(refused.has_error());
    BOOST_CHECK(refused.error().code == errc::invalid_argument);
    BOOST_CHECK_NE(refused.error().detail.find(std::to_string(lease.count())
                                               + " microseconds"),
                   std::string::npos);
  }
  auto endless = open_store("sqlite:///" + file, duration::max()).value();
  BOOST_CHECK(endless->renew().has_value());
}

BOOST_AUTO_TEST_SUITE_END()
