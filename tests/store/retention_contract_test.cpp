#include "store_support.hpp"

#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>

using namespace kestrion;
using namespace kestrion::test;
using makers = boost::mpl::list<memory_store_maker, sqlite_store_maker>;

namespace retention_contract_test {

/// A run of two events with this status.
void add_run(event_store& store, std::uint64_t n, run_status status,
             std::optional<run_id> parent = {},
             std::string data = R"({"n":1})") {
  auto request = first_append(run_number(n), std::move(data));
  request.events.push_back(event_of("{}"));
  request.created->parent = parent;
  request.status = status;
  BOOST_REQUIRE(append(store, request));
}

bool has(event_store& store, std::uint64_t n) {
  const bool is_there = store.find(run_number(n)).value().has_value();
  BOOST_CHECK_EQUAL(store.read(run_number(n), 0).value().empty(), !is_there);
  return is_there;
}

std::uint64_t erase(event_store& store,
                    const std::vector<std::uint64_t>& numbers) {
  std::vector<run_id> runs;
  runs.reserve(numbers.size());
  for (const auto n : numbers)
    runs.push_back(run_number(n));
  return store.erase(runs).value();
}

} // namespace retention_contract_test

/// What every store forgets, and what it keeps.
BOOST_AUTO_TEST_SUITE(retention_contract_test)

BOOST_AUTO_TEST_CASE_TEMPLATE(what_has_ended_may_go, Maker, makers) {
  Maker given;
  auto& store = *given.store;
  add_run(store, 1, run_status::completed);
  add_run(store, 2, run_status::failed);
  add_run(store, 3, run_status::cancelled);
  BOOST_REQUIRE(store.put_snapshot(run_number(1), {1, 1, "folded"}));
  BOOST_CHECK_EQUAL(erase(store, {1, 3, 1, 99}), 2u);
  BOOST_CHECK(!has(store, 1));
  BOOST_CHECK(has(store, 2));
  BOOST_CHECK(!has(store, 3));
  BOOST_CHECK(!store.find_snapshot(run_number(1)).value());
  BOOST_CHECK(!store.verify(run_number(2)).value().flaw);
  BOOST_CHECK_EQUAL(store.list({}).value().size(), 1u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_has_not_ended_stays, Maker, makers) {
  Maker given;
  auto& store = *given.store;
  const run_status live[] = {
    run_status::pending,          run_status::running,
    run_status::waiting_on_human, run_status::waiting_on_child,
    run_status::sleeping,         run_status::parked};
  std::uint64_t n = 0;
  for (const auto status : live)
    add_run(store, ++n, status);
  BOOST_CHECK_EQUAL(erase(store, {1, 2, 3, 4, 5, 6}), 0u);
  BOOST_CHECK_EQUAL(store.list({}).value().size(), std::size(live));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_family_of_a_live_run_stays, Maker, makers) {
  Maker given;
  auto& store = *given.store;
  add_run(store, 1, run_status::cancelled);
  add_run(store, 2, run_status::completed, run_number(1));
  add_run(store, 3, run_status::running, run_number(2));
  add_run(store, 4, run_status::completed, run_number(3));
  add_run(store, 5, run_status::completed, run_number(1));
  BOOST_CHECK_EQUAL(erase(store, {1, 2, 3, 4, 5}), 1u);
  BOOST_CHECK(has(store, 1));
  BOOST_CHECK(has(store, 2));
  BOOST_CHECK(has(store, 3));
  BOOST_CHECK(has(store, 4));
  BOOST_CHECK(!has(store, 5));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_key_is_free_again, Maker, makers) {
  Maker given;
  auto request = first_append(run_number(1));
  request.created->key = "order-17";
  request.status = run_status::completed;
  BOOST_REQUIRE(append(*given.store, request));
  BOOST_CHECK_EQUAL(erase(*given.store, {1}), 1u);
  request.run = run_number(2);
  BOOST_CHECK(append(*given.store, request).has_value());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(blobs_go_with_the_last_run_that_names_them, Maker,
                              makers) {
  Maker given;
  auto& store = *given.store;
  const auto naming = [](const std::string& hash) {
    return R"({"parts":[{"type":"image","blob":")" + hash + R"("}]})";
  };
  const auto shared = store.put_blob("shared").value();
  const auto own = store.put_blob("own").value();
  const auto unused = store.put_blob("put, and not named yet").value();
  add_run(store, 1, run_status::completed, {}, naming(shared) + naming(own));
  add_run(store, 2, run_status::completed, {}, naming(shared));
  BOOST_CHECK_EQUAL(erase(store, {1}), 1u);
  BOOST_CHECK(store.get_blob(own).error().code == errc::not_found);
  BOOST_CHECK_EQUAL(store.get_blob(shared).value(), "shared");
  BOOST_CHECK_EQUAL(erase(store, {2}), 1u);
  BOOST_CHECK(store.get_blob(shared).error().code == errc::not_found);
  BOOST_CHECK(store.get_blob(unused).has_value());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_image_in_data_that_is_a_blob_stays, Maker,
                              makers) {
  Maker given;
  auto& store = *given.store;
  const auto hash = store.put_blob("picture").value();
  std::string numbers; // No long string to take out: all of it is one blob.
  for (int n = 0; n < 20'000; ++n)
    numbers += "1234,";
  const auto image = R"({"type":"image","blob":")" + hash + R"("})";
  add_run(store, 1, run_status::completed, {}, image);
  add_run(store, 2, run_status::completed, {}, "[" + numbers + image + "]");
  BOOST_CHECK_EQUAL(erase(store, {1}), 1u);
  BOOST_CHECK_EQUAL(store.get_blob(hash).value(), "picture");
  BOOST_CHECK_EQUAL(erase(store, {2}), 1u);
  BOOST_CHECK(store.get_blob(hash).error().code == errc::not_found);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(used_bytes_go_down, Maker, makers) {
  Maker given;
  auto& store = *given.store;
  const auto before = store.used_bytes().value();
  add_run(store, 1, run_status::completed, {},
          R"({"long":")" + std::string(300'000, 'x') + "\"}");
  BOOST_CHECK_GT(store.used_bytes().value(), before + 250'000);
  BOOST_CHECK_EQUAL(erase(store, {1}), 1u);
  BOOST_CHECK_LT(store.used_bytes().value(), before + 100'000);
}

BOOST_FIXTURE_TEST_CASE(space_comes_back, sqlite_store_maker) {
  const auto file = folder / "runs.db";
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t n = 1; n <= 20; ++n) {
    add_run(*store, n, n == 7 ? run_status::running : run_status::completed, {},
            R"({"long":")" + std::string(200'000, 'a' + static_cast<char>(n))
              + "\"}");
    numbers.push_back(n);
  }
  BOOST_CHECK_EQUAL(erase(*store, numbers), 19u);
  BOOST_REQUIRE(store->reclaim());
  BOOST_CHECK_LT(std::filesystem::file_size(file), 400'000u);
  // Whose rows have moved goes on.
  BOOST_CHECK_EQUAL(append(*store, next_append(run_number(7), 2)).value(), 3u);
  BOOST_CHECK(!store->verify(run_number(7)).value().flaw);
  const auto other = open_store("sqlite:///" + file).value();
  BOOST_CHECK_EQUAL(other->read(run_number(7), 0).value().size(), 3u);
}

BOOST_AUTO_TEST_SUITE_END()
