#include <kestrion/providers/models/models.hpp>
#include <kestrion/tests/providers/wire_streams.hpp>
#include <kestrion/tests/support/http_calls.hpp>
#include <kestrion/tests/support/loopback_server.hpp>

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <future>
#include <iterator>
#include <string>
#include <vector>

/// Models of the vendors that stream, over real connections.
namespace kestrion::test {

namespace models_stream_test {

std::string golden(const std::string& name) {
  std::ifstream in{std::string{KESTRION_STREAMS} + "/" + name,
                   std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

model_request hello() {
  return wire_request({said(role::user, {text_part{"hi"}})});
}

struct shown_call {
  std::vector<model_delta> deltas;
  model_outcome outcome;
};

shown_call stream(model& m, std::stop_token stop = {},
                  const std::function<void()>& on_delta = {}) {
  const auto shown = std::make_shared<shown_call>();
  auto promise = std::make_shared<std::promise<void>>();
  auto ended = promise->get_future();
  m.stream(
    hello(), std::move(stop),
    [shown, on_delta](model_delta d) {
      shown->deltas.push_back(std::move(d));
      if (on_delta)
        on_delta();
    },
    [shown, promise](model_outcome o) {
      shown->outcome = std::move(o);
      promise->set_value();
    });
  if (ended.wait_for(hang) != std::future_status::ready)
    throw std::runtime_error{"the call hangs"};
  return *shown;
}

struct streaming_vendor {
  std::string name;   ///< Starts the names of its golden streams.
  std::string suffix; ///< Ends them.
  std::function<model_ptr(const std::string& url, bool stream)> make;
};

std::vector<streaming_vendor> vendors() {
  return {{"anthropic-tools", ".sse",
           [](const std::string& url, bool on) {
             return anthropic({.model = "claude-opus-5-5",
                               .base_url = url,
                               .api_key = "k-123456",
                               .stream = on});
           }},
          {"openai-tools", ".sse",
           [](const std::string& url, bool on) {
             return openai({.model = "gpt-5.4", .base_url = url, .stream = on});
           }},
          {"responses-tools", ".sse",
           [](const std::string& url, bool on) {
             return openai_responses(
               {.model = "gpt-6-sol", .base_url = url, .stream = on});
           }},
          {"ollama-tools", ".ndjson", [](const std::string& url, bool on) {
             return ollama({.model = "qwen3", .base_url = url, .stream = on});
           }}};
}

std::string chunked(std::string_view body, std::size_t piece) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string out = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n";
  for (std::size_t at = 0; at < body.size(); at += piece) {
    const auto bytes = body.substr(at, piece);
    out += {hex[bytes.size() >> 4U], hex[bytes.size() & 15U]};
    out += "\r\n" + std::string{bytes} + "\r\n";
  }
  return out + "0\r\n\r\n";
}

bool wants_stream(const std::string& request) {
  return request.find(R"("stream":true)") != std::string::npos;
}

} // namespace models_stream_test

BOOST_AUTO_TEST_SUITE(models_stream_test)

BOOST_AUTO_TEST_CASE(a_streamed_call_gives_the_reply_of_one_that_is_not) {
  for (const auto& v : vendors()) {
    BOOST_TEST_CONTEXT(v.name) {
      loopback_server server{[&](loopback_connection& c) {
        for (auto request = c.read_request(); !request.empty();
             request = c.read_request())
          c.write(wants_stream(request)
                    ? chunked(golden(v.name + v.suffix), 200)
                    : ok_response(golden(v.name + ".json")));
      }};
      const auto live = stream(*v.make(server.url(), true));
      const auto off = stream(*v.make(server.url(), false));
      BOOST_TEST((reply_in(live.outcome) == reply_in(off.outcome)));
      BOOST_TEST(live.deltas.size() > off.deltas.size());
      BOOST_TEST(!off.deltas.empty()); // The reply in blocks.
    }
  }
}

BOOST_AUTO_TEST_CASE(a_streamed_answer_says_what_is_left_of_limits) {
  for (const auto& v : vendors()) {
    BOOST_TEST_CONTEXT(v.name) {
      loopback_server server{[&](loopback_connection& c) {
        c.read_request();
        auto bytes = chunked(golden(v.name + v.suffix), 200);
        bytes.insert(bytes.find("\r\n") + 2,
                     "x-ratelimit-remaining-requests: 7\r\n");
        c.write(bytes);
      }};
      const auto shown = stream(*v.make(server.url(), true));
      BOOST_TEST_REQUIRE(reply_in(shown.outcome).limits.size() == 1u);
      BOOST_TEST(reply_in(shown.outcome).limits.front().remaining.value() == 7);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_server_that_knows_no_streams_is_understood) {
  for (const auto& v : vendors()) {
    BOOST_TEST_CONTEXT(v.name) {
      loopback_server server{[&](loopback_connection& c) {
        c.read_request();
        c.write(ok_response(golden(v.name + ".json")));
      }};
      const auto shown = stream(*v.make(server.url(), true));
      BOOST_TEST(!reply_in(shown.outcome).parts.empty());
      BOOST_TEST(!shown.deltas.empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(a_refusal_before_the_stream_is_a_failure_like_any_other) {
  for (const auto& v : vendors()) {
    loopback_server server{[&](loopback_connection& c) {
      c.read_request();
      c.write("HTTP/1.1 429 Slow\r\nRetry-After: 3\r\nContent-Length: 2\r\n"
              "\r\n{}");
    }};
    const auto shown = stream(*v.make(server.url(), true));
    const auto& failure = failure_in(shown.outcome);
    BOOST_TEST((failure.error.code == errc::rate_limited));
    BOOST_TEST((failure.retry_after == std::chrono::seconds{3}));
    BOOST_TEST(shown.deltas.empty());
  }
}

BOOST_AUTO_TEST_CASE(a_stream_that_is_cut_is_a_retryable_failure) {
  for (const auto& v : vendors()) {
    const auto whole = golden(v.name + v.suffix);
    for (const bool in_good_order : {true, false}) {
      loopback_server server{[&](loopback_connection& c) {
        c.read_request();
        auto bytes = chunked(whole.substr(0, whole.size() / 2), 100);
        if (!in_good_order)
          bytes.resize(bytes.size() - 5);
        c.write(bytes);
      }};
      const auto shown = stream(*v.make(server.url(), true));
      const auto& failure = failure_in(shown.outcome);
      BOOST_TEST_CONTEXT(v.name << " in good order: " << in_good_order) {
        BOOST_TEST(failure.retryable);
        // Half a line of JSON at the end of a body is known to be none.
        BOOST_TEST((failure.error.code == errc::io
                    || (in_good_order && v.suffix == ".ndjson")));
        BOOST_TEST(!shown.deltas.empty());
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(who_has_the_answer_does_not_wait_for_the_server_to_end) {
  for (const auto& v : vendors()) {
    loopback_server server{[&](loopback_connection& c) {
      c.read_request();
      auto bytes = chunked(golden(v.name + v.suffix), 250);
      bytes.resize(bytes.size() - 5); // No last chunk.
      c.write(bytes);
      c.wait_for_close();
    }};
    reply_in(stream(*v.make(server.url(), true)).outcome);
  }
}

BOOST_AUTO_TEST_CASE(a_stop_at_the_first_piece_ends_the_call) {
  for (const auto& v : vendors()) {
    const auto whole = golden(v.name + v.suffix);
    loopback_server server{[&](loopback_connection& c) {
      c.read_request();
      auto bytes = chunked(whole.substr(0, whole.size() / 2), 100);
      bytes.resize(bytes.size() - 5);
      c.write(bytes);
      c.wait_for_close();
    }};
    std::stop_source source;
    const auto shown = stream(*v.make(server.url(), true), source.get_token(),
                              [&] { source.request_stop(); });
    const auto& failure = failure_in(shown.outcome);
    BOOST_TEST((failure.error.code == errc::cancelled));
    BOOST_TEST(!failure.retryable);
  }
}

BOOST_AUTO_TEST_CASE(what_cannot_be_sent_fails_before_the_server_hears_of_it) {
  loopback_server server{[](loopback_connection&) {
  }};
  for (const auto& v : vendors()) {
    const auto m = v.make(server.url(), true);
    auto request = hello();
    request.conversation.clear();
    model_outcome outcome;
    m->stream(
      std::move(request), {}, [](const model_delta&) {},
      [&](model_outcome o) { outcome = std::move(o); });
    BOOST_TEST((failure_in(outcome).error.code == errc::invalid_argument));
  }
  BOOST_TEST(server.connections() == 0u);
}

BOOST_AUTO_TEST_CASE(a_streamed_reply_has_its_cost) {
  loopback_server server{[](loopback_connection& c) {
    c.read_request();
    c.write(chunked(golden("openai-refusal.sse"), 250));
  }};
  const auto m =
    openai({.model = "mine",
            .base_url = server.url(),
            .prices = price_table{}.with("mine", {1'000'000, 0, 0, 0})});
  BOOST_TEST(*reply_in(stream(*m).outcome).cost_usd_micros == 10);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
