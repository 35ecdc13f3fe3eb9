#include <kestrion/providers/models/rate_limits.hpp>
#include <kestrion/tests/providers/wire_requests.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>

namespace kestrion::test {

namespace rate_limits_test {

using namespace std::chrono_literals;

std::optional<timestamp> at(std::string_view text) {
  return parse_rfc3339(text);
}

} // namespace rate_limits_test

BOOST_AUTO_TEST_SUITE(rate_limits_test)

BOOST_AUTO_TEST_CASE(anthropics_headers_name_four_limits_with_times) {
  const auto in = [](duration d) {
    return to_string(wire_now + d);
  };
  const auto reports =
    limits_of({{"anthropic-ratelimit-requests-limit", "1000"},
               {"anthropic-ratelimit-requests-remaining", "999"},
               {"Anthropic-RateLimit-Requests-Reset", in(2s)},
               {"anthropic-ratelimit-input-tokens-limit", "450000"},
               {"anthropic-ratelimit-input-tokens-remaining", "0"},
               {"anthropic-ratelimit-input-tokens-reset", in(1min)},
               {"anthropic-ratelimit-output-tokens-limit", "90000"},
               {"anthropic-ratelimit-tokens-limit", "540000"}},
              wire_now);
  BOOST_REQUIRE_EQUAL(reports.size(), 4u);
  BOOST_TEST(
    (reports[0]
     == limit_report{limit_kind::requests, 1'000, 999, wire_now + 2s}));
  BOOST_TEST(
    (reports[1]
     == limit_report{limit_kind::input_tokens, 450'000, 0, wire_now + 1min}));
  BOOST_TEST((reports[2] == limit_report{limit_kind::output_tokens, 90'000}));
  BOOST_TEST((reports[3] == limit_report{limit_kind::total_tokens, 540'000}));
}

BOOST_AUTO_TEST_CASE(a_server_whose_clock_is_wrong_means_the_same_wait) {
  const auto reports =
    limits_of({{"Date", "Sun, 06 Nov 1994 08:49:37 GMT"},
               {"anthropic-ratelimit-requests-limit", "50"},
               {"anthropic-ratelimit-requests-reset", "1994-11-06T08:50:07Z"}},
              wire_now);
  BOOST_REQUIRE_EQUAL(reports.size(), 1u);
  BOOST_TEST((reports[0].reset_at == wire_now + 30s));
}

BOOST_AUTO_TEST_CASE(a_reset_that_has_passed_is_now_and_one_in_years_a_day) {
  const auto reset_at = [](const char* time) {
    return limits_of({{"anthropic-ratelimit-requests-reset", time}}, wire_now)
      .at(0)
      .reset_at;
  };
  BOOST_TEST((reset_at("1994-11-06T08:50:07Z") == wire_now));
  BOOST_TEST((reset_at("2999-11-06T08:50:07Z") == wire_now + 24h));
}

BOOST_AUTO_TEST_CASE(openais_headers_name_two_limits_with_durations) {
  const auto reports = limits_of({{"x-ratelimit-limit-requests", "60"},
                                  {"x-ratelimit-remaining-requests", "59"},
                                  {"x-ratelimit-reset-requests", "1s"},
                                  {"x-ratelimit-limit-tokens", "150000"},
                                  {"x-ratelimit-remaining-tokens", "149984"},
                                  {"x-ratelimit-reset-tokens", "6m0s"}},
                                 wire_now);
  BOOST_REQUIRE_EQUAL(reports.size(), 2u);
  BOOST_TEST(
    (reports[0] == limit_report{limit_kind::requests, 60, 59, wire_now + 1s}));
  BOOST_TEST((reports[1]
              == limit_report{limit_kind::total_tokens, 150'000, 149'984,
                              wire_now + 6min}));
}

BOOST_AUTO_TEST_CASE(what_is_no_limit_is_left_out) {
  BOOST_TEST(limits_of({}, wire_now).empty());
  // Azure, for a deployment that has none.
  BOOST_TEST(limits_of({{"x-ratelimit-limit-requests", "-1"},
                        {"x-ratelimit-remaining-requests", "-1"},
                        {"x-ratelimit-limit-tokens", "0"},
                        {"x-ratelimit-reset-tokens", "soon"}},
                       wire_now)
               .empty());
  BOOST_TEST(limits_of({{"anthropic-ratelimit-requests-limit", "1e3"},
                        {"anthropic-ratelimit-requests-reset", "tomorrow"}},
                       wire_now)
               .empty());
}

BOOST_AUTO_TEST_CASE(times_have_fractions_and_offsets) {
  const auto base =
    timestamp{std::chrono::sys_days{std::chrono::year{2025} / 8 / 21}} + 12h
    + 40min + 59s;
  BOOST_TEST((at("2025-08-21T12:40:59Z") == base));
  BOOST_TEST((at("2025-08-21t12:40:59z") == base));
  BOOST_TEST((at("2025-08-21T12:40:59.25Z") == base + 250ms));
  BOOST_TEST((at("2025-08-21T12:40:59.123456789Z") == base + 123'456us));
  BOOST_TEST((at("2025-08-21T14:40:59+02:00") == base));
  BOOST_TEST((at("2025-08-21T07:10:59-05:30") == base));
  for (const auto* wrong : {"", "2025-08-21", "2025-08-21T12:40:59",
                            "2025-02-30T12:40:59Z", "2025-08-21 12:40:59Z",
                            "2025-08-21T12:40:59.Z", "2025-08-21T12:40:59+2",
                            "2025-08-21T12:40:59Zulu", "2025-8-21T12:40:59Z"})
    BOOST_TEST_CONTEXT(wrong) {
      BOOST_TEST(!at(wrong));
    }
}

BOOST_AUTO_TEST_CASE(durations_are_read_as_go_writes_them) {
  BOOST_TEST((parse_go_duration("6m0s") == 6min));
  BOOST_TEST((parse_go_duration("20ms") == 20ms));
  BOOST_TEST((parse_go_duration("1h2m3.5s") == 1h + 2min + 3s + 500ms));
  BOOST_TEST((parse_go_duration("90µs") == 90us));
  BOOST_TEST((parse_go_duration("0s") == 0s));
  BOOST_TEST((parse_go_duration("0") == 0s));
  BOOST_TEST((parse_go_duration("99999h") == 24h));
  for (const auto* wrong : {"", "s", "12", "-1s", "1x", "1.2.3s", "m5"})
    BOOST_TEST_CONTEXT(wrong) {
      BOOST_TEST(!parse_go_duration(wrong));
    }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
