#include <kestrion/providers/http/client.hpp>
#include <kestrion/tests/support/http_calls.hpp>
#include <kestrion/tests/support/loopback_server.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <stop_token>
#include <string>
#include <thread>

/// Bodies that are handed out while they arrive, right and wrong ones.
namespace kestrion::test {

namespace http_stream_test {

constexpr std::string_view chunked_head =
  "HTTP/1.1 200 OK\r\nX-Kind: stream\r\nTransfer-Encoding: chunked\r\n\r\n";

http_request get(const std::string& url) {
  http_request request;
  request.method = "GET";
  request.url = url;
  request.timeout = hang;
  return request;
}

std::string chunk(std::string_view bytes) {
  constexpr std::string_view hex = "0123456789abcdef";
  ensure(bytes.size() < hex.size(), "a chunk of the tests has one digit");
  return hex[bytes.size()] + ("\r\n" + std::string{bytes}) + "\r\n";
}

std::string chunked(std::initializer_list<std::string_view> pieces) {
  std::string out{chunked_head};
  for (const auto piece : pieces)
    out += chunk(piece);
  return out + "0\r\n\r\n";
}

/// Plays one answer to each request of each connection.
loopback_server answering(const std::string& answer) {
  return loopback_server{[answer](loopback_connection& c) {
    while (!c.read_request().empty())
      c.write(answer);
  }};
}

} // namespace http_stream_test

BOOST_AUTO_TEST_SUITE(http_stream_test)

BOOST_AUTO_TEST_CASE(each_piece_is_handed_out_before_the_next_one_is_sent) {
  const auto sink = std::make_shared<body_log>();
  loopback_server server{[&](loopback_connection& c) {
    c.read_request();
    c.write(chunked_head);
    for (const auto* so_far : {"ab", "abcd", "abcdef"}) {
      const std::string_view all{so_far};
      c.write(chunk(all.substr(all.size() - 2)));
      sink->wait_for(all); // Not even the next chunk's first byte is out.
    }
    c.write("0\r\n\r\n");
    c.wait_for_close();
  }};
  http_client client;
  const auto response =
    response_of(outcome_of(start_stream(client, get(server.url()), sink)));
  BOOST_TEST(response.status == 200);
  BOOST_TEST(response.body.empty());
  BOOST_TEST(sink->pieces == 3u);
  BOOST_REQUIRE(sink->heads.size() == 1u);
  BOOST_TEST(*find_header(sink->heads[0].headers, "x-kind") == "stream");
  BOOST_TEST(client.idle_connections() == 1u);
}

BOOST_AUTO_TEST_CASE(a_body_of_any_framing_arrives_whole) {
  const std::string answers[] = {
    chunked({"a", "bc", "def"}), ok_response("abcdef"),
    "HTTP/1.1 200 OK\r\n\r\nabcdef",
    "HTTP/1.1 103 Early Hints\r\n\r\n" + ok_response("abcdef")};
  for (const auto& answer : answers) {
    loopback_server server{[&](loopback_connection& c) {
      c.read_request();
      c.write(answer);
    }};
    http_client client;
    const auto sink = std::make_shared<body_log>();
    response_of(outcome_of(start_stream(client, get(server.url()), sink)));
    BOOST_TEST(sink->body == "abcdef");
  }
}

BOOST_AUTO_TEST_CASE(a_connection_serves_one_stream_after_the_other) {
  const auto server = answering(chunked({"abc", "def"}));
  http_client client;
  for (int i = 0; i < 20; ++i) {
    const auto sink = std::make_shared<body_log>();
    response_of(outcome_of(start_stream(client, get(server.url()), sink)));
    BOOST_TEST(sink->body == "abcdef");
  }
  BOOST_TEST(server.connections() == 1u);
}

BOOST_AUTO_TEST_CASE(an_error_is_read_whole_and_so_is_what_the_sink_declines) {
  const auto refusing =
    answering("HTTP/1.1 429 Slow\r\nRetry-After: 3\r\nContent-Length: 4\r\n"
              "\r\nslow");
  const auto granting = answering(ok_response("json"));
  http_client client;
  const auto sink = std::make_shared<body_log>();
  const auto refusal =
    response_of(outcome_of(start_stream(client, get(refusing.url()), sink)));
  BOOST_TEST(refusal.status == 429);
  BOOST_TEST(refusal.body == "slow");
  BOOST_TEST(sink->heads.empty());
  sink->wanted = false;
  const auto whole =
    response_of(outcome_of(start_stream(client, get(granting.url()), sink)));
  BOOST_TEST(whole.body == "json");
  BOOST_TEST(sink->body.empty());
  BOOST_TEST(client.idle_connections() == 2u);
}

BOOST_AUTO_TEST_CASE(a_body_that_is_cut_at_any_byte_ends_with_an_error) {
  const auto whole = chunked({"abc", "defg", "h"});
  std::size_t cut = 0;
  loopback_server server{[&](loopback_connection& c) {
    c.read_request();
    c.write(std::string_view{whole}.substr(0, cut));
  }};
  http_client client;
  for (; cut <= whole.size(); ++cut) {
    const auto sink = std::make_shared<body_log>();
    auto outcome = outcome_of(start_stream(client, get(server.url()), sink));
    BOOST_TEST_CONTEXT("cut after " << cut << " bytes") {
      BOOST_TEST(std::string_view{"abcdefgh"}.starts_with(sink->body));
      BOOST_TEST(sink->heads.size() == (cut < chunked_head.size() ? 0u : 1u));
      if (cut < whole.size())
        BOOST_TEST((failure_of(std::move(outcome)).error.code == errc::io));
      else
        BOOST_TEST(response_of(std::move(outcome)).status == 200);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_body_that_comes_byte_by_byte_is_the_same) {
  const auto whole = chunked({"abc", "defg", "h"});
  loopback_server server{[&](loopback_connection& c) {
    c.read_request();
    for (const char byte : whole)
      c.write({&byte, 1});
  }};
  http_client client;
  const auto sink = std::make_shared<body_log>();
  response_of(outcome_of(start_stream(client, get(server.url()), sink)));
  BOOST_TEST(sink->body == "abcdefgh");
}

BOOST_AUTO_TEST_CASE(a_chunk_that_is_none_is_corrupt_after_what_was_good) {
  const auto server =
    answering(std::string{chunked_head} + chunk("abc") + "zz\r\nabc\r\n");
  http_client client;
  const auto sink = std::make_shared<body_log>();
  const auto failure =
    failure_of(outcome_of(start_stream(client, get(server.url()), sink)));
  BOOST_TEST((failure.error.code == errc::corrupt));
  BOOST_TEST((failure.step == http_step::body));
  BOOST_TEST(sink->body == "abc");
}

BOOST_AUTO_TEST_CASE(a_reset_in_the_middle_is_an_error) {
  const auto sink = std::make_shared<body_log>();
  loopback_server server{[&](loopback_connection& c) {
    c.read_request();
    c.write(std::string{chunked_head} + chunk("abc"));
    sink->wait_for("abc");
    c.reset();
  }};
  http_client client;
  BOOST_TEST(
    (failure_of(outcome_of(start_stream(client, get(server.url()), sink)))
       .error.code
     == errc::io));
}

BOOST_AUTO_TEST_CASE(a_half_closed_connection_is_an_error_at_once) {
  loopback_server server{[](loopback_connection& c) {
    c.read_request();
    c.write(std::string{chunked_head} + chunk("abc"));
    c.half_close();
    c.wait_for_close(); // It still listens; that must not keep the call.
  }};
  http_client client;
  const auto sink = std::make_shared<body_log>();
  const auto failure =
    failure_of(outcome_of(start_stream(client, get(server.url()), sink)));
  BOOST_TEST((failure.error.code == errc::io));
  BOOST_TEST(sink->body == "abc");
}

BOOST_AUTO_TEST_CASE(silence_ends_a_stream_and_a_pause_below_it_does_not) {
  loopback_server server{[](loopback_connection& c) {
    c.read_request();
    c.write(std::string{chunked_head} + chunk("abc"));
    c.wait_for_close();
  }};
  http_client client{{.timeouts = {.body = std::chrono::microseconds{1},
                                   .silence = std::chrono::milliseconds{30}}}};
  const auto sink = std::make_shared<body_log>();
  const auto failure =
    failure_of(outcome_of(start_stream(client, get(server.url()), sink)));
  BOOST_TEST((failure.error.code == errc::timeout));
  BOOST_TEST((failure.step == http_step::body));
  BOOST_TEST(sink->body == "abc"); // The limit of whole bodies is not its own.
}

BOOST_AUTO_TEST_CASE(
  a_stop_in_the_middle_ends_it_and_nothing_more_is_handed_out) {
  const auto sink = std::make_shared<body_log>();
  loopback_server server{[&](loopback_connection& c) {
    c.read_request();
    c.write(std::string{chunked_head} + chunk("abc"));
    while (c.write(chunk("x"))) {
    }
  }};
  http_client client;
  std::stop_source source;
  auto call = start_stream(client, get(server.url()), sink, source.get_token());
  {
    std::unique_lock lock{sink->mutex};
    BOOST_REQUIRE(sink->arrived.wait_for(
      lock, hang, [&] { return sink->body.size() > 3; }));
  }
  source.request_stop();
  const auto failure = failure_of(outcome_of(std::move(call)));
  BOOST_TEST((failure.error.code == errc::cancelled));
  const auto pieces = sink->pieces;
  call = start_stream(client, get("http://nowhere.invalid:bad"), sink);
  failure_of(outcome_of(std::move(call))); // The client's thread came by.
  BOOST_TEST(sink->pieces == pieces);
}

BOOST_AUTO_TEST_CASE(a_body_over_the_limit_ends_it) {
  loopback_server server{[](loopback_connection& c) {
    c.read_request();
    c.write(chunked_head);
    while (c.write(chunk("0123456789"))) {
    }
  }};
  http_client client{{.body_bytes_max = 1'000}};
  const auto sink = std::make_shared<body_log>();
  const auto failure =
    failure_of(outcome_of(start_stream(client, get(server.url()), sink)));
  BOOST_TEST((failure.error.code == errc::limit_exceeded));
  BOOST_TEST(sink->body.size() <= 1'000u);
}

BOOST_AUTO_TEST_CASE(who_has_enough_does_not_wait_for_the_end) {
  loopback_server server{[](loopback_connection& c) {
    c.read_request();
    c.write(std::string{chunked_head} + chunk("abc"));
    c.wait_for_close(); // No end of the body, ever.
  }};
  http_client client;
  const auto sink = std::make_shared<body_log>();
  sink->enough = [](const std::string& body) {
    return body == "abc";
  };
  const auto response =
    response_of(outcome_of(start_stream(client, get(server.url()), sink)));
  BOOST_TEST(response.status == 200);
  BOOST_TEST(sink.use_count() == 1); // It is dropped, too.
  BOOST_TEST(client.idle_connections() == 0u);
}

BOOST_AUTO_TEST_CASE(
  who_has_enough_keeps_the_connection_if_the_end_comes_soon) {
  std::promise<void> answered;
  auto seen = answered.get_future().share();
  loopback_server server{[&](loopback_connection& c) {
    while (!c.read_request().empty()) {
      c.write(std::string{chunked_head} + chunk("abc"));
      seen.wait_for(hang);
      c.write("0\r\n\r\n");
    }
  }};
  http_client client;
  const auto sink = std::make_shared<body_log>();
  sink->enough = [](const std::string&) {
    return true;
  };
  response_of(outcome_of(start_stream(client, get(server.url()), sink)));
  answered.set_value();
  const auto limit = std::chrono::steady_clock::now() + hang;
  while (client.idle_connections() == 0u
         && std::chrono::steady_clock::now() < limit)
    std::this_thread::yield();
  BOOST_TEST(client.idle_connections() == 1u);
}

BOOST_AUTO_TEST_CASE(a_client_may_go_while_the_rest_of_a_body_is_awaited) {
  loopback_server server{[](loopback_connection& c) {
    c.read_request();
    c.write(std::string{chunked_head} + chunk("abc"));
    c.wait_for_close();
  }};
  auto client = std::make_unique<http_client>();
  const auto sink = std::make_shared<body_log>();
  sink->enough = [](const std::string&) {
    return true;
  };
  response_of(outcome_of(start_stream(*client, get(server.url()), sink)));
  client.reset(); // Would hang if the call were forgotten.
  BOOST_TEST(sink->body == "abc");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
