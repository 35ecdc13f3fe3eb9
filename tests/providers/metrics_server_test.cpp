#include <kestrion/messages/error.hpp>
#include <kestrion/providers/metrics/metrics_server.hpp>
#include <kestrion/tests/support/http_calls.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <string>

namespace kestrion::test {

namespace metrics_server_test {

std::string get(const metrics_server& server) {
  http_client client;
  http_request request;
  request.method = "GET";
  request.url =
    "http://127.0.0.1:" + std::to_string(server.port()) + "/metrics";
  request.timeout = hang;
  const auto response = response_of(call(client, std::move(request)));
  BOOST_TEST(response.status == 200);
  return response.body;
}

void check_says(const std::string& text, const std::string& line) {
  BOOST_TEST(text.find(line + "\n") != std::string::npos,
             "no line \"" << line << "\" in:\n"
                          << text);
}

errc refusal_of(const std::string& address) {
  try {
    const metrics_server server{address, [] {
                                  return std::vector<metric_family>{};
                                }};
  } catch (const failure& e) {
    return e.code();
  }
  return errc::ok;
}

} // namespace metrics_server_test

BOOST_AUTO_TEST_SUITE(metrics_server_test)

BOOST_AUTO_TEST_CASE(what_is_counted_is_served_as_it_is_at_that_moment) {
  std::atomic<int> asked{0};
  const metrics_server server{
    "127.0.0.1:0", [&] {
      const double n = ++asked;
      return std::vector<metric_family>{
        {"calls_total", "All calls.", metric_type::counter, {{.value = n}}},
        {"left",
         "What is left.",
         metric_type::gauge,
         {{{{"limit", "a"}}, -5}, {{{"limit", "b \"quoted\""}}, 7}}},
        {"wait_seconds",
         "How long.",
         metric_type::histogram,
         {{{{"lane", "batch"}}, 3.5, {{0.1, 1}, {5, 3}}, 4}}}};
    }};
  const auto first = get(server);
  check_says(first, "# TYPE calls_total counter");
  check_says(first, "# HELP calls_total All calls.");
  check_says(first, "calls_total 1");
  check_says(first, "left{limit=\"a\"} -5");
  check_says(first, "left{limit=\"b \\\"quoted\\\"\"} 7");
  check_says(first, "# TYPE wait_seconds histogram");
  check_says(first, "wait_seconds_bucket{lane=\"batch\",le=\"0.1\"} 1");
  check_says(first, "wait_seconds_bucket{lane=\"batch\",le=\"5\"} 3");
  check_says(first, "wait_seconds_bucket{lane=\"batch\",le=\"+Inf\"} 4");
  check_says(first, "wait_seconds_sum{lane=\"batch\"} 3.5");
  check_says(first, "wait_seconds_count{lane=\"batch\"} 4");
  check_says(get(server), "calls_total 2");
}

BOOST_AUTO_TEST_CASE(an_address_that_is_none_or_taken_is_refused) {
  for (const auto* wrong :
       {"", "9464", "localhost", ":9464", "127.0.0.1:", "127.0.0.1:99999x",
        "127.0.0.1:1,8080", "example.org:80"})
    BOOST_TEST_CONTEXT(wrong) {
      BOOST_TEST((refusal_of(wrong) == errc::invalid_argument));
    }
  const metrics_server server{"127.0.0.1:0", [] {
                                return std::vector<metric_family>{};
                              }};
  BOOST_TEST(
    (refusal_of("127.0.0.1:" + std::to_string(server.port())) == errc::io));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
