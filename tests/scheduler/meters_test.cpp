/// Buckets and windows: no server of the same limit may refuse what they allow.

#include "strict_server.hpp"

#include <kestrion/scheduler/pause_gate.hpp>
#include <kestrion/scheduler/token_bucket.hpp>
#include <kestrion/scheduler/window_limit.hpp>

#include <boost/test/unit_test.hpp>

#include <iostream>
#include <queue>
#include <random>

using namespace kestrion;
using namespace kestrion::test;
using namespace std::chrono_literals;

namespace meters_test {

constexpr timestamp begin{std::chrono::hours{500'000}};

/// Takes whatever it may, at random; each use reaches the server late.
template <class Meter>
void never_exceeds(limit_shape shape, Meter meter, unsigned seed) {
  std::mt19937 rng{seed};
  const auto upto = [&](unsigned n) {
    return rng() % (n + 1);
  };
  strict_limit server{limit_kind::input_tokens, shape, 100, 10s,
                      begin - duration{upto(10'000'000)}};
  using arrival = std::pair<timestamp, std::int64_t>;
  std::priority_queue<arrival, std::vector<arrival>, std::greater<>> on_way;
  auto now = begin;
  for (int i = 0; i < 2'000; ++i) {
    now += duration{upto(upto(9) == 0 ? 12'000'000 : 200'000)};
    while (!on_way.empty() && on_way.top().first <= now) {
      const auto [at, amount] = on_way.top();
      on_way.pop();
      if (server.level(at) < static_cast<double>(amount) - 1e-6)
        BOOST_FAIL("refused, seed " << seed);
      server.charge(static_cast<double>(amount), at);
    }
    const auto amount = static_cast<std::int64_t>(1 + upto(40));
    if (meter.ready_at(amount, now) > now)
      continue;
    BOOST_TEST_REQUIRE(meter.available(now) >= amount);
    meter.charge(amount, now);
    on_way.emplace(now + duration{upto(500'000)}, amount);
  }
}

} // namespace meters_test

BOOST_AUTO_TEST_SUITE(meters_test)

BOOST_AUTO_TEST_CASE(no_server_refuses_what_is_granted) {
  constexpr auto seeds = 300U;
  for (unsigned seed = 1; seed <= seeds; ++seed) {
    never_exceeds(limit_shape::continuous, token_bucket{100, 10s, 500ms, begin},
                  seed);
    never_exceeds(limit_shape::fixed_window, window_limit{100, 10s, 500ms},
                  seed);
    // What keeps to windows keeps to buckets.
    never_exceeds(limit_shape::continuous, window_limit{100, 10s, 500ms}, seed);
  }
  std::cout << seeds << " schedules of meters, from seed 1\n";
}

BOOST_AUTO_TEST_CASE(a_bucket_says_when_there_is_enough) {
  token_bucket bucket{60, 60s, 0s, begin};
  BOOST_TEST(bucket.available(begin) == 60);
  bucket.charge(60, begin);
  BOOST_CHECK(bucket.ready_at(5, begin) == begin + 5s);
  BOOST_CHECK(bucket.ready_at(61, begin) == timestamp::max());
  BOOST_TEST(bucket.available(begin + 5s) == 5);
}

BOOST_AUTO_TEST_CASE(a_debt_is_paid_before_anything_else) {
  token_bucket bucket{60, 60s, 0s, begin};
  bucket.charge(70, begin);
  BOOST_TEST(bucket.available(begin) == -10);
  BOOST_CHECK(bucket.ready_at(1, begin) == begin + 11s);
}

BOOST_AUTO_TEST_CASE(a_clock_that_is_set_back_refills_nothing) {
  token_bucket bucket{60, 60s, 0s, begin};
  bucket.charge(60, begin);
  BOOST_TEST(bucket.available(begin - 1h) == 0);
  bucket.charge(1, begin - 1h);
  BOOST_TEST(bucket.available(begin + 1s) == 0);
}

BOOST_AUTO_TEST_CASE(a_window_forgets_at_the_reset_only_what_was_counted) {
  window_limit window{100, 60s, 500ms};
  window.charge(60, begin);
  window.charge(40, begin + 10s);
  window.forget_at(begin + 5s, begin + 20s, begin + 10s);
  BOOST_TEST(window.available(begin + 19s) == 0);
  BOOST_TEST(window.available(begin + 20s) == 60);
}

BOOST_AUTO_TEST_CASE(what_comes_back_to_a_window_can_be_used_again) {
  window_limit window{100, 60s, 500ms};
  const auto slot = window.charge(100, begin);
  window.adjust(slot, -30, begin + 5s);
  BOOST_TEST(window.available(begin + 5s) == 30);
  window.adjust(slot, -30, begin + 90s); // Forgotten already.
  BOOST_TEST(window.available(begin + 90s) == 100);
}

BOOST_AUTO_TEST_CASE(a_burst_of_refusals_is_one_pause) {
  pause_gate gate;
  BOOST_TEST(gate.refused(1, begin - 1s, 5s, 1s, 1min, begin));
  BOOST_TEST(!gate.refused(2, begin - 1s, 5s, 1s, 1min, begin + 1s));
  BOOST_CHECK(*gate.closed_until(begin + 2s) == begin + 6s);
  BOOST_TEST(!gate.closed_until(begin + 6s));
}

BOOST_AUTO_TEST_CASE(after_a_pause_one_call_goes_ahead) {
  pause_gate gate;
  gate.refused(1, begin, 5s, 1s, 1min, begin);
  gate.granted(2);
  BOOST_CHECK(*gate.closed_until(begin + 6s) == timestamp::max());
  gate.ended(2); // Its holder died.
  BOOST_TEST(!gate.closed_until(begin + 6s));
  gate.granted(3);
  gate.answered(begin + 6s);
  BOOST_TEST(!gate.closed_until(begin + 7s));
}

BOOST_AUTO_TEST_CASE(a_server_is_not_believed_beyond_the_maximum) {
  pause_gate gate;
  gate.refused(1, begin, 24h * 365, 1s, 1min, begin);
  BOOST_CHECK(*gate.closed_until(begin) == begin + 1min);
}

BOOST_AUTO_TEST_CASE(pauses_that_were_too_short_grow) {
  pause_gate gate;
  auto now = begin;
  for (auto pause : {0s, 2s, 4s, 8s, 10s, 10s}) {
    gate.refused(1, now, 0s, 1s, 10s, now);
    BOOST_CHECK(gate.closed_until(now).value_or(now) == now + pause);
    now += pause + 1s;
  }
}

BOOST_AUTO_TEST_SUITE_END()
