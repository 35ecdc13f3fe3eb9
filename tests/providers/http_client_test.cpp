#include <kestrion/providers/http/client.hpp>
#include <kestrion/tests/support/http_calls.hpp>
#include <kestrion/tests/support/loopback_server.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <string>

namespace kestrion::test {

namespace http_client_test {

/// Answers every request with its own text.
void echo(loopback_connection& c) {
  for (auto request = c.read_request(); !request.empty();
       request = c.read_request())
    c.write(ok_response(request));
}

http_request post(const loopback_server& server, std::string body = "hello") {
  http_request request;
  request.url = server.url() + "/path?q=1";
  request.body = std::move(body);
  request.timeout = hang;
  return request;
}

bool contains(const std::string& text, std::string_view what) {
  return text.find(what) != std::string::npos;
}

} // namespace http_client_test

BOOST_AUTO_TEST_SUITE(http_client_test)

BOOST_AUTO_TEST_CASE(a_request_arrives_as_it_was_written) {
  loopback_server server{echo};
  http_client client;
  auto request = post(server);
  request.headers = {{"X-One", "1"}, {"X-Two", "zwei"}};

  const auto response = response_of(call(client, request));

  BOOST_TEST(response.status == 200);
  const auto& sent = response.body;
  BOOST_TEST(sent.starts_with("POST /path?q=1 HTTP/1.1\r\n"));
  BOOST_TEST(
    contains(sent, "Host: 127.0.0.1:" + std::to_string(server.port())));
  BOOST_TEST(contains(sent, "X-One: 1\r\n"));
  BOOST_TEST(contains(sent, "X-Two: zwei\r\n"));
  BOOST_TEST(contains(sent, "User-Agent: kestrion/"));
  BOOST_TEST(contains(sent, "Content-Length: 5\r\n"));
  BOOST_TEST(sent.ends_with("\r\n\r\nhello"));
  BOOST_TEST(*find_header(response.headers, "content-TYPE")
             == "application/json");
  BOOST_TEST(!find_header(response.headers, "absent"));
}

BOOST_AUTO_TEST_CASE(
  a_body_in_chunks_or_up_to_the_end_of_the_connection_is_read) {
  loopback_server server{[](loopback_connection& c) {
    c.read_request();
    c.write(c.index() == 0 ? "HTTP/1.1 200 OK\r\nConnection: close\r\n"
                             "Transfer-Encoding: chunked\r\n\r\n"
                             "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
                           : "HTTP/1.1 200 OK\r\n\r\nto the end");
  }};
  http_client client;
  BOOST_TEST(response_of(call(client, post(server))).body == "abcde");
  BOOST_TEST(response_of(call(client, post(server))).body == "to the end");
}

BOOST_AUTO_TEST_CASE(an_interim_answer_is_not_the_answer) {
  loopback_server server{[](loopback_connection& c) {
    c.read_request();
    c.write("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok_response("yes"));
    c.wait_for_close();
  }};
  http_client client;
  const auto response = response_of(call(client, post(server)));
  BOOST_TEST(response.status == 200);
  BOOST_TEST(response.body == "yes");
}

BOOST_AUTO_TEST_CASE(calls_in_a_row_share_one_connection) {
  loopback_server server{echo};
  http_client client;
  for (int i = 0; i < 5; ++i)
    response_of(call(client, post(server)));
  BOOST_TEST(server.connections() == 1u);
  BOOST_TEST(client.idle_connections() == 1u);
}

BOOST_AUTO_TEST_CASE(a_connection_that_the_server_wants_to_close_is_not_kept) {
  loopback_server server{[](loopback_connection& c) {
    c.read_request();
    c.write(ok_response("x", "Connection: close\r\n"));
    c.wait_for_close();
  }};
  http_client client;
  response_of(call(client, post(server)));
  BOOST_TEST(client.idle_connections() == 0u);
}

BOOST_AUTO_TEST_CASE(no_more_idle_connections_than_allowed_are_kept) {
  loopback_server server{echo};
  http_client client{{.idle_per_origin_max = 2}};
  std::vector<std::future<http_outcome>> calls;
  calls.reserve(8);
  for (int i = 0; i < 8; ++i)
    calls.push_back(start_call(client, post(server)));
  for (auto& c : calls)
    response_of(outcome_of(std::move(c)));
  BOOST_TEST(client.idle_connections() <= 2u);
}

BOOST_AUTO_TEST_CASE(an_idle_connection_is_given_up_after_its_time) {
  std::promise<void> closed;
  loopback_server server{[&](loopback_connection& c) {
    c.read_request();
    c.write(ok_response("x"));
    c.wait_for_close();
    closed.set_value();
  }};
  http_client client{{.idle_max = std::chrono::milliseconds{20}}};
  response_of(call(client, post(server)));
  BOOST_REQUIRE(
    (closed.get_future().wait_for(hang) == std::future_status::ready));
  BOOST_TEST(client.idle_connections() == 0u);
}

BOOST_AUTO_TEST_CASE(a_kept_connection_that_the_server_closed_is_not_used) {
  std::promise<void> closed;
  loopback_server server{[&](loopback_connection& c) {
    c.read_request();
    c.write(ok_response("x"));
    if (c.index() == 0)
      return; // Closes, though it said that it would not.
    echo(c);
  }};
  http_client client;
  response_of(call(client, post(server)));
  // The close may still be on its way: both ways out have to work.
  auto request = post(server);
  request.repeatable = true;
  BOOST_TEST(response_of(call(client, request)).body == "x");
  BOOST_TEST(server.connections() == 2u);
}

BOOST_AUTO_TEST_CASE(
  a_kept_connection_that_dies_before_the_answer_is_replaced) {
  loopback_server server{[](loopback_connection& c) {
    if (c.index() > 0)
      return echo(c);
    c.read_request();
    c.write(ok_response("first"));
    c.read_request(); // The second one; no answer.
  }};
  http_client client;
  response_of(call(client, post(server)));
  auto request = post(server);
  request.repeatable = true;
  BOOST_TEST(response_of(call(client, request)).status == 200);
  BOOST_TEST(server.connections() == 2u);
}

BOOST_AUTO_TEST_CASE(an_answer_that_has_begun_is_never_asked_for_again) {
  loopback_server server{[](loopback_connection& c) {
    c.read_request();
    c.write(ok_response("first"));
    c.read_request();
    c.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut");
  }};
  http_client client;
  response_of(call(client, post(server)));
  auto request = post(server);
  request.repeatable = true;
  BOOST_TEST((failure_of(call(client, request)).error.code == errc::io));
  BOOST_TEST(server.connections() == 1u);
}

BOOST_AUTO_TEST_CASE(a_request_that_must_not_be_repeated_is_not) {
  std::atomic<int> requests{0};
  loopback_server server{[&](loopback_connection& c) {
    c.read_request();
    ++requests;
    c.write(ok_response("first"));
    if (!c.read_request().empty())
      ++requests;
  }};
  http_client client;
  response_of(call(client, post(server)));
  const auto failure = failure_of(call(client, post(server)));
  BOOST_TEST((failure.error.code == errc::io));
  BOOST_TEST(!failure.before_send);
  BOOST_TEST(requests == 2);
}

BOOST_AUTO_TEST_CASE(
  a_fresh_connection_that_dies_is_an_error_even_if_repeatable) {
  loopback_server server{[](loopback_connection& c) {
    c.read_request();
  }};
  http_client client;
  auto request = post(server);
  request.repeatable = true;
  BOOST_TEST((failure_of(call(client, request)).error.code == errc::io));
  BOOST_TEST(server.connections() == 1u);
}

BOOST_AUTO_TEST_CASE(an_answer_that_comes_before_the_body_is_sent_counts) {
  loopback_server server{[](loopback_connection& c) {
    c.write("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
    c.wait_for_close();
  }};
  http_client client;
  const auto response =
    response_of(call(client, post(server, std::string(4'000'000, 'x'))));
  BOOST_TEST(response.status == 413);
  BOOST_TEST(response.body == "no");
}

BOOST_AUTO_TEST_CASE(headers_that_would_split_the_request_are_refused) {
  loopback_server server{echo};
  http_client client;
  const http_headers bad[] = {{{"X", "a\r\nY: b"}},
                              {{"X", std::string{"a\0b", 3}}},
                              {{"X y", "a"}},
                              {{"", "a"}}};
  for (const auto& headers : bad) {
    auto request = post(server);
    request.headers = headers;
    const auto failure = failure_of(call(client, request));
    BOOST_TEST((failure.error.code == errc::invalid_argument));
    BOOST_TEST((failure.step == http_step::check));
    BOOST_TEST(failure.before_send);
  }
  BOOST_TEST(server.connections() == 0u);
}

BOOST_AUTO_TEST_CASE(a_client_without_the_callers_last_owner_ends_its_calls) {
  loopback_server server{[](loopback_connection& c) {
    c.wait_for_close();
  }};
  std::vector<std::future<http_outcome>> calls;
  {
    http_client client{{.threads = 3}};
    for (int i = 0; i < 20; ++i)
      calls.push_back(start_call(client, post(server)));
    server.wait_for_connections(1);
  }
  for (auto& c : calls) {
    BOOST_REQUIRE(
      (c.wait_for(std::chrono::seconds{0}) == std::future_status::ready));
    BOOST_TEST((failure_of(c.get()).error.code == errc::cancelled));
  }
}

BOOST_AUTO_TEST_CASE(a_callback_may_drop_the_last_owner_of_its_client) {
  loopback_server server{echo};
  auto client = std::make_shared<http_client>();
  std::promise<void> dropped;
  auto* raw = client.get();
  raw->request(
    post(server), {},
    [&dropped, owner = std::move(client)](const http_outcome&) mutable {
      owner.reset();
      dropped.set_value();
    });
  BOOST_TEST(
    (dropped.get_future().wait_for(hang) == std::future_status::ready));
}

BOOST_AUTO_TEST_CASE(a_callback_that_throws_harms_no_other_call) {
  loopback_server server{echo};
  http_client client;
  client.request(post(server), {},
                 [](const http_outcome&) { throw std::runtime_error{"mine"}; });
  for (int i = 0; i < 3; ++i)
    BOOST_TEST(response_of(call(client, post(server))).status == 200);
}

BOOST_AUTO_TEST_CASE(the_shared_client_is_one_and_lives_as_long_as_it_is_used) {
  auto a = shared_http_client();
  const std::weak_ptr<http_client> watch = a;
  BOOST_TEST(a == shared_http_client());
  a.reset();
  BOOST_TEST(watch.expired());
  BOOST_TEST(shared_http_client());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
