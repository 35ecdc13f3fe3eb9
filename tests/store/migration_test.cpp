#include "store_support.hpp"

#include <kestrion/store/sqlite_migrations.hpp>

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <latch>
#include <thread>

using namespace kestrion;
using namespace kestrion::test;

namespace migration_test {

struct fixture {
  temp_folder folder;
  std::string file = folder / "runs.db";
  std::string url = "sqlite:///" + file;

  /// Makes the file as a program of that version left it.
  void restore(int version) {
    const auto dump = std::string{KESTRION_STORE_DUMPS} + "/store_version_"
                      + std::to_string(version) + ".sql";
    std::ifstream in{dump};
    const std::string sql{std::istreambuf_iterator<char>{in}, {}};
    BOOST_REQUIRE_MESSAGE(!sql.empty(), dump);
    run_sql(file, sql);
  }

  std::string schema() {
    return ask_sql(file, "SELECT group_concat(sql, ';') FROM (SELECT sql FROM "
                         "sqlite_schema WHERE sql IS NOT NULL ORDER BY name)");
  }
};

} // namespace migration_test

/// Stores that older programs left. A new version adds a dump of the one
/// before; old dumps are never edited.
BOOST_FIXTURE_TEST_SUITE(migration_test, fixture)

BOOST_AUTO_TEST_CASE(every_older_version_is_brought_up_to_date) {
  for (int version = 1; version < store_version(); ++version) {
    fixture fresh;
    BOOST_REQUIRE(open_store(fresh.url).has_value());
    restore(version);
    const auto store = open_store(url).value();
    BOOST_CHECK_EQUAL(ask_sql(file, "PRAGMA user_version"),
                      std::to_string(store_version()));
    BOOST_CHECK_EQUAL(schema(), fresh.schema());

    const auto events = store->read(run_number(1), 0).value();
    BOOST_REQUIRE_EQUAL(events.size(), 2u);
    BOOST_CHECK_EQUAL(events[0].type, "run_started");
    BOOST_CHECK_EQUAL(events[1].data, R"({"text":"large"})");
    const auto row = store->find_by_key("ops", "order-17").value();
    BOOST_REQUIRE(row.has_value());
    BOOST_CHECK(row->status == run_status::waiting_on_human);
    BOOST_CHECK_EQUAL(store->find_snapshot(run_number(1)).value().value().data,
                      "folded");
    BOOST_CHECK(store->claim(run_number(1)).value());
    BOOST_CHECK_EQUAL(append(*store, next_append(run_number(1), 2)).value(),
                      3u);
    for (const auto& each : store->list({}).value())
      BOOST_CHECK(!store->verify(each.id).value().flaw);
    std::filesystem::remove(file);
  }
}

BOOST_AUTO_TEST_CASE(owners_of_version_2_are_told_apart_by_their_locks) {
  restore(2);
  const auto store = open_store(url).value();
  BOOST_CHECK_EQUAL(ask_sql(file, "SELECT group_concat(id) FROM owners"), "4");
  BOOST_CHECK_EQUAL(store->claim_unfinished(all_agents, {}, 9).value().size(),
                    1u);
  BOOST_CHECK_EQUAL(store->inbox().value().at(0).data, "hello");
  BOOST_CHECK_EQUAL(append(*store, next_append(run_number(3), 1)).value(), 2u);
}

BOOST_AUTO_TEST_CASE(many_may_create_one_store_at_once) {
  constexpr int openers = 8;
  std::latch start{openers};
  std::vector<result<std::unique_ptr<event_store>>> stores(openers);
  std::vector<std::thread> threads;
  threads.reserve(openers);
  for (auto& store : stores)
    threads.emplace_back([&] {
      start.arrive_and_wait();
      store = open_store(url);
    });
  for (auto& thread : threads)
    thread.join();
  for (std::uint64_t n = 0; n < openers; ++n) {
    auto& store = stores[n];
    BOOST_REQUIRE_MESSAGE(store.has_value(), to_string(store.error()));
    BOOST_CHECK(append(**store, first_append(run_number(n + 1))).has_value());
  }
  BOOST_CHECK_EQUAL(ask_sql(file, "SELECT count(DISTINCT owner) FROM runs"),
                    std::to_string(openers));
}

BOOST_AUTO_TEST_SUITE_END()
