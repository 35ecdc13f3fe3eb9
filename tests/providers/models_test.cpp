#include <kestrion/examples/support/vendor_server.hpp>
#include <kestrion/providers/models/models.hpp>
#include <kestrion/tests/providers/wire_requests.hpp>
#include <kestrion/tests/support/http_calls.hpp>
#include <kestrion/tests/support/loopback_server.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <future>
#include <string>
#include <vector>

namespace kestrion::test {

namespace models_test {

model_outcome ask(model& m, const model_request& request,
                  std::stop_token stop = {}) {
  auto promise = std::make_shared<std::promise<model_outcome>>();
  auto outcome = promise->get_future();
  m.complete(request, std::move(stop),
             [promise](model_outcome o) { promise->set_value(std::move(o)); });
  if (outcome.wait_for(hang) != std::future_status::ready)
    throw std::runtime_error{"the call hangs"};
  return outcome.get();
}

model_request hello() {
  return wire_request({said(role::user, {text_part{"hi"}})});
}

/// Sets a variable, or unsets it, for the length of a test.
class variable {
public:
  variable(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) {
      before_ = before;
    }
    if (value)
      ::setenv(name, value, 1);
    else
      ::unsetenv(name);
  }
  ~variable() {
    if (before_)
      ::setenv(name_, before_->c_str(), 1);
    else
      ::unsetenv(name_);
  }
  variable(const variable&) = delete;
  variable& operator=(const variable&) = delete;

private:
  const char* name_;
  std::optional<std::string> before_;
};

/// All three vendors behind one server.
std::vector<model_ptr> models_of(const examples::vendor_server& server) {
  return {anthropic({.model = "claude-sonnet-4-6",
                     .base_url = server.url(),
                     .api_key = "k-123456"}),
          openai({.model = "gpt-5.4", .base_url = server.openai_url()}),
          ollama({.model = "qwen3", .base_url = server.url()})};
}

} // namespace models_test

BOOST_AUTO_TEST_SUITE(models_test)

