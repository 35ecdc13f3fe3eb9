#include <kestrion/scheduler/turn_heap.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <vector>

using namespace kestrion;

namespace turn_heap_test {

/// What a heap has to do, done the slow way.
std::vector<fair_member*> in_order(std::vector<fair_member>& members) {
  std::vector<fair_member*> out;
  for (auto& each : members)
    if (each.wants())
      out.push_back(&each);
  std::sort(out.begin(), out.end(), [](const auto* a, const auto* b) {
    return a->turn() != b->turn() ? a->turn() < b->turn() : a->since < b->since;
  });
  return out;
}

template <std::size_t Branches>
void comes_and_goes(std::uint32_t seed) {
  BOOST_TEST_CONTEXT("seed " << seed << ", " << Branches << " branches") {
    std::minstd_rand rng{seed};
    std::vector<fair_member> members(60);
    turn_heap<fair_member, Branches> heap;
    for (std::uint32_t step = 1; step <= 5'000; ++step) {
      auto& who = members[rng() % members.size()];
      const auto turn = static_cast<double>(rng() % 20); // Many are equal.
      if (!who.wants()) {
        who.tag = turn;
        who.since = step;
        heap.insert(who);
      } else if (rng() % 2 == 0) {
        who.tag = turn;
        heap.update(who);
      } else {
        heap.erase(who);
      }
      const auto expected = in_order(members);
      BOOST_REQUIRE(heap.size() == expected.size());
      if (!expected.empty())
        BOOST_REQUIRE(&heap.who(heap.first()) == expected.front());
      for (std::size_t i = 0; i < expected.size(); ++i) {
        const auto& each = heap.entries()[i];
        BOOST_REQUIRE(each.slot == heap.who(each).slot);
        if constexpr (Branches == 1)
          BOOST_REQUIRE(&heap.who(each) == expected[i]);
      }
    }
  }
}

} // namespace turn_heap_test

BOOST_AUTO_TEST_SUITE(turn_heap_test)

BOOST_AUTO_TEST_CASE(the_first_is_first_whoever_comes_and_goes) {
  for (std::uint32_t seed = 1; seed <= 10; ++seed)
    comes_and_goes<4>(seed);
  for (std::uint32_t seed = 1; seed <= 10; ++seed)
    comes_and_goes<8>(seed);
}

BOOST_AUTO_TEST_CASE(with_one_branch_all_are_in_order) {
  for (std::uint32_t seed = 1; seed <= 10; ++seed)
    comes_and_goes<1>(seed);
}

BOOST_AUTO_TEST_SUITE_END()
