#include "store_support.hpp"

#include <kestrion/messages/digest.hpp>

#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <atomic>
#include <thread>

using namespace kestrion;
using namespace kestrion::test;
using makers = boost::mpl::list<memory_store_maker, sqlite_store_maker>;

namespace query_contract_test {

/// Ten runs: even ones are of "ops", odd ones of "billing"; the status of run
/// n is status n % 4; 3, 6 and 9 are children of 1; created at n * 100.
void fill(event_store& store) {
  for (std::uint64_t n = 0; n < 10; ++n) {
    auto request = first_append(run_number(n + 1));
    request.events[0].at = at(static_cast<std::int64_t>(n) * 100);
    request.status = static_cast<run_status>(n % 4);
    request.created->agent = n % 2 == 0 ? "ops" : "billing";
    if (n != 0 && n % 3 == 0)
      request.created->parent = run_number(2);
    BOOST_REQUIRE(append(store, request));
  }
}

/// The n of the runs that the query finds.
std::vector<std::uint64_t> found(const event_store& store,
                                 const run_query& query) {
  std::vector<std::uint64_t> out;
  for (const auto& row : store.list(query).value())
    for (std::uint64_t n = 0; n < 10; ++n)
      if (row.id == run_number(n + 1))
        out.push_back(n);
  return out;
}

using numbers = std::vector<std::uint64_t>;

} // namespace query_contract_test

/// What every store does when it is asked.
BOOST_AUTO_TEST_SUITE(query_contract_test)

