#include <kestrion/providers/models/failure.hpp>
#include <kestrion/tests/providers/wire_requests.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>

namespace kestrion::test {

namespace failure_test {

using namespace std::chrono_literals;

constexpr answer_context context{"vendor", "m", "s3cret", wire_now};

model_failure failed(int status, http_headers headers = {},
                     const vendor_error& why = {}) {
  return failure_of(http_response{status, std::move(headers), {}}, why,
                    context);
}

std::optional<duration> wait(const char* name, const std::string& value) {
  return retry_after({{name, value}}, wire_now);
}

} // namespace failure_test

BOOST_AUTO_TEST_SUITE(failure_test)

BOOST_AUTO_TEST_CASE(each_status_has_a_code_and_is_worth_a_retry_or_not) {
  struct row {
    int status;
    errc code;
    bool retryable;
  };
  for (const auto& r :
       {row{302, errc::refused, false}, row{400, errc::invalid_argument, false},
        row{401, errc::unauthenticated, false},
        row{402, errc::quota_exhausted, false}, row{403, errc::refused, false},
        row{404, errc::refused, false}, row{408, errc::timeout, true},
        row{409, errc::unavailable, true}, row{413, errc::refused, false},
        row{422, errc::invalid_argument, false},
        row{429, errc::rate_limited, true}, row{499, errc::refused, false},
        row{500, errc::unavailable, true}, row{502, errc::unavailable, true},
        row{503, errc::unavailable, true}, row{504, errc::unavailable, true},
        row{529, errc::unavailable, true}}) {
    const auto failure = failed(r.status);
    BOOST_TEST_CONTEXT("status " << r.status) {
      BOOST_TEST((failure.error.code == r.code));
      BOOST_TEST(failure.retryable == r.retryable);
      BOOST_TEST(failure.http_status == r.status);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_server_has_the_last_word_on_retries) {
  BOOST_TEST(!failed(500, {{"x-should-retry", "false"}}).retryable);
  BOOST_TEST(failed(400, {{"X-Should-Retry", "true"}}).retryable);
  BOOST_TEST(failed(500, {{"x-should-retry", "maybe"}}).retryable);
}

BOOST_AUTO_TEST_CASE(a_wait_is_read_in_seconds_milliseconds_or_as_a_date) {
  BOOST_TEST((wait("Retry-After", "7") == 7s));
  BOOST_TEST((wait("Retry-After", "1.5") == 1500ms));
  BOOST_TEST((wait("Retry-After", "0") == 0s));
  BOOST_TEST((wait("retry-after-ms", "250") == 250ms));
  BOOST_TEST((wait("Retry-After", "Mon, 23 Nov 2026 00:00:30 GMT") == 30s));
  BOOST_TEST((wait("Retry-After", "Mon, 16 Nov 2026 00:00:30 GMT") == 0s));
  BOOST_TEST(
    (retry_after({{"retry-after", "9"}, {"retry-after-ms", "5"}}, wire_now)
     == 5ms));
}

BOOST_AUTO_TEST_CASE(a_wait_that_makes_no_sense_is_none) {
  for (const auto* value :
       {"", "-1", "soon", "nan", "7 s", "0x10", "Mon, 99 Nov 2026 00:00:30 GMT",
        "Mon, 23 Foo 2026 00:00:30 GMT", "Mon, 23 Nov 2026 00:00:30 CET"})
    BOOST_TEST(!wait("Retry-After", value), value);
  BOOST_TEST((wait("Retry-After", "1e300") == 24h));
  BOOST_TEST((wait("Retry-After", "inf") == 24h));
  BOOST_TEST((wait("Retry-After", "Mon, 23 Nov 9999 00:00:30 GMT") == 24h));
}

BOOST_AUTO_TEST_CASE(only_what_may_be_retried_has_a_wait) {
  BOOST_TEST((failed(429, {{"retry-after", "3"}}).retry_after == 3s));
  BOOST_TEST(!failed(429).retry_after);
  BOOST_TEST(!failed(400, {{"retry-after", "3"}}).retry_after);
}

BOOST_AUTO_TEST_CASE(a_message_is_one_short_line_without_the_key) {
  std::string message = "the key s3cret and s3cret\nis wrong ";
  for (int i = 0; i < 300; ++i)
    message += "\u00e9";
  const auto detail =
    failed(400, {}, {"s3cret_type", "", message}).error.detail;
  BOOST_TEST(detail.find("s3cret") == std::string::npos);
  BOOST_TEST(detail.find("the key [key] and [key] is wrong")
             != std::string::npos);
  BOOST_TEST(detail.find('\n') == std::string::npos);
  BOOST_TEST(detail.ends_with("\u00e9..."));
  BOOST_TEST(detail.size() < 400u);
}

BOOST_AUTO_TEST_CASE(a_lost_connection_may_be_retried_and_a_bad_request_not) {
  const auto retryable = [](errc code) {
    return failure_of(http_failure{{code, "why"}, http_step::check, true})
      .retryable;
  };
  BOOST_TEST(retryable(errc::io));
  BOOST_TEST(retryable(errc::timeout));
  for (const auto code :
       {errc::cancelled, errc::invalid_argument, errc::unauthenticated,
        errc::limit_exceeded, errc::corrupt})
    BOOST_TEST(!retryable(code));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
