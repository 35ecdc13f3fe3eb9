#include <kestrion/providers/http/client.hpp>
#include <kestrion/tests/support/http_calls.hpp>
#include <kestrion/tests/support/loopback_server.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <stop_token>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/// A peer that stops making progress, in each step: the step's limit ends the
/// call, and so does a stop.
namespace kestrion::test {

namespace http_stuck_test {

constexpr std::chrono::milliseconds short_limit{30};

/// A port whose queue of connections is full: another one hangs in `connect`.
class full_port {
public:
  full_port() : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const auto* any = reinterpret_cast<const sockaddr*>(&address);
    ::bind(listener_, any, sizeof address);
    ::listen(listener_, 0);
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    for (auto& filler : fillers_) {
      filler = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
      ::connect(filler, any, sizeof address);
    }
  }
  ~full_port() {
    for (const int filler : fillers_)
      ::close(filler);
    ::close(listener_);
  }
  full_port(const full_port&) = delete;
  full_port& operator=(const full_port&) = delete;

  std::string url() const {
    return "http://127.0.0.1:" + std::to_string(port_);
  }

private:
  int listener_;
  int fillers_[4] = {};
  std::uint16_t port_ = 0;
};

struct stuck_call {
  http_step step;
  std::string url;
  std::string body;
};

/// One call for each step, which gets exactly there and no further.
struct stuck_peers {
  std::promise<void> over;
  std::shared_future<void> wait{over.get_future()};
  full_port full;
  loopback_server silent{[](loopback_connection& c) {
    c.wait_for_close();
  }};
  loopback_server deaf{[wait = wait](loopback_connection& c) {
    wait.wait_for(hang);
    c.reset();
  }};
  loopback_server mute{[](loopback_connection& c) {
    c.read_request();
    c.wait_for_close();
  }};
  loopback_server half{[](loopback_connection& c) {
    c.read_request();
    c.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    c.wait_for_close();
  }};

  stuck_peers() = default;
  ~stuck_peers() { over.set_value(); }
  stuck_peers(const stuck_peers&) = delete;
  stuck_peers& operator=(const stuck_peers&) = delete;

  std::vector<stuck_call> calls() const {
    const auto tls = "https://127.0.0.1:" + std::to_string(silent.port());
    return {{http_step::resolve, "http://stuck.host/", ""},
            {http_step::connect, full.url(), ""},
            {http_step::handshake, tls, ""},
            {http_step::write, deaf.url(), std::string(64'000'000, 'x')},
            {http_step::first_byte, mute.url(), ""},
            {http_step::body, half.url(), ""}};
  }

  http_client_options options() const {
    http_client_options o;
    o.timeouts = {.resolve = hang,
                  .connect = hang,
                  .handshake = hang,
                  .write = hang,
                  .first_byte = hang,
                  .body = hang};
    o.resolver = [wait = wait](const std::string&) {
      wait.wait_for(hang);
      return std::vector<std::string>{};
    };
    return o;
  }
};

void limit(http_timeouts& timeouts, http_step step) {
  switch (step) {
    case http_step::check: break;
    case http_step::resolve: timeouts.resolve = short_limit; break;
    case http_step::connect: timeouts.connect = short_limit; break;
    case http_step::handshake: timeouts.handshake = short_limit; break;
    case http_step::write: timeouts.write = short_limit; break;
    case http_step::first_byte: timeouts.first_byte = short_limit; break;
    case http_step::body: timeouts.body = short_limit; break;
  }
}

http_request request_of(const stuck_call& stuck) {
  http_request request;
  request.url = stuck.url;
  request.body = stuck.body;
  request.timeout = hang;
  return request;
}

/// Ends a call after a while, and again after a longer one as long as a busy
/// machine did not even let it get to the step where it is stuck.
template <class F>
http_failure once_stuck(http_step step, F end_after) {
  for (auto wait = short_limit;; wait *= 2)
    if (auto failure = end_after(wait); failure.step >= step || wait > hang)
      return failure;
}

void check(const http_failure& failure, errc code, http_step step) {
  BOOST_TEST_CONTEXT("step " << to_string(step) << ", got "
                             << to_string(failure.error)) {
    BOOST_TEST((failure.error.code == code));
    BOOST_TEST((failure.step == step));
    BOOST_TEST(failure.before_send == (step < http_step::write));
  }
}

} // namespace http_stuck_test

BOOST_AUTO_TEST_SUITE(http_stuck_test)

