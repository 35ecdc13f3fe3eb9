#include <kestrion/providers/http/client.hpp>
#include <kestrion/tests/support/http_calls.hpp>
#include <kestrion/tests/support/loopback_server.hpp>
#include <kestrion/tests/support/temp_folder.hpp>

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <string>

namespace kestrion::test {

namespace http_tls_test {

void answer(loopback_connection& c) {
  while (!c.read_request().empty())
    c.write(ok_response("secret"));
}

/// Every name is this machine.
result<std::vector<std::string>> here(const std::string&) {
  return std::vector<std::string>{"127.0.0.1"};
}

http_request get(const std::string& url) {
  http_request request;
  request.method = "GET";
  request.url = url;
  request.timeout = hang;
  return request;
}

} // namespace http_tls_test

BOOST_AUTO_TEST_SUITE(http_tls_test)

BOOST_AUTO_TEST_CASE(a_trusted_certificate_for_the_name_is_accepted) {
  const auto identity = make_tls_identity("api.test");
  loopback_server server{answer, identity};
  http_client client{{.ca_pem = identity.certificate, .resolver = here}};
  for (int i = 0; i < 3; ++i)
    BOOST_TEST(response_of(call(client, get(server.url("api.test")))).body
               == "secret");
  BOOST_TEST(server.connections() == 1u); // TLS connections are kept as well.
}

BOOST_AUTO_TEST_CASE(a_ca_file_is_trusted_as_well) {
  const temp_folder folder;
  const auto identity = make_tls_identity("api.test");
  const auto path = folder / "ca.pem";
  std::ofstream{path} << identity.certificate;
  loopback_server server{answer, identity};
  http_client client{{.ca_file = path, .resolver = here}};
  BOOST_TEST(response_of(call(client, get(server.url("api.test")))).status
             == 200);
}

BOOST_AUTO_TEST_CASE(a_certificate_for_an_address_is_checked_against_it) {
  const auto identity = make_tls_identity("127.0.0.1");
  loopback_server server{answer, identity};
  http_client client{{.ca_pem = identity.certificate, .resolver = here}};
  BOOST_TEST(response_of(call(client, get(server.url()))).status == 200);
}

BOOST_AUTO_TEST_CASE(an_unknown_authority_is_refused_before_anything_is_sent) {
  loopback_server server{answer, make_tls_identity("api.test")};
  http_client client{{.resolver = here}};
  const auto failure = failure_of(call(client, get(server.url("api.test"))));
  BOOST_TEST((failure.error.code == errc::unauthenticated));
  BOOST_TEST((failure.step == http_step::handshake));
  BOOST_TEST(failure.before_send);
}

BOOST_AUTO_TEST_CASE(a_certificate_for_another_name_is_refused) {
  const auto identity = make_tls_identity("other.test");
  loopback_server server{answer, identity};
  http_client client{{.ca_pem = identity.certificate, .resolver = here}};
  for (const auto* host : {"api.test", "127.0.0.1"}) {
    const auto failure = failure_of(call(client, get(server.url(host))));
    BOOST_TEST((failure.error.code == errc::unauthenticated));
    BOOST_TEST(failure.before_send);
  }
}

BOOST_AUTO_TEST_CASE(a_server_without_tls_is_an_error) {
  loopback_server server{[](loopback_connection& c) {
    c.write("HTTP/1.1 400 Bad Request\r\n\r\n");
    c.wait_for_close();
  }};
  http_client client;
  const auto failure = failure_of(
    call(client, get("https://127.0.0.1:" + std::to_string(server.port()))));
  BOOST_TEST((failure.error.code == errc::io));
  BOOST_TEST((failure.step == http_step::handshake));
}

BOOST_AUTO_TEST_CASE(a_tls_answer_that_is_cut_is_an_error_at_any_byte) {
  const std::string whole = "HTTP/1.1 200 OK\r\n\r\nto the end";
  const auto identity = make_tls_identity("api.test");
  std::size_t cut = 0;
  loopback_server server{[&](loopback_connection& c) {
                           c.read_request();
                           c.write(std::string_view{whole}.substr(0, cut));
                         },
                         identity};
  http_client client{{.ca_pem = identity.certificate, .resolver = here}};
  // The peer never says close_notify, so even the whole text may be a part.
  for (; cut <= whole.size(); ++cut)
    BOOST_TEST((failure_of(call(client, get(server.url("api.test")))).error.code
                == errc::io));
}

BOOST_AUTO_TEST_CASE(a_ca_that_cannot_be_read_is_named_at_the_call) {
  const http_client_options bad[] = {{.ca_file = "/nowhere/ca.pem"},
                                     {.ca_pem = "no certificate"}};
  for (const auto& options : bad) {
    http_client client{options};
    const auto failure = failure_of(call(client, get("https://127.0.0.1:1")));
    BOOST_TEST((failure.error.code == errc::invalid_argument));
    BOOST_TEST((failure.step == http_step::check));
    // Without TLS it does not matter.
    BOOST_TEST((failure_of(call(client, get("http://127.0.0.1:1"))).error.code
                == errc::io));
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
