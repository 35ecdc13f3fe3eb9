#include <kestrion/scheduler/slab_table.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <map>
#include <random>

using namespace kestrion;

namespace slab_table_test {

/// Keys that have a place in common.
struct same {
  std::size_t operator()(int) const { return 7; }
};

} // namespace slab_table_test

BOOST_AUTO_TEST_SUITE(slab_table_test)

BOOST_AUTO_TEST_CASE(what_is_there_is_found_and_stays_where_it_is) {
  for (std::uint32_t seed = 1; seed <= 10; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      std::minstd_rand rng{seed};
      slab_table<int, int> table;
      std::map<int, int*> there;
      for (int step = 1; step <= 10'000; ++step) {
        const auto key = static_cast<int>(rng() % 600);
        const auto known = there.find(key);
        BOOST_REQUIRE(table.find(key)
                      == (known == there.end() ? nullptr : known->second));
        if (known == there.end()) {
          BOOST_REQUIRE(table[key] == 0); // As new.
          there[key] = &(table[key] = step);
          BOOST_REQUIRE(table.at(table.slot_of(key)) == there[key]);
        } else if (rng() % 2 == 0) {
          table.expect(key, *known->second);
        } else {
          table.erase(key);
          there.erase(known);
        }
        BOOST_REQUIRE(table.size() == there.size());
      }
      std::map<int, int*> seen;
      table.for_each([&](int key, int& what) { seen[key] = &what; });
      BOOST_REQUIRE(seen == there);
    }
  }
}

BOOST_AUTO_TEST_CASE(who_is_expected_is_not_taken_for_another) {
  slab_table<int, int, slab_table_test::same> table;
  table[1] = 10;
  table[2] = 20;
  table.expect(1, table[1]);
  BOOST_TEST(*table.find(1) == 10);
  BOOST_TEST(*table.find(2) == 20);
  BOOST_TEST(!table.find(3));
  table.erase(2);
  BOOST_TEST(*table.find(1) == 10);
  table.erase(1);
  BOOST_TEST(!table.find(1));
  BOOST_TEST(table[1] == 0);
}

BOOST_AUTO_TEST_CASE(a_slot_that_never_was_has_nothing) {
  slab_table<int, int> table;
  BOOST_TEST(!table.at(0));
  table[1] = 10;
  const auto slot = table.slot_of(1);
  BOOST_TEST(*table.at(slot) == 10);
  table.erase(1);
  BOOST_TEST(*table.at(slot) == 0);
  BOOST_TEST(!table.at(1'000'000));
}

BOOST_AUTO_TEST_SUITE_END()
