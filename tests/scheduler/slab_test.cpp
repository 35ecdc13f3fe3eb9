#include <kestrion/scheduler/slab.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>
#include <vector>

using namespace kestrion;

namespace slab_test {

slab<int>::slot add(slab<int>& all, int what) {
  const auto out = all.add();
  BOOST_REQUIRE(all[out] == 0); // As new.
  all[out] = what;
  return out;
}

} // namespace slab_test

BOOST_AUTO_TEST_SUITE(slab_test)

BOOST_AUTO_TEST_CASE(objects_stay_where_they_are) {
  slab<int> all;
  const auto first = add(all, 1);
  const auto* where = &all[first];
  for (int i = 2; i <= 1'000; ++i)
    add(all, i);
  BOOST_TEST(&all[first] == where);
  BOOST_TEST(all[first] == 1);
  BOOST_TEST(all.size() == 1'000u);
}

BOOST_AUTO_TEST_CASE(what_is_erased_is_gone_at_once) {
  slab<std::shared_ptr<int>> all;
  const auto owner = std::make_shared<int>(1);
  const auto slot = all.add();
  all[slot] = owner;
  BOOST_TEST(owner.use_count() == 2);
  all.erase(slot);
  BOOST_TEST(owner.use_count() == 1);
  BOOST_TEST(!all[slot]);
}

BOOST_AUTO_TEST_CASE(the_slot_that_was_free_last_is_the_next_one) {
  slab<int> all;
  add(all, 1);
  const auto slot = add(all, 2);
  add(all, 3);
  all.erase(slot);
  BOOST_TEST(add(all, 4) == slot);
  BOOST_TEST(all[slot] == 4);
}

BOOST_AUTO_TEST_CASE(the_memory_of_a_rush_goes_with_it) {
  slab<int> all;
  const auto few = add(all, 0);
  const auto few_slots = all.slots();
  std::vector<slab<int>::slot> rush;
  rush.reserve(10'000);
  for (int i = 0; i < 10'000; ++i)
    rush.push_back(add(all, i));
  BOOST_TEST(all.slots() >= 10'000u);
  for (const auto slot : rush)
    all.erase(slot);
  all.erase(few);
  BOOST_TEST(all.size() == 0u);
  BOOST_TEST(all.slots() == few_slots);
  BOOST_TEST(all[add(all, 5)] == 5);
}

BOOST_AUTO_TEST_SUITE_END()