BOOST_AUTO_TEST_CASE_TEMPLATE(lists_are_in_order_and_filtered, Maker, makers) {
  Maker given;
  fill(*given.store);
  BOOST_TEST(found(*given.store, {}) == (numbers{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}),
             boost::test_tools::per_element());

  run_query by_status;
  by_status.statuses = {run_status::waiting_on_human};
  BOOST_TEST(found(*given.store, by_status) == (numbers{2, 6}),
             boost::test_tools::per_element());
  by_status.statuses.push_back(run_status::pending);
  BOOST_TEST(found(*given.store, by_status) == (numbers{0, 2, 4, 6, 8}),
             boost::test_tools::per_element());

  run_query by_agent;
  by_agent.agent = "billing";
  BOOST_TEST(found(*given.store, by_agent) == (numbers{1, 3, 5, 7, 9}),
             boost::test_tools::per_element());

  run_query by_parent;
  by_parent.parent = run_number(2);
  BOOST_TEST(found(*given.store, by_parent) == (numbers{3, 6, 9}),
             boost::test_tools::per_element());

  run_query by_time;
  by_time.created_from = at(200);
  by_time.created_until = at(500);
  BOOST_TEST(found(*given.store, by_time) == (numbers{2, 3, 4}),
             boost::test_tools::per_element());

  run_query by_all = by_time;
  by_all.agent = "billing";
  by_all.parent = run_number(2);
  by_all.statuses = {run_status::completed};
  BOOST_TEST(found(*given.store, by_all) == numbers{3},
             boost::test_tools::per_element());
  by_all.agent = "nobody";
  BOOST_CHECK(found(*given.store, by_all).empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(statuses_and_parents_combine, Maker, makers) {
  Maker given;
  fill(*given.store);
  run_query children;
  children.has_parent = true;
  BOOST_TEST(found(*given.store, children) == (numbers{3, 6, 9}),
             boost::test_tools::per_element());
  children.statuses = {run_status::waiting_on_human, run_status::running,
                       run_status::waiting_on_human}; // Named twice: no more.
  BOOST_TEST(found(*given.store, children) == (numbers{6, 9}),
             boost::test_tools::per_element());
  children.after = run_number(7);
  BOOST_TEST(found(*given.store, children) == numbers{9},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(who_wants_to_wake_is_found_in_time, Maker,
                              makers) {
  Maker given;
  auto& store = *given.store;
  const auto due = [&](std::int64_t now,
                       const std::optional<run_row>& after = {},
                       std::size_t limit = 10) {
    std::vector<run_id> out;
    for (const auto& row : store.due(at(now), after, limit).value())
      out.push_back(row.id);
    return out;
  };
  BOOST_CHECK(due(1'000).empty());
  BOOST_CHECK(!store.next_wake(at(0)).value());
  const std::array<std::int64_t, 4> wakes{300, 100, 200, 100};
  for (std::uint64_t n = 0; n < wakes.size(); ++n) {
    auto request = first_append(run_number(n + 1));
    request.wake_at = at(wakes[n]);
    BOOST_REQUIRE(append(store, request));
  }
  using ids = std::vector<run_id>;
  BOOST_CHECK(due(99).empty());
  BOOST_CHECK(due(100) == (ids{run_number(2), run_number(4)}));
  BOOST_CHECK(
    due(999)
    == (ids{run_number(2), run_number(4), run_number(3), run_number(1)}));
  BOOST_CHECK(due(999, {}, 1) == ids{run_number(2)});
  const auto first = store.find(run_number(2)).value().value();
  BOOST_CHECK(first.wake_at == at(100));
  BOOST_CHECK(due(999, first, 2) == (ids{run_number(4), run_number(3)}));
  BOOST_CHECK(store.next_wake(at(99)).value() == at(100));
  BOOST_CHECK(store.next_wake(at(100)).value() == at(200));
  BOOST_CHECK(!store.next_wake(at(300)).value());

  // Each append says it anew; without, there is none any more.
  auto later = next_append(run_number(2), 1);
  later.wake_at = at(400);
  BOOST_REQUIRE(append(store, later));
  BOOST_REQUIRE(append(store, next_append(run_number(4), 1)));
  BOOST_CHECK(due(100).empty());
  BOOST_CHECK(due(999) == (ids{run_number(3), run_number(1), run_number(2)}));
  BOOST_CHECK(!store.find(run_number(4)).value()->wake_at);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(pages_join_to_the_whole_list, Maker, makers) {
  Maker given;
  fill(*given.store);
  run_query page;
  page.limit = 4;
  numbers all;
  while (true) {
    const auto rows = given.store->list(page).value();
    if (rows.empty())
      break;
    BOOST_REQUIRE_LE(rows.size(), 4u);
    page.after = rows.back().id;
    all.push_back(rows.size());
  }
  BOOST_TEST(all == (numbers{4, 4, 2}), boost::test_tools::per_element());
  page = {};
  page.limit = 0;
  BOOST_CHECK(given.store->list(page).value().empty());
  page.limit = ~std::size_t{0};
  BOOST_CHECK_EQUAL(given.store->list(page).value().size(), 10u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_run_has_one_snapshot, Maker, makers) {
  Maker given;
  const std::string bytes{"\0{}\xff", 4};
  BOOST_CHECK(!given.store->find_snapshot(run_number(1)).value());
  BOOST_REQUIRE(given.store->put_snapshot(run_number(1), {3, 1, "old"}));
  BOOST_REQUIRE(given.store->put_snapshot(run_number(1), {7, 2, bytes}));
  BOOST_REQUIRE(given.store->put_snapshot(run_number(2), {1, 1, ""}));

  const auto snapshot = given.store->find_snapshot(run_number(1)).value();
  BOOST_REQUIRE(snapshot.has_value());
  BOOST_CHECK_EQUAL(snapshot->seq, 7u);
  BOOST_CHECK_EQUAL(snapshot->version, 2u);
  BOOST_CHECK(snapshot->data == bytes);
  BOOST_CHECK_EQUAL(given.store->find_snapshot(run_number(2)).value()->data,
                    "");

  // When one comes late, of the same fold or of another.
  BOOST_REQUIRE(given.store->put_snapshot(run_number(1), {6, 2, "late"}));
  BOOST_CHECK_EQUAL(given.store->find_snapshot(run_number(1)).value()->seq, 7u);
  BOOST_REQUIRE(given.store->put_snapshot(run_number(1), {6, 1, "other"}));
  BOOST_CHECK_EQUAL(given.store->find_snapshot(run_number(1)).value()->data,
                    "other");

  BOOST_REQUIRE(given.store->delete_snapshots());
  BOOST_CHECK(!given.store->find_snapshot(run_number(1)).value());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(blobs_are_found_by_their_hash, Maker, makers) {
  Maker given;
  const std::string bytes{"\0\x01\xff", 3};
  const auto hash = given.store->put_blob(bytes).value();
  BOOST_CHECK_EQUAL(hash, sha256_hex(bytes));
  BOOST_CHECK_EQUAL(given.store->put_blob(bytes).value(), hash);
  BOOST_CHECK(given.store->get_blob(hash).value() == bytes);
  const auto empty = given.store->put_blob("").value();
  BOOST_CHECK_EQUAL(given.store->get_blob(empty).value(), "");
  BOOST_CHECK(given.store->get_blob("00ff").error().code == errc::not_found);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(readers_beside_the_writer_see_whole_appends,
                              Maker, makers) {
  Maker given;
  constexpr std::uint64_t length = 600;
  BOOST_REQUIRE(append(*given.store, first_append(run_number(1))));
  std::atomic<std::uint64_t> acknowledged{1};
  std::atomic<int> wrong{0};
  const auto follow = [&] {
    while (acknowledged < length) {
      const auto known = acknowledged.load();
      const auto events = given.store->read(run_number(1), 0);
      const auto row = given.store->find(run_number(1));
      // What was acknowledged is seen at once; never half of an append.
      if (!events || events->size() < known || events->size() % 2 != 1 || !row
          || (*row)->last_seq < events->size())
        ++wrong;
    }
  };
  std::vector<std::thread> readers;
  readers.reserve(3);
  for (int i = 0; i < 3; ++i)
    readers.emplace_back(follow);
  bool appended = true;
  for (std::uint64_t seq = 1; seq < length; seq += 2) {
    auto request = next_append(run_number(1), seq);
    request.events.push_back(event_of("{}"));
    appended = append(*given.store, request).has_value() && appended;
    acknowledged = seq + 2;
  }
  for (auto& reader : readers)
    reader.join();
  BOOST_CHECK(appended);
  BOOST_CHECK_EQUAL(wrong.load(), 0);
}

BOOST_AUTO_TEST_SUITE_END()
