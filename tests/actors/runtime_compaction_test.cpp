/// A conversation that is summed up: the runtime with its own threads, and
/// models over real connections.

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
#include <utility>
#include <vector>

namespace kestrion::test {

namespace runtime_compaction_test {

namespace json = boost::json;

/// Anthropic thinks and looks twice, then answers; OpenAI sums up.
class wordy_vendor {
public:
  std::string url() const { return server_.url(); }

  /// Path and body of each request.
  std::vector<std::pair<std::string, json::value>> requests() {
    const std::lock_guard lock{mutex_};
    return requests_;
  }

private:
  static std::string look(int n, int tokens) {
    const auto i = std::to_string(n);
    return R"({"type":"message","model":"claude-sonnet-4-6","content":[)"
           R"({"type":"thinking","thinking":"hm","signature":"c2ln)"
           + i + R"("},{"type":"tool_use","id":"toolu_)" + i
           + R"(","name":"look","input":{"page":)" + i
           + R"(}}],"stop_reason":"tool_use","usage":{"input_tokens":)"
           + std::to_string(tokens) + R"(,"output_tokens":10}})";
  }

  std::string answer(const std::string& request) {
    const std::lock_guard lock{mutex_};
    const auto path = request.substr(5, request.find(' ', 5) - 5);
    const auto body = request.substr(request.find("\r\n\r\n") + 4);
    requests_.emplace_back(path, parse_json(body, "the request").value());
    if (path != "/v1/messages")
      return R"({"model":"gpt-6-luna","choices":[{"message":{)"
             R"("role":"assistant","content":"Page 1 is blank."},)"
             R"("finish_reason":"stop"}],)"
             R"("usage":{"prompt_tokens":300,"completion_tokens":6}})";
    switch (++turn_) {
      case 1: return look(1, 100);
      case 2: return look(2, 700);
      default:
        return R"({"type":"message","model":"claude-sonnet-4-6","content":[)"
               R"({"type":"text","text":"All blank."}],)"
               R"("stop_reason":"end_turn",)"
               R"("usage":{"input_tokens":400,"output_tokens":5}})";
    }
  }

  std::mutex mutex_;
  int turn_ = 0;
  std::vector<std::pair<std::string, json::value>> requests_;
  loopback_server server_{[this](loopback_connection& c) {
    for (auto r = c.read_request(); !r.empty(); r = c.read_request())
      c.write(ok_response(answer(r)));
  }};
};

struct page {
  int page;
};
BOOST_DESCRIBE_STRUCT(page, (), (page))

agent reader(const wordy_vendor& vendor) {
  agent a{"reader"};
  a.model(anthropic({.model = "claude-sonnet-4-6",
                     .base_url = vendor.url(),
                     .api_key = "k-123456"}))
    .compacts({.at = 0.7,
               .keep_last = 2,
               .window = 1'000,
               .model = openai(
                 {.model = "gpt-6-luna", .base_url = vendor.url() + "/v1"})})
    .system("Be brief.")
    .tool("look", "Looks.", [](const page& p) {
      return "page " + std::to_string(p.page) + std::string(300, ' ');
    });
  return a;
}

} // namespace runtime_compaction_test

BOOST_AUTO_TEST_SUITE(runtime_compaction_test)

BOOST_AUTO_TEST_CASE(the_next_request_holds_the_summary_and_the_last_messages) {
  wordy_vendor vendor;
  runtime rt{{.store = "memory:"}, {reader(vendor)}};
  auto run = rt.start("reader", "Which pages are blank?");
  const auto r = run.wait();
  BOOST_REQUIRE_MESSAGE(r.status == run_status::completed, r.reason);
  BOOST_TEST(r.output == "All blank.");
  const auto asked = vendor.requests();
  BOOST_REQUIRE_EQUAL(asked.size(), 4u);

  // The third one goes to who sums up, as one text without tools.
  BOOST_TEST(asked[2].first == "/v1/chat/completions");
  const auto& summing = asked[2].second.as_object();
  BOOST_TEST(!summing.contains("tools"));
  BOOST_TEST(summing.at("max_completion_tokens") == 4'096);
  const std::string text{
    summing.at("messages").at(1).at("content").as_string()};
  BOOST_TEST(text.starts_with("The task, which the agent keeps:\n"
                              "User: Which pages are blank?\n"));
  BOOST_TEST(text.find("Agent calls look: {\"page\":1}\nResult of look: page 1")
             != std::string::npos);
  BOOST_TEST(text.find("page 2") == std::string::npos);

  // Then Claude goes on: the call keeps its result, but not the thought, which
  // is bound to what came before it.
  const auto expected =
    parse_json(R"([{"role":"user","content":[{"type":"text",)"
               R"("text":"Which pages are blank?"}]},)"
               R"({"role":"user","content":[{"type":"text","text":)"
               R"("Older messages were left out. What they came to:\n)"
               R"(Page 1 is blank."}]},)"
               R"({"role":"assistant","content":[{"type":"tool_use",)"
               R"("id":"toolu_2","name":"look","input":{"page":2}}]},)"
               R"({"role":"user","content":[{"type":"tool_result",)"
               R"("tool_use_id":"toolu_2","content":"page 2)"
                 + std::string(300, ' ') + R"(","is_error":false}]}])",
               "what is expected");
  BOOST_TEST(asked[3].first == "/v1/messages");
  BOOST_TEST((asked[3].second.at("messages") == *expected),
             json::serialize(asked[3].second.at("messages")));

  // The log has all of it.
  const auto trace = rt.trace(run.id());
  const auto find = [&](const char* what) {
    const auto found =
      std::find_if(trace.entries.begin(), trace.entries.end(),
                   [&](const auto& e) { return e.what == what; });
    BOOST_REQUIRE(found != trace.entries.end());
    return *found;
  };
  BOOST_TEST(find("tool_call_completed").detail.starts_with("look: page 1"));
  const auto compacted = find("conversation_compacted");
  BOOST_TEST(compacted.call == "k3");
  BOOST_TEST(compacted.detail.starts_with("from about 78"));
  BOOST_TEST(compacted.usage.value().total() == 306);
  BOOST_TEST(r.usage.total() == (110 + 710 + 306 + 405));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
