/// Another vendor's model goes on with a conversation: the runtime with its own
/// threads, and both vendors' APIs over real connections.

#include <kestrion/kestrion.hpp>

#include <kestrion/messages/json_text.hpp>
#include <kestrion/tests/support/loopback_server.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <mutex>
#include <string>
#include <vector>

namespace kestrion::test {

namespace runtime_fallback_test {

namespace json = boost::json;

/// Anthropic answers once, with a thought and a call of a tool, and is
/// overloaded from then on. OpenAI sums up.
class two_vendors {
public:
  std::string url() const { return server_.url(); }

  /// What OpenAI was asked, in order.
  std::vector<json::value> asked_openai() {
    const std::lock_guard lock{mutex_};
    return openai_;
  }
  int asked_anthropic() {
    const std::lock_guard lock{mutex_};
    return anthropic_;
  }

private:
  static constexpr auto thoughtful_call =
    R"({"type":"message","model":"claude-sonnet-4-6","content":[)"
    R"({"type":"thinking","thinking":"hm","signature":"c2ln"},)"
    R"({"type":"text","text":"Let me look."},)"
    R"({"type":"tool_use","id":"toolu_01A.b","name":"look","input":{}}],)"
    R"("stop_reason":"tool_use",)"
    R"("usage":{"input_tokens":100,"output_tokens":10}})";
  static constexpr auto overloaded =
    R"({"type":"error","error":{"type":"overloaded_error",)"
    R"("message":"Overloaded"}})";
  static constexpr auto sum =
    R"({"model":"gpt-6-sol","choices":[{"message":{"role":"assistant",)"
    R"("content":"It is fine."},"finish_reason":"stop"}],)"
    R"("usage":{"prompt_tokens":200,"completion_tokens":20}})";

  std::string answer(const std::string& request) {
    const std::lock_guard lock{mutex_};
    const auto body = request.substr(request.find("\r\n\r\n") + 4);
    if (request.starts_with("POST /v1/messages")) {
      if (++anthropic_ == 1)
        return ok_response(thoughtful_call);
      const std::string text = overloaded;
      return "HTTP/1.1 529 Overloaded\r\nContent-Length: "
             + std::to_string(text.size()) + "\r\n\r\n" + text;
    }
    openai_.push_back(parse_json(body, "the request").value());
    return ok_response(sum);
  }

  std::mutex mutex_;
  int anthropic_ = 0;
  std::vector<json::value> openai_;
  loopback_server server_{[this](loopback_connection& c) {
    for (auto r = c.read_request(); !r.empty(); r = c.read_request())
      c.write(answer(r));
  }};
};

constexpr std::int64_t dollar = 1'000'000;

agent watcher(const two_vendors& vendors) {
  // A dollar and two a token, so that costs tell which price they come from.
  const auto prices =
    price_table{}
      .with("claude-sonnet-4-6",
            model_price{dollar * dollar, dollar * dollar, 0, 0})
      .with("gpt-6-sol",
            model_price{2 * dollar * dollar, 2 * dollar * dollar, 0, 0});
  run_limits limits;
  limits.cost_usd_micros_max = 1'000'000 * dollar;
  agent a{"watcher"};
  a.model(anthropic({.model = "claude-sonnet-4-6",
                     .base_url = vendors.url(),
                     .api_key = "k-123456",
                     .prices = prices}))
    .fallback(openai({.model = "gpt-6-sol",
                      .base_url = vendors.url() + "/v1",
                      .api_key = "k-654321",
                      .prices = prices}))
    .system("Be brief.")
    .limits(limits)
    .tool("look", "Looks.", [] { return "all green"; });
  return a;
}

} // namespace runtime_fallback_test

BOOST_AUTO_TEST_SUITE(runtime_fallback_test)

BOOST_AUTO_TEST_CASE(openai_goes_on_with_what_claude_began) {
  two_vendors vendors;
  runtime rt{{.store = "memory:"}, {watcher(vendors)}};
  auto run = rt.start("watcher", "How is it?");
  const auto r = run.wait();
  BOOST_REQUIRE_MESSAGE(r.status == run_status::completed, r.reason);
  BOOST_TEST(r.output == "It is fine.");
  BOOST_TEST(vendors.asked_anthropic() == 3); // One answer, two attempts.

  // The conversation as OpenAI words it: no thought of Claude's, and the call
  // with its result under one id.
  const auto asked = vendors.asked_openai();
  BOOST_REQUIRE_EQUAL(asked.size(), 1u);
  const auto expected = parse_json(
    R"([{"role":"system","content":"Be brief."},)"
    R"({"role":"user","content":"How is it?"},)"
    R"({"role":"assistant","content":"Let me look.","tool_calls":[)"
    R"({"id":"toolu_01A.b","type":"function",)"
    R"("function":{"name":"look","arguments":"{}"}}]},)"
    R"({"role":"tool","tool_call_id":"toolu_01A.b","content":"all green"}])",
    "what is expected");
  BOOST_TEST((asked[0].at("messages") == *expected),
             json::serialize(asked[0].at("messages")));
  BOOST_TEST(asked[0].at("model") == "gpt-6-sol");

  // Each call costs what its model costs.
  BOOST_TEST(r.cost_usd_micros == (110 * dollar + 220 * 2 * dollar));
  const auto trace = rt.trace(run.id());
  const auto switched =
    std::find_if(trace.entries.begin(), trace.entries.end(),
                 [](const auto& e) { return e.what == "model_switched"; });
  BOOST_REQUIRE(switched != trace.entries.end());
  BOOST_TEST(switched->detail.starts_with(
    "unavailable: gpt-6-sol instead of claude-sonnet-4-6 until "));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
