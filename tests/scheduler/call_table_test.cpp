#include <kestrion/scheduler/call_table.hpp>

#include <boost/test/unit_test.hpp>

#include <random>
#include <set>

using namespace kestrion;

namespace call_table_test {

call_record& add(call_table& calls, std::uint64_t tag) {
  auto& out = calls.add();
  out.tag = tag;
  return out;
}

std::set<call_ticket> all(const call_table& calls) {
  std::set<call_ticket> out;
  calls.for_each([&](const call_record& call) { out.insert(call.ticket); });
  return out;
}

} // namespace call_table_test

BOOST_AUTO_TEST_SUITE(call_table_test)

BOOST_AUTO_TEST_CASE(a_ticket_finds_its_call_and_no_later_one) {
  call_table calls;
  auto& stays = add(calls, 1);
  auto& leaves = add(calls, 2);
  const auto old = leaves.ticket;
  calls.erase(leaves);
  const auto& next = add(calls, 3);
  BOOST_TEST(&next == &leaves); // It is where the other one was.
  BOOST_TEST(next.ticket > old);
  BOOST_TEST(next.tag == 3u);
  BOOST_TEST(!calls.find(old));
  BOOST_TEST(calls.find(next.ticket) == &next);
  BOOST_TEST(calls.find(stays.ticket)->tag == 1u);
}

BOOST_AUTO_TEST_CASE(what_was_never_a_ticket_finds_nothing) {
  call_table calls;
  BOOST_TEST(!calls.find(0));
  const auto ticket = calls.add().ticket;
  BOOST_TEST(!calls.find(0));
  BOOST_TEST(!calls.find(ticket + 1));
  BOOST_TEST(!calls.find(~call_ticket{0}));
  calls.erase(calls.at(ticket));
  BOOST_TEST(!calls.find(0));
  BOOST_TEST(!calls.find(ticket));
  BOOST_TEST(calls.size() == 0u);
}

BOOST_AUTO_TEST_CASE(records_stay_where_they_are_whoever_comes_and_goes) {
  for (std::uint32_t seed = 1; seed <= 10; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      std::minstd_rand rng{seed};
      call_table calls;
      std::vector<call_record*> there;
      std::set<call_ticket> tickets;
      call_ticket last = 0;
      for (std::uint64_t step = 1; step <= 3'000; ++step) {
        // More and more at first, then fewer and fewer.
        if (rng() % 3'000 > step || there.empty()) {
          auto& call = calls.add();
          BOOST_REQUIRE(call.ticket > last);
          last = call.ticket;
          there.push_back(&call);
          tickets.insert(last);
        } else {
          std::swap(there[rng() % there.size()], there.back());
          const auto ticket = there.back()->ticket;
          BOOST_REQUIRE(&calls.at(ticket) == there.back());
          calls.erase(*there.back());
          BOOST_REQUIRE(!calls.find(ticket));
          there.pop_back();
          tickets.erase(ticket);
        }
        BOOST_REQUIRE(calls.size() == there.size());
      }
      BOOST_REQUIRE(all(calls) == tickets);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
