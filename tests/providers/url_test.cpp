#include <kestrion/providers/http/url.hpp>

#include <boost/test/unit_test.hpp>

#include <string>

namespace kestrion {

BOOST_AUTO_TEST_SUITE(url_test)

BOOST_AUTO_TEST_CASE(a_url_comes_apart_into_scheme_host_port_and_target) {
  const auto url =
    parse_http_url("https://API.Example.com:8443/v1/x?a=b").value();
  BOOST_TEST(url.tls);
  BOOST_TEST(url.host == "api.example.com");
  BOOST_TEST(url.port == 8443);
  BOOST_TEST(url.target == "/v1/x?a=b");
  BOOST_TEST(url.origin() == "https://api.example.com:8443");
  BOOST_TEST(url.authority() == "api.example.com:8443");
}

BOOST_AUTO_TEST_CASE(a_scheme_has_its_own_port_which_the_host_header_omits) {
  const auto http = parse_http_url("http://example.com").value();
  BOOST_TEST(http.port == 80);
  BOOST_TEST(http.target == "/");
  BOOST_TEST(http.authority() == "example.com");
  const auto https = parse_http_url("HTTPS://example.com?q").value();
  BOOST_TEST(https.port == 443);
  BOOST_TEST(https.target == "/?q");
}

BOOST_AUTO_TEST_CASE(an_ipv6_address_stands_in_brackets) {
  const auto url = parse_http_url("http://[::1]:11434/api").value();
  BOOST_TEST(url.host == "::1");
  BOOST_TEST(url.port == 11434);
  BOOST_TEST(url.authority() == "[::1]:11434");
}

BOOST_AUTO_TEST_CASE(what_is_no_http_url_is_refused_with_a_reason) {
  const std::string bad[] = {"",
                             "example.com",
                             "ftp://example.com",
                             "http://",
                             "http:///path",
                             "http://:80",
                             "http://a b",
                             "http://a\r\nX: y",
                             "http://user:secret@host",
                             "http://host#part",
                             "http://host:0",
                             "http://host:65536",
                             "http://host:12x",
                             "http://host:",
                             "http://[::1",
                             "http://[::1]8080",
                             "http://ho$t"};
  for (const auto& text : bad) {
    const auto url = parse_http_url(text);
    BOOST_TEST_CONTEXT("URL " << text) {
      BOOST_REQUIRE(!url);
      BOOST_TEST((url.error().code == errc::invalid_argument));
      BOOST_TEST(!url.error().detail.empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(a_password_in_a_url_is_not_repeated_in_the_error) {
  const auto url = parse_http_url("http://user:secret@host");
  BOOST_TEST(url.error().detail.find("secret") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion
