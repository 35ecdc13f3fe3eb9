#include <kestrion/providers/http/client.hpp>
#include <kestrion/tests/support/http_calls.hpp>
#include <kestrion/tests/support/loopback_server.hpp>

#include <boost/test/unit_test.hpp>

#include <condition_variable>
#include <mutex>
#include <string>

#include <sys/socket.h>

namespace kestrion::test {

namespace http_fault_test {

http_request get(const std::string& url) {
  http_request request;
  request.method = "GET";
  request.url = url;
  request.timeout = hang;
  return request;
}

} // namespace http_fault_test

BOOST_AUTO_TEST_SUITE(http_fault_test)

BOOST_AUTO_TEST_CASE(an_answer_that_is_cut_at_any_byte_is_an_error) {
  const auto whole = ok_response(R"({"text":"all of it"})", "X-Y: z\r\n");
  std::size_t cut = 0;
  loopback_server server{[&](loopback_connection& c) {
    c.read_request();
    c.write(std::string_view{whole}.substr(0, cut));
  }};
  http_client client;
  for (; cut < whole.size(); ++cut) {
    const auto failure = failure_of(call(client, get(server.url())));
    BOOST_TEST_CONTEXT("cut after " << cut << " bytes") {
      BOOST_TEST((failure.error.code == errc::io));
      BOOST_TEST(!failure.before_send);
    }
  }
  BOOST_TEST(response_of(call(client, get(server.url()))).status == 200);
}

BOOST_AUTO_TEST_CASE(chunks_that_are_cut_at_any_byte_are_an_error) {
  const std::string whole = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                            "\r\n4\r\nabcd\r\n1\r\ne\r\n0\r\n\r\n";
  std::size_t cut = 0;
  loopback_server server{[&](loopback_connection& c) {
    c.read_request();
    c.write(std::string_view{whole}.substr(0, cut));
  }};
  http_client client;
  for (; cut < whole.size(); ++cut)
    BOOST_TEST(
      (failure_of(call(client, get(server.url()))).error.code == errc::io));
}

BOOST_AUTO_TEST_CASE(a_reset_connection_is_an_error) {
  loopback_server server{[](loopback_connection& c) {
    c.read_request();
    c.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    c.reset();
  }};
  http_client client;
  const auto failure = failure_of(call(client, get(server.url())));
  BOOST_TEST((failure.error.code == errc::io));
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_no_http_is_corrupt) {
  const std::string bad[] = {
    "SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/1.1 xx OK\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
    "HTTP/1.1 200 OK\r\nBad Header\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n"};
  loopback_server server{[&](loopback_connection& c) {
    c.read_request();
    c.write(bad[c.index()]);
    c.wait_for_close();
  }};
  http_client client;
  for (const auto& text : bad) {
    const auto failure = failure_of(call(client, get(server.url())));
    BOOST_TEST_CONTEXT(text) {
      BOOST_TEST((failure.error.code == errc::corrupt));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_body_over_the_limit_is_refused_announced_or_not) {
  constexpr std::size_t huge = 50'000'000;
  loopback_server server{[](loopback_connection& c) {
    c.read_request();
    const std::string block(1'000'000, 'x');
    if (c.index() == 0)
      c.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(huge)
              + "\r\n\r\n");
    else
      c.write("HTTP/1.1 200 OK\r\n\r\n");
    for (std::size_t sent = 0; sent < huge; sent += block.size())
      if (!c.write(block))
        return;
  }};
  http_client client;
  for (int i = 0; i < 2; ++i) {
    const auto failure = failure_of(call(client, get(server.url())));
    BOOST_TEST((failure.error.code == errc::limit_exceeded));
  }
}

BOOST_AUTO_TEST_CASE(a_body_at_the_limit_is_read) {
  const std::string body(1'000, 'x');
  loopback_server server{[&](loopback_connection& c) {
    c.read_request();
    c.write(ok_response(body));
  }};
  http_client exact{{.body_bytes_max = 1'000}};
  BOOST_TEST(response_of(call(exact, get(server.url()))).body == body);
  http_client less{{.body_bytes_max = 999}};
  BOOST_TEST((failure_of(call(less, get(server.url()))).error.code
              == errc::limit_exceeded));
}

BOOST_AUTO_TEST_CASE(a_header_over_the_limit_is_refused) {
  loopback_server server{[](loopback_connection& c) {
    c.read_request();
    c.write("HTTP/1.1 200 OK\r\n");
    while (c.write("X-Filler: " + std::string(1'000, 'x') + "\r\n")) {
    }
  }};
  http_client client;
  BOOST_TEST((failure_of(call(client, get(server.url()))).error.code
              == errc::limit_exceeded));
}

BOOST_AUTO_TEST_CASE(a_refused_connection_is_an_error_before_anything_is_sent) {
  std::string url;
  {
    const loopback_server gone{[](loopback_connection&) {
    }};
    url = gone.url();
  }
  http_client client;
  const auto failure = failure_of(call(client, get(url)));
  BOOST_TEST((failure.error.code == errc::io));
  BOOST_TEST((failure.step == http_step::connect));
  BOOST_TEST(failure.before_send);
}

BOOST_AUTO_TEST_CASE(a_name_without_an_address_is_an_error) {
  http_client client;
  const auto failure = failure_of(call(client, get("http://nowhere.invalid/")));
  BOOST_TEST((failure.error.code == errc::io));
  BOOST_TEST((failure.step == http_step::resolve));
  BOOST_TEST(failure.before_send);
  BOOST_TEST(failure.error.detail.find("nowhere.invalid") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_next_address_is_tried_when_one_refuses) {
  loopback_server server{[](loopback_connection& c) {
    c.read_request();
    c.write(ok_response("x"));
  }};
  http_client client{{.resolver = [](const std::string&) {
    // Nothing listens on the first; the second is no address at all.
    return std::vector<std::string>{"127.0.0.2", "nonsense", "127.0.0.1"};
  }}};
  const auto response = response_of(call(client, get(server.url("some.host"))));
  BOOST_TEST(response.status == 200);
}

BOOST_AUTO_TEST_CASE(a_resolver_that_throws_is_an_error) {
  http_client client{
    {.resolver = [](const std::string&) -> result<std::vector<std::string>> {
      throw std::runtime_error{"no resolver today"};
    }}};
  const auto failure = failure_of(call(client, get("http://some.host/")));
  BOOST_TEST((failure.error.code == errc::io));
  BOOST_TEST(failure.error.detail.find("no resolver today")
             != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_thousand_calls_are_in_flight_at_once) {
  constexpr std::size_t count = 1'000;
  if (!allow_open_files(2 * count + 200)) {
    BOOST_TEST_MESSAGE("skipped: the system allows too few open files");
    return;
  }
  std::mutex mutex;
  std::condition_variable all_there;
  std::size_t arrived = 0;
  loopback_server server{[&](loopback_connection& c) {
    c.read_request();
    {
      std::unique_lock lock{mutex};
      if (++arrived == count)
        all_there.notify_all();
      // Nobody gets an answer before everybody has asked.
      all_there.wait_for(lock, hang, [&] { return arrived == count; });
    }
    c.write(ok_response("x"));
    c.wait_for_close();
  }};
  http_client client;
  std::vector<std::future<http_outcome>> calls;
  calls.reserve(count);
  for (std::size_t i = 0; i < count; ++i)
    calls.push_back(start_call(client, get(server.url())));
  std::size_t answered = 0;
  for (auto& c : calls)
    answered += response_of(outcome_of(std::move(c))).status == 200 ? 1 : 0;
  BOOST_TEST(answered == count);
  BOOST_TEST(arrived == count);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
