/// Estimates, prefixes, slices.

#include <kestrion/scheduler/limit_shares.hpp>
#include <kestrion/scheduler/prefix_gate.hpp>
#include <kestrion/scheduler/token_estimator.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <iostream>
#include <map>
#include <numeric>
#include <random>

using namespace kestrion;
using namespace std::chrono_literals;

namespace parts_test {
constexpr timestamp now{std::chrono::hours{500'000}};
using tickets = std::vector<std::uint64_t>;
} // namespace parts_test

BOOST_AUTO_TEST_SUITE(parts_test)

BOOST_AUTO_TEST_CASE(who_has_not_learnt_takes_what_cannot_be_exceeded) {
  token_estimator e;
  BOOST_TEST(e.input(4'000) == 4'000);
  BOOST_TEST(e.output(e.agent("a"), 8'192) == 8'192);
}

BOOST_AUTO_TEST_CASE(an_estimator_comes_close_within_a_few_calls) {
  token_estimator e;
  for (int i = 0; i < 20; ++i)
    e.learn(4'000, i % 2 ? 1'100 : 900, e.agent("a"), 100 + i);
  BOOST_TEST(e.input(4'000) >= 1'000);
  BOOST_TEST(e.input(4'000) <= 1'300);
  BOOST_TEST(e.output(e.agent("a"), 8'192) >= 118);
  BOOST_TEST(e.output(e.agent("a"), 8'192) <= 150);
  BOOST_TEST(e.output(e.agent("a"), 64) == 64); // Never more than declared.
  BOOST_TEST(e.output(e.agent("b"), 8'192) == 8'192); // Another agent.
}

BOOST_AUTO_TEST_CASE(at_most_one_in_twenty_outputs_was_longer) {
  for (std::uint32_t seed = 1; seed <= 50; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      std::minstd_rand rng{seed};
      output_history history;
      std::vector<std::int64_t> all;
      for (int i = 0; i < 64; ++i) { // As many as count alike.
        all.push_back(std::int64_t{1} << rng() % 12);
        all.back() += static_cast<std::int64_t>(rng()) % all.back();
        history.add(all.back());
        std::sort(all.begin(), all.end());
        const auto longer = all.size() / 20;
        const auto least = all.at(all.size() - 1 - longer);
        BOOST_REQUIRE(history.high() >= least);
        BOOST_REQUIRE(history.high() <= least + least / 4 + 1); // Its slot.
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(an_estimator_forgets_however_much_it_has_learnt) {
  token_estimator e;
  for (int i = 0; i < 10'000; ++i)
    e.learn(100, 25, e.agent("worker"), 4'000);
  BOOST_TEST(e.output(e.agent("worker"), 100'000) >= 4'000);
  for (int i = 0; i < 400; ++i)
    e.learn(100, 25, e.agent("worker"), 50);
  BOOST_TEST(e.output(e.agent("worker"), 100'000) >= 50);
  BOOST_TEST(e.output(e.agent("worker"), 100'000) < 60);
}

BOOST_AUTO_TEST_CASE(an_estimator_follows_a_change_by_three) {
  token_estimator e;
  for (int i = 0; i < 200; ++i)
    e.learn(4'000, 1'000, e.agent("a"), 100);
  for (int i = 0; i < 200; ++i)
    e.learn(4'000, 3'000, e.agent("a"), 300);
  BOOST_TEST(e.input(4'000) >= 2'900);
  BOOST_TEST(e.output(e.agent("a"), 8'192) >= 300);
}

BOOST_AUTO_TEST_CASE(the_first_call_warms_a_prefix_and_the_others_wait) {
  prefix_gate gate{20s, 4min};
  BOOST_TEST(gate.arrive("p", 1, now));
  BOOST_TEST(!gate.arrive("p", 2, now));
  BOOST_TEST(!gate.arrive("p", 3, now));
  BOOST_TEST(gate.arrive("other", 4, now));
  BOOST_TEST(gate.answered("p", now + 3s) == (tickets{2, 3}));
  BOOST_TEST(gate.arrive("p", 5, now + 4min));  // Warm.
  BOOST_TEST(gate.arrive("p", 6, now + 10min)); // Cold: it warms.
  BOOST_TEST(!gate.arrive("p", 7, now + 10min));
}

BOOST_AUTO_TEST_CASE(another_one_warms_if_the_first_is_gone) {
  prefix_gate gate{20s, 4min};
  gate.arrive("p", 1, now);
  gate.arrive("p", 2, now);
  gate.arrive("p", 3, now);
  BOOST_TEST(!gate.gone("p", 3)); // It waited.
  BOOST_TEST(gate.gone("p", 1).value() == 2u);
  BOOST_TEST(!gate.gone("p", 2));
  BOOST_TEST(gate.arrive("p", 4, now)); // Nobody warms any more.
}

BOOST_AUTO_TEST_CASE(nobody_waits_for_a_prefix_for_long) {
  prefix_gate gate{20s, 4min};
  gate.arrive("p", 1, now);
  gate.arrive("p", 2, now + 1s);
  BOOST_CHECK(gate.next_event() == now + 21s);
  BOOST_TEST(gate.overdue(now + 20s).empty());
  BOOST_TEST(gate.overdue(now + 21s) == tickets{2});
  BOOST_TEST(!gate.next_event());
  BOOST_TEST(gate.answered("p", now + 22s).empty());
}

BOOST_AUTO_TEST_CASE(a_limit_is_split_by_demand_to_the_last_token) {
  using parts = std::vector<std::int64_t>;
  BOOST_TEST(split_limit(100, {1'000, 1'000}) == (parts{50, 50}));
  BOOST_TEST(split_limit(100, {10, 1'000}) == (parts{10, 90}));
  BOOST_TEST(split_limit(100, {10, 20}) == (parts{45, 55}));
  BOOST_TEST(split_limit(100, {0, 0, 0}) == (parts{33, 33, 34}));
  BOOST_TEST(split_limit(100, {}).empty());
}

BOOST_AUTO_TEST_CASE(a_slice_grows_when_another_has_shrunk_or_is_dead) {
  limit_shares shares{100, 10s};
  BOOST_TEST(shares.renew("a", 100, 0, now).amount == 100);
  BOOST_TEST(shares.renew("b", 100, 0, now + 1s).amount == 0);
  // The first one hears of it, and says that it keeps to it.
  const auto told = shares.renew("a", 100, 0, now + 2s);
  BOOST_TEST(told.target == 50);
  BOOST_TEST(told.amount == 100);
  BOOST_TEST(shares.renew("a", 100, told.epoch, now + 3s).amount == 50);
  BOOST_TEST(shares.renew("b", 100, 0, now + 4s).amount == 50);
  // It dies; its slice comes back with the end of its lease.
  BOOST_TEST(shares.renew("b", 100, 0, now + 12s).amount == 50);
  BOOST_TEST(shares.renew("b", 100, 0, now + 13s).amount == 100);
}

BOOST_AUTO_TEST_CASE(what_a_dead_or_ended_process_used_lingers) {
  limit_shares shares{100, 10s, 1min};
  shares.renew("a", 100, 0, now);
  BOOST_TEST(shares.renew("b", 100, 0, now + 1s).amount == 0);
  // Its lease is over at 10 s, but a server counts until 70 s what it used.
  BOOST_TEST(shares.renew("b", 100, 0, now + 10s).target == 100);
  BOOST_TEST(shares.renew("b", 100, 0, now + 69s).amount == 0);
  BOOST_TEST(shares.renew("b", 100, 0, now + 70s).amount == 100);
  shares.leave("b", now + 71s);
  BOOST_TEST(shares.renew("c", 100, 0, now + 130s).amount == 0);
  BOOST_TEST(shares.renew("c", 100, 0, now + 131s).amount == 100);
}

BOOST_AUTO_TEST_CASE(one_that_was_taken_for_dead_goes_on) {
  limit_shares shares{100, 10s, 1min};
  shares.renew("a", 100, 0, now);
  shares.renew("b", 100, 0, now + 15s);
  const auto back = shares.renew("a", 100, 0, now + 20s);
  BOOST_TEST(back.amount == 100);
  BOOST_TEST(back.target == 50);
  BOOST_TEST(shares.renew("b", 100, 0, now + 20s).amount == 0);
  BOOST_TEST(shares.renew("a", 100, back.epoch, now + 21s).amount == 50);
  BOOST_TEST(shares.renew("b", 100, 0, now + 21s).amount == 50);
}

BOOST_AUTO_TEST_CASE(slices_are_never_more_than_the_limit) {
  constexpr auto seeds = 200U;
  for (unsigned seed = 1; seed <= seeds; ++seed) {
    std::mt19937 rng{seed};
    limit_shares shares{1'000, 10s, std::chrono::seconds{seed % 3 * 5}};
    std::map<std::string, std::uint64_t> epochs;
    auto at = now;
    for (int i = 0; i < 200; ++i) {
      at += std::chrono::milliseconds{rng() % 3'000};
      const auto name = std::to_string(rng() % 5);
      if (rng() % 20 == 0)
        shares.leave(name, at);
      else
        epochs[name] = shares.renew(name, rng() % 800, epochs[name], at).epoch;
      std::int64_t sum = 0;
      for (const auto& [process, slice] : shares.slices())
        sum += slice.amount;
      BOOST_TEST_REQUIRE(sum <= 1'000, "seed " << seed);
    }
  }
  std::cout << seeds << " schedules of slices, from seed 1\n";
}

BOOST_AUTO_TEST_SUITE_END()