BOOST_AUTO_TEST_CASE(each_vendor_carries_a_whole_round_of_tools) {
  examples::vendor_server server{[](const examples::vendor_request& r) {
    examples::vendor_turn turn;
    if (r.tool_results == 0) {
      turn.text = r.system + " " + r.last_user_text;
      turn.tools = {{"scale", R"({"n":1})"}, {"scale", R"({"n":2})"}};
    } else {
      turn.text = r.last_tool_results.at(0) + r.last_tool_results.at(1);
    }
    return turn;
  }};
  for (const auto& m : models_of(server)) {
    BOOST_TEST_CONTEXT(m->name()) {
      auto request = hello();
      const auto first = reply_in(ask(*m, request));
      BOOST_TEST((first.stop == stop_reason::tool_use));
      BOOST_REQUIRE(first.parts.size() == 3u);
      BOOST_TEST((first.parts[0] == part{text_part{"Be brief. hi"}}));
      std::vector<part> results;
      for (std::size_t i = 1; i < 3; ++i) {
        const auto& call = std::get<tool_call_part>(first.parts[i]);
        BOOST_TEST(call.name == "scale");
        BOOST_TEST(call.arguments == "{\"n\":" + std::to_string(i) + "}");
        results.emplace_back(tool_result_part{"", call.vendor_id, call.name,
                                              std::to_string(i), false});
      }
      request.conversation.push_back(said(role::assistant, first.parts));
      request.conversation.push_back(said(role::tool, results));
      const auto second = reply_in(ask(*m, request));
      BOOST_TEST((second.parts == std::vector<part>{text_part{"12"}}));
      BOOST_TEST((second.stop == stop_reason::end_turn));
      BOOST_TEST((second.usage == token_usage{10, 0, 0, 5, 0}));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_reply_has_its_cost_where_the_price_is_known) {
  examples::vendor_server server{[](const examples::vendor_request&) {
    return examples::vendor_turn{.text = "x", .input_tokens = 1'000};
  }};
  const auto models = models_of(server);
  BOOST_TEST(*reply_in(ask(*models[0], hello())).cost_usd_micros == 3'075);
  BOOST_TEST(*reply_in(ask(*models[1], hello())).cost_usd_micros == 2'575);
  BOOST_TEST(*reply_in(ask(*models[2], hello())).cost_usd_micros == 0);
  BOOST_TEST(models[0]->price()->input == 3'000'000);
  const auto unknown =
    openai({.model = "mine", .base_url = server.openai_url()});
  BOOST_TEST(!reply_in(ask(*unknown, hello())).cost_usd_micros);
  BOOST_TEST(!unknown->price());
  const auto priced =
    openai({.model = "mine",
            .base_url = server.openai_url(),
            .prices = price_table{}.with("mine", {1'000'000, 0, 0, 0})});
  BOOST_TEST(*reply_in(ask(*priced, hello())).cost_usd_micros == 1'000);
}

BOOST_AUTO_TEST_CASE(a_vendors_error_arrives_as_a_failure) {
  examples::vendor_server server{[](const examples::vendor_request&) {
    return examples::vendor_turn{
      .text = "slow down", .status = 429, .retry_after_s = 3};
  }};
  for (const auto& m : models_of(server)) {
    const auto failure = failure_in(ask(*m, hello()));
    BOOST_TEST((failure.error.code == errc::rate_limited));
    BOOST_TEST(failure.retryable);
    BOOST_TEST((failure.retry_after == std::chrono::seconds{3}));
    BOOST_TEST(failure.error.detail.find("slow down") != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(a_server_that_hangs_up_is_a_retryable_failure) {
  examples::vendor_server server{[](const examples::vendor_request&) {
    return examples::vendor_turn{.hang_up = true};
  }};
  for (const auto& m : models_of(server)) {
    const auto failure = failure_in(ask(*m, hello()));
    BOOST_TEST((failure.error.code == errc::io));
    BOOST_TEST(failure.retryable);
    BOOST_TEST(failure.http_status == 0);
  }
}

BOOST_AUTO_TEST_CASE(a_kept_connection_that_died_costs_no_attempt) {
  loopback_server server{[](loopback_connection& c) {
    c.read_request();
    c.write(ok_response(R"({"message":{"content":"x"}})"));
    c.read_request(); // Hangs up instead of an answer.
  }};
  const auto m = ollama({.model = "qwen3", .base_url = server.url()});
  for (int i = 0; i < 3; ++i)
    BOOST_TEST(reply_in(ask(*m, hello())).parts.size() == 1u);
  BOOST_TEST(server.connections() == 3u);
}

BOOST_AUTO_TEST_CASE(the_agents_timeout_and_a_stop_end_a_call) {
  loopback_server mute{[](loopback_connection& c) {
    c.wait_for_close();
  }};
  const auto m = ollama({.model = "qwen3", .base_url = mute.url()});
  auto agent = wire_agent();
  agent.options.timeout = std::chrono::milliseconds{30};
  const auto late = failure_in(
    ask(*m, wire_request({said(role::user, {text_part{"hi"}})}, agent)));
  BOOST_TEST((late.error.code == errc::timeout));
  BOOST_TEST(late.retryable);

  std::stop_source source;
  source.request_stop();
  const auto stopped = failure_in(ask(*m, hello(), source.get_token()));
  BOOST_TEST((stopped.error.code == errc::cancelled));
  BOOST_TEST(!stopped.retryable);
}

BOOST_AUTO_TEST_CASE(the_headers_say_who_asks_and_in_which_version) {
  std::string seen;
  loopback_server server{[&](loopback_connection& c) {
    for (auto request = c.read_request(); !request.empty();
         request = c.read_request()) {
      seen = request.substr(0, request.find("\r\n\r\n"));
      c.write(ok_response(R"({"content":[],"choices":[{"message":{}}]})"));
    }
  }};
  const auto has = [&](const char* line) {
    return seen.find(line) != std::string::npos;
  };
  ask(*anthropic({.model = "m",
                  .base_url = server.url() + "/",
                  .api_key = " key-1\n",
                  .version = "2023-06-01",
                  .headers = {{"X-Gateway", "g"}}}),
      hello());
  BOOST_TEST(has("POST /v1/messages HTTP/1.1"));
  BOOST_TEST(has("x-api-key: key-1\r\n"));
  BOOST_TEST(has("anthropic-version: 2023-06-01"));
  BOOST_TEST(has("X-Gateway: g"));
  BOOST_TEST(has("Content-Type: application/json"));
  ask(*openai(
        {.model = "m", .base_url = server.url() + "/v1", .api_key = "key-2"}),
      hello());
  BOOST_TEST(has("POST /v1/chat/completions HTTP/1.1"));
  BOOST_TEST(has("Authorization: Bearer key-2"));
}

BOOST_AUTO_TEST_CASE(what_a_server_says_of_limits_is_part_of_the_outcome) {
  int status = 200;
  loopback_server server{[&](loopback_connection& c) {
    for (auto request = c.read_request(); !request.empty();
         request = c.read_request()) {
      const std::string body = R"({"content":[],"usage":{"input_tokens":5,)"
                               R"("cache_read_input_tokens":100,)"
                               R"("cache_creation_input_tokens":20}})";
      c.write("HTTP/1.1 " + std::to_string(status)
              + " X\r\nContent-Length: " + std::to_string(body.size())
              + "\r\nanthropic-ratelimit-requests-limit: 50"
                "\r\nanthropic-ratelimit-requests-remaining: 7\r\n\r\n"
              + body);
    }
  }};
  const auto m =
    anthropic({.model = "m", .base_url = server.url(), .api_key = "key-1"});
  const std::vector<limit_report> said{{limit_kind::requests, 50, 7}};
  const auto reply = reply_in(ask(*m, hello()));
  BOOST_TEST((reply.limits == said));
  BOOST_TEST(reply.usage.total() == 125);
  BOOST_TEST(reply.limited_input_tokens.value() == 25); // Not from the cache.
  status = 429;
  BOOST_TEST((failure_in(ask(*m, hello())).limits == said));
}

BOOST_AUTO_TEST_CASE(an_endpoint_names_the_key_without_giving_it_away) {
  const auto of = [](const char* key) {
    return anthropic({.model = "m", .api_key = key})->endpoint();
  };
  BOOST_TEST(of("key-1").provider == "anthropic");
  BOOST_TEST(of("key-1").key.size() == 8u);
  BOOST_TEST((of("key-1") == of("key-1")));
  BOOST_TEST(of("key-1").key != of("key-2").key);
  const auto url = "http://127.0.0.1:1/v1";
  for (const auto& local :
       {openai({.model = "m", .base_url = url, .provider = "v"}),
        openai_responses({.model = "m", .base_url = url, .provider = "v"})}) {
    BOOST_TEST(local->endpoint().provider == "v");
    BOOST_TEST(!local->endpoint().caches);
  }
  BOOST_TEST(ollama("m")->endpoint().provider == "ollama");
}

BOOST_AUTO_TEST_CASE(keys_and_addresses_come_from_the_environment) {
  examples::vendor_server server{[](const examples::vendor_request& r) {
    return examples::vendor_turn{.text = r.model};
  }};
  const auto url = server.url();
  const auto openai_url = server.openai_url();
  const auto host = url.substr(std::string{"http://"}.size());
  const variable a{"ANTHROPIC_BASE_URL", url.c_str()};
  const variable b{"ANTHROPIC_API_KEY", "key-1"};
  const variable c{"OPENAI_BASE_URL", openai_url.c_str()};
  const variable d{"OPENAI_API_KEY", "key-2"};
  const variable e{"OLLAMA_HOST", host.c_str()};
  for (const auto& m : {anthropic("one"), openai("two"), ollama("three")})
    BOOST_TEST((reply_in(ask(*m, hello())).parts
                == std::vector<part>{text_part{m->name()}}));
}

BOOST_AUTO_TEST_CASE(a_missing_key_is_named_and_not_worth_a_retry) {
  const variable a{"ANTHROPIC_API_KEY", nullptr};
  const variable b{"OPENAI_API_KEY", ""};
  const variable c{"OPENAI_BASE_URL", nullptr};
  const auto claude = failure_in(ask(*anthropic("claude-opus-5"), hello()));
  BOOST_TEST((claude.error.code == errc::unauthenticated));
  BOOST_TEST(!claude.retryable);
  BOOST_TEST(claude.error.detail.find("ANTHROPIC_API_KEY")
             != std::string::npos);
  const auto gpt = failure_in(ask(*openai("gpt-5"), hello()));
  BOOST_TEST((gpt.error.code == errc::unauthenticated));
  BOOST_TEST(gpt.error.detail.find("OPENAI_API_KEY") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_key_that_is_none_is_refused_and_not_repeated) {
  for (const auto* key : {"se\r\ncret", "se cret",
                          "se\x7f"
                          "cret",
                          "s\xC3\xA9"}) {
    const auto failure =
      failure_in(ask(*anthropic({.model = "m", .api_key = key}), hello()));
    BOOST_TEST((failure.error.code == errc::unauthenticated));
    BOOST_TEST(failure.error.detail.find(key) == std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(a_base_url_that_is_none_is_named_at_the_call) {
  for (const auto* url : {"localhost", "ftp://x", "http://", "http://a b"}) {
    const auto failure = failure_in(
      ask(*anthropic({.model = "m", .base_url = url, .api_key = "k-123456"}),
          hello()));
    BOOST_TEST((failure.error.code == errc::invalid_argument));
    BOOST_TEST(!failure.retryable);
    BOOST_TEST(failure.error.detail.find("base URL") != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(an_option_that_a_model_refuses_costs_no_call) {
  examples::vendor_server server{[](const examples::vendor_request&) {
    return examples::vendor_turn{};
  }};
  auto agent = wire_agent();
  agent.options.temperature = 0.5;
  const auto request =
    wire_request({said(role::user, {text_part{"hi"}})}, agent);
  const auto models = models_of(server);
  for (std::size_t i = 0; i < 2; ++i)
    BOOST_TEST(
      (failure_in(ask(*models[i], request)).error.code == errc::unsupported));
  BOOST_TEST(server.requests() == 0u);
  BOOST_TEST(
    (failure_in(ask(*models[0], {})).error.code == errc::invalid_argument));
}

BOOST_AUTO_TEST_CASE(a_thousand_calls_of_a_model_are_all_answered) {
  constexpr std::size_t count = 1'000;
  if (!allow_open_files(2 * count + 200)) {
    BOOST_TEST_MESSAGE("skipped: the system allows too few open files");
    return;
  }
  examples::vendor_server server{[](const examples::vendor_request& r) {
    return examples::vendor_turn{.text = r.last_user_text};
  }};
  const auto m = ollama({.model = "qwen3", .base_url = server.url()});
  std::vector<std::future<model_outcome>> calls;
  for (std::size_t i = 0; i < count; ++i) {
    auto promise = std::make_shared<std::promise<model_outcome>>();
    calls.push_back(promise->get_future());
    m->complete(
      wire_request({said(role::user, {text_part{std::to_string(i)}})}), {},
      [promise](model_outcome o) { promise->set_value(std::move(o)); });
  }
  for (std::size_t i = 0; i < count; ++i) {
    BOOST_REQUIRE((calls[i].wait_for(hang) == std::future_status::ready));
    const auto outcome = calls[i].get();
    BOOST_TEST((reply_in(outcome).parts
                == std::vector<part>{text_part{std::to_string(i)}}));
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
