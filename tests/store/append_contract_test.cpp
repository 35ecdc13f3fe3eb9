#include "store_support.hpp"

#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>

using namespace kestrion;
using namespace kestrion::test;
using makers = boost::mpl::list<memory_store_maker, sqlite_store_maker>;

/// What every store does when it is written to.
BOOST_AUTO_TEST_SUITE(append_contract_test)

BOOST_AUTO_TEST_CASE_TEMPLATE(what_was_appended_is_read_back, Maker, makers) {
  Maker given;
  auto request = first_append(run_number(1), "{\"text\":\"Grüße, 世界\"}");
  request.events.push_back({at(-5), "run_completed", std::string{"a\0b", 3}});
  request.events.push_back(event_of(""));
  BOOST_CHECK_EQUAL(append(*given.store, request).value(), 3u);

  const auto events = given.store->read(run_number(1), 0).value();
  BOOST_REQUIRE_EQUAL(events.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    BOOST_CHECK_EQUAL(events[i].seq, i + 1);
    BOOST_CHECK(events[i].at == request.events[i].at);
    BOOST_CHECK_EQUAL(events[i].type, request.events[i].type);
    BOOST_CHECK_EQUAL(events[i].data, request.events[i].data);
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_log_is_read_from_any_place, Maker, makers) {
  Maker given;
  BOOST_REQUIRE(append(*given.store, first_append(run_number(1))));
  BOOST_REQUIRE(append(*given.store, next_append(run_number(1), 1, "2")));
  BOOST_REQUIRE(append(*given.store, next_append(run_number(1), 2, "3")));

  const auto tail = given.store->read(run_number(1), 1).value();
  BOOST_REQUIRE_EQUAL(tail.size(), 2u);
  BOOST_CHECK_EQUAL(tail[0].data, "2");
  BOOST_CHECK_EQUAL(tail[1].seq, 3u);
  BOOST_CHECK(given.store->read(run_number(1), 3).value().empty());
  BOOST_CHECK(given.store->read(run_number(1), ~0ULL).value().empty());
  BOOST_CHECK(given.store->read(run_number(2), 0).value().empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_row_follows_from_the_appends, Maker, makers) {
  Maker given;
  auto request = first_append(run_number(7));
  request.created->parent = run_number(1);
  request.created->tenant = "acme";
  request.created->key = "k\0y";
  request.created->last_seq = 99; // not the caller's to say
  request.events[0].at = at(10);
  request.events.push_back(event_of("{}", at(20)));
  BOOST_REQUIRE(append(*given.store, request));

  run_row expected = *request.created;
  expected.id = run_number(7);
  expected.status = run_status::running;
  expected.last_seq = 2;
  expected.created_at = at(10);
  expected.updated_at = at(20);
  BOOST_CHECK(given.store->find(run_number(7)).value() == expected);

  auto next = next_append(run_number(7), 2);
  next.events[0].at = at(30);
  next.status = run_status::completed;
  BOOST_REQUIRE(append(*given.store, next));
  expected.status = run_status::completed;
  expected.last_seq = 3;
  expected.updated_at = at(30);
  BOOST_CHECK(given.store->find(run_number(7)).value() == expected);
  BOOST_CHECK(!given.store->find(run_number(8)).value());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_stale_append_conflicts, Maker, makers) {
  Maker given;
  BOOST_REQUIRE(append(*given.store, first_append(run_number(1))));
  BOOST_REQUIRE(append(*given.store, next_append(run_number(1), 1)));

  for (const std::uint64_t stale : {1ULL, 3ULL, ~0ULL}) {
    const auto late =
      append(*given.store, next_append(run_number(1), stale, "late"));
    BOOST_CHECK(late.error().code == errc::conflict);
    BOOST_CHECK_NE(late.error().detail.find(run_number(1).str()),
                   std::string::npos);
  }
  const auto again = append(*given.store, first_append(run_number(1)));
  BOOST_CHECK(again.error().code == errc::conflict);
  const auto unknown = append(*given.store, next_append(run_number(2), 1));
  BOOST_CHECK(unknown.error().code == errc::conflict);
  BOOST_CHECK_EQUAL(given.store->read(run_number(1), 0).value().size(), 2u);
  BOOST_CHECK(!given.store->find(run_number(2)).value());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(requests_of_a_batch_are_independent, Maker,
                              makers) {
  Maker given;
  BOOST_REQUIRE(append(*given.store, first_append(run_number(1))));
  const std::vector<append_request> batch{
    first_append(run_number(2)),
    next_append(run_number(1), 5), // stale
    next_append(run_number(1), 1), // fits
    next_append(run_number(1), 2), // fits after the one before
    next_append(run_number(1), 2), // lost the race with it
    append_request{},              // malformed
    next_append(run_number(2), 1)};
  const auto results = given.store->append(batch);
  BOOST_REQUIRE_EQUAL(results.size(), batch.size());
  BOOST_CHECK_EQUAL(results[0].value(), 1u);
  BOOST_CHECK(results[1].error().code == errc::conflict);
  BOOST_CHECK_EQUAL(results[2].value(), 2u);
  BOOST_CHECK_EQUAL(results[3].value(), 3u);
  BOOST_CHECK(results[4].error().code == errc::conflict);
  BOOST_CHECK(results[5].error().code == errc::invalid_argument);
  BOOST_CHECK_EQUAL(results[6].value(), 2u);
  BOOST_CHECK_EQUAL(given.store->read(run_number(1), 0).value().size(), 3u);
  BOOST_CHECK(given.store->append({}).empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(malformed_requests_are_refused, Maker, makers) {
  Maker given;
  const auto code_of = [&](const append_request& request) {
    return append(*given.store, request).error().code;
  };
  auto none = first_append(run_number(1));
  none.events.clear();
  BOOST_CHECK(code_of(none) == errc::invalid_argument);
  auto rowless = first_append(run_number(1));
  rowless.created.reset();
  BOOST_CHECK(code_of(rowless) == errc::invalid_argument);
  auto late_row = first_append(run_number(1));
  late_row.expected_seq = 1;
  BOOST_CHECK(code_of(late_row) == errc::invalid_argument);
  auto other_row = first_append(run_number(1));
  other_row.created->id = run_number(2);
  BOOST_CHECK(code_of(other_row) == errc::invalid_argument);
  BOOST_CHECK(code_of(first_append(run_id{})) == errc::invalid_argument);
  auto huge =
    first_append(run_number(1), std::string(64 * 1024 * 1024 + 1, 'x'));
  BOOST_CHECK(code_of(huge) == errc::limit_exceeded);
  BOOST_CHECK(given.store->list({}).value().empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_key_belongs_to_one_run_of_an_agent, Maker,
                              makers) {
  Maker given;
  const auto with_key = [](std::uint64_t n, std::string agent) {
    auto out = first_append(run_number(n));
    out.created->agent = std::move(agent);
    out.created->key = "order-17";
    return out;
  };
  const std::vector<append_request> batch{
    with_key(1, "ops"), with_key(2, "ops"), with_key(3, "billing"),
    first_append(run_number(4)), first_append(run_number(5))};
  const auto results = given.store->append(batch);
  BOOST_CHECK(results[0].has_value());
  BOOST_REQUIRE(results[1].error().code == errc::conflict);
  BOOST_CHECK_NE(results[1].error().detail.find(run_number(1).str()),
                 std::string::npos);
  BOOST_CHECK(results[2].has_value());
  BOOST_CHECK(results[3].has_value());
  BOOST_CHECK(results[4].has_value());

  BOOST_CHECK(given.store->find_by_key("ops", "order-17").value()->id
              == run_number(1));
  BOOST_CHECK(given.store->find_by_key("billing", "order-17").value()->id
              == run_number(3));
  BOOST_CHECK(!given.store->find_by_key("ops", "order-18").value());
  BOOST_CHECK(!given.store->find_by_key("", "").value());
  BOOST_CHECK(given.store->read(run_number(2), 0).value().empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(large_data_comes_back_whole, Maker, makers) {
  Maker given;
  const std::string edge(64 * 1024, 'e');
  const std::string large(3'000'000, 'l');
  auto request = first_append(run_number(1), edge);
  request.events.push_back(event_of(large));
  request.events.push_back(event_of(R"({"$blob":"not a reference"})"));
  request.events.push_back(event_of(large));
  BOOST_REQUIRE(append(*given.store, request));

  const auto events = given.store->read(run_number(1), 0).value();
  BOOST_REQUIRE_EQUAL(events.size(), 4u);
  BOOST_CHECK(events[0].data == edge);
  BOOST_CHECK(events[1].data == large);
  BOOST_CHECK_EQUAL(events[2].data, R"({"$blob":"not a reference"})");
  BOOST_CHECK(events[3].data == large);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(ten_thousand_events_stay_dense, Maker, makers) {
  Maker given;
  BOOST_REQUIRE(append(*given.store, first_append(run_number(1), "1")));
  for (std::uint64_t seq = 1; seq < 10'000;) {
    std::vector<append_request> batch;
    for (; seq < 10'000 && batch.size() < 1'000; ++seq)
      batch.push_back(next_append(run_number(1), seq, std::to_string(seq + 1)));
    for (const auto& each : given.store->append(batch))
      BOOST_REQUIRE(each.has_value());
  }
  const auto events = given.store->read(run_number(1), 0).value();
  BOOST_REQUIRE_EQUAL(events.size(), 10'000u);
  for (std::size_t i = 0; i < events.size(); ++i) {
    BOOST_REQUIRE_EQUAL(events[i].seq, i + 1);
    BOOST_REQUIRE_EQUAL(events[i].data, std::to_string(i + 1));
  }
}

BOOST_AUTO_TEST_SUITE_END()
