#include <boost/test/unit_test.hpp>

#include <kestrion/scheduler/backoff.hpp>

#include <limits>

using namespace kestrion;
using namespace std::chrono_literals;

namespace backoff_test {

constexpr backoff_policy policy{500ms, 30s, 25};
constexpr auto most = std::numeric_limits<std::uint32_t>::max();

} // namespace backoff_test

BOOST_AUTO_TEST_SUITE(backoff_test)

BOOST_AUTO_TEST_CASE(delays_double_up_to_the_cap) {
  duration expected = 500ms;
  for (const int attempt : {1, 2, 3, 4, 5, 6}) {
    BOOST_CHECK(retry_delay(policy, attempt, {}, 0) == expected);
    expected *= 2;
  }
  BOOST_CHECK(retry_delay(policy, 7, {}, 0) == 30s);
  BOOST_CHECK(retry_delay(policy, 8, {}, 0) == 30s);
}

BOOST_AUTO_TEST_CASE(any_number_of_attempts_is_answered_at_once) {
  const auto never = std::numeric_limits<std::int64_t>::max();
  BOOST_CHECK(retry_delay(policy, never, {}, 0) == 30s);
  BOOST_CHECK(retry_delay({0s, 30s, 0}, never, {}, 0) == 0s);
  BOOST_CHECK(retry_delay({1us, duration::max(), 0}, never, {}, 0)
              == duration::max());
}

BOOST_AUTO_TEST_CASE(no_attempt_yet_is_as_the_first) {
  BOOST_CHECK(retry_delay(policy, 0, {}, 0) == 500ms);
  BOOST_CHECK(retry_delay(policy, -1, {}, 0) == 500ms);
}

BOOST_AUTO_TEST_CASE(jitter_takes_off_up_to_its_share) {
  BOOST_CHECK(retry_delay(policy, 1, {}, 0) == 500ms);
  BOOST_CHECK(retry_delay(policy, 1, {}, most / 2 + 1) == 437'500us);
  const auto least = retry_delay(policy, 1, {}, most);
  BOOST_CHECK(least >= 375ms);
  BOOST_CHECK(least < 376ms);
}

BOOST_AUTO_TEST_CASE(a_share_beyond_all_or_nothing_is_all_or_nothing) {
  BOOST_CHECK(retry_delay({1s, 1s, 900}, 1, {}, most) >= 0s);
  BOOST_CHECK(retry_delay({1s, 1s, -900}, 1, {}, most) == 1s);
}

BOOST_AUTO_TEST_CASE(the_server_decides_if_it_says_when) {
  BOOST_CHECK(retry_delay(policy, 3, 90s, most) == 90s);
  BOOST_CHECK(retry_delay(policy, 3, duration::zero(), most) == 0s);
  BOOST_CHECK(retry_delay(policy, 3, -5s, most) == 0s);
}

BOOST_AUTO_TEST_CASE(a_first_delay_beyond_the_cap_is_the_cap) {
  BOOST_CHECK(retry_delay({1min, 2s, 0}, 1, {}, 0) == 2s);
  BOOST_CHECK(retry_delay({-1s, 2s, 0}, 1, {}, 0) == 0s);
  BOOST_CHECK(retry_delay({1s, -2s, 0}, 1, {}, 0) == 0s);
}

BOOST_AUTO_TEST_SUITE_END()