BOOST_AUTO_TEST_CASE(each_step_has_a_limit_of_its_own) {
  const stuck_peers peers;
  for (const auto& stuck : peers.calls()) {
    auto options = peers.options();
    limit(options.timeouts, stuck.step);
    http_client client{options};
    check(failure_of(call(client, request_of(stuck))), errc::timeout,
          stuck.step);
  }
}

BOOST_AUTO_TEST_CASE(the_whole_call_has_a_limit_in_each_step) {
  const stuck_peers peers;
  http_client client{peers.options()};
  for (const auto& stuck : peers.calls())
    check(once_stuck(stuck.step,
                     [&](auto limit) {
                       auto request = request_of(stuck);
                       request.timeout = limit;
                       return failure_of(call(client, request));
                     }),
          errc::timeout, stuck.step);
}

BOOST_AUTO_TEST_CASE(a_drip_of_bytes_does_not_outlast_the_whole_calls_limit) {
  const stuck_peers peers;
  loopback_server drip{[](loopback_connection& c) {
    c.read_request();
    c.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
    while (c.write("x")) {
    }
  }};
  auto options = peers.options();
  options.body_bytes_max = 2'000'000'000;
  http_client client{options};
  auto request = request_of({http_step::body, drip.url(), ""});
  check(once_stuck(http_step::body,
                   [&](auto limit) {
                     request.timeout = limit;
                     return failure_of(call(client, request));
                   }),
        errc::timeout, http_step::body);
}

BOOST_AUTO_TEST_CASE(a_stop_ends_a_call_in_each_step) {
  const stuck_peers peers;
  http_client client{peers.options()};
  for (const auto& stuck : peers.calls())
    check(once_stuck(stuck.step,
                     [&](auto wait) {
                       std::stop_source source;
                       auto pending = start_call(client, request_of(stuck),
                                                 source.get_token());
                       BOOST_TEST((pending.wait_for(wait)
                                   == std::future_status::timeout));
                       source.request_stop();
                       return failure_of(outcome_of(std::move(pending)));
                     }),
          errc::cancelled, stuck.step);
}

BOOST_AUTO_TEST_CASE(the_end_of_a_client_ends_its_calls_in_each_step) {
  const stuck_peers peers;
  std::vector<std::future<http_outcome>> pending;
  {
    http_client client{peers.options()};
    for (const auto& stuck : peers.calls())
      pending.push_back(start_call(client, request_of(stuck)));
    pending.front().wait_for(short_limit);
  }
  for (auto& p : pending) {
    BOOST_REQUIRE(
      (p.wait_for(std::chrono::seconds{0}) == std::future_status::ready));
    BOOST_TEST((failure_of(p.get()).error.code == errc::cancelled));
  }
}

BOOST_AUTO_TEST_CASE(a_stop_before_the_start_ends_a_call_before_it_connects) {
  loopback_server server{[](loopback_connection& c) {
    c.wait_for_close();
  }};
  http_client client;
  std::stop_source source;
  source.request_stop();
  http_request request;
  request.url = server.url();
  request.timeout = hang;
  const auto failure = failure_of(call(client, request, source.get_token()));
  BOOST_TEST((failure.error.code == errc::cancelled));
  BOOST_TEST((failure.step == http_step::check));
}

BOOST_AUTO_TEST_CASE(a_stop_after_the_end_changes_nothing) {
  loopback_server server{[](loopback_connection& c) {
    c.read_request();
    c.write(ok_response("x"));
    c.wait_for_close();
  }};
  http_client client;
  std::stop_source source;
  http_request request;
  request.url = server.url();
  BOOST_TEST(response_of(call(client, request, source.get_token())).status
             == 200);
  source.request_stop();
  BOOST_TEST(client.idle_connections() == 1u);
}

BOOST_AUTO_TEST_CASE(limits_beyond_all_clocks_are_fine) {
  loopback_server server{[](loopback_connection& c) {
    c.read_request();
    c.write(ok_response("x"));
  }};
  constexpr auto most = duration::max();
  http_client client{{.timeouts = {.resolve = most,
                                   .connect = most,
                                   .handshake = most,
                                   .write = most,
                                   .first_byte = most,
                                   .body = most}}};
  http_request request;
  request.url = server.url();
  request.timeout = most;
  BOOST_TEST(response_of(call(client, request)).status == 200);
  request.timeout = duration::min();
  BOOST_TEST((failure_of(call(client, request)).error.code == errc::timeout));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
