#include <kestrion/providers/models/openai_wire.hpp>
#include <kestrion/tests/providers/wire_requests.hpp>

#include <boost/test/unit_test.hpp>

#include <string>

namespace kestrion::test {

namespace openai_wire_test {

using openai_wire::from_wire;
using openai_wire::to_wire;

const openai_options gpt{.model = "gpt-5.4", .api_key = "sk-123456"};
const openai_options other{.model = "qwen3",
                           .base_url = "http://127.0.0.1:8000/v1"};

conversation hello() {
  return {said(role::user, {text_part{"hi"}})};
}

http_response answer(const std::string& message,
                     const std::string& finish = "stop") {
  return answer_200(R"({"id":"c","object":"chat.completion","model":"gpt-5.4",)"
                    R"("choices":[{"index":0,"message":)"
                    + message + R"(,"finish_reason":")" + finish + R"("}]})");
}

} // namespace openai_wire_test

BOOST_AUTO_TEST_SUITE(openai_wire_test)

BOOST_AUTO_TEST_CASE(a_whole_conversation_with_tools_has_these_bytes) {
  BOOST_TEST(
    to_wire(wire_request(tool_round("call_1", "")), gpt).value()
    == R"({"model":"gpt-5.4","messages":[)"
       R"({"role":"developer","content":"Be brief."},)"
       "{\"role\":\"user\",\"content\":\"Scale \\\"up\\\" \u2191\"},"
       R"({"role":"assistant","content":"On it.","tool_calls":[)"
       R"({"id":"call_1","type":"function","function":{"name":"scale",)"
       R"("arguments":"{\"n\": 3}"}},)"
       R"({"id":"c1.1","type":"function","function":{"name":"scale",)"
       R"("arguments":"not json"}}]},)"
       R"({"role":"tool","tool_call_id":"call_1","content":"done"},)"
       R"({"role":"tool","tool_call_id":"c1.1","content":"no JSON"},)"
       R"({"role":"user","content":"And now?"}],)"
       R"("tools":[{"type":"function","function":{"name":"scale",)"
       R"("description":"Set the replicas.","parameters":{"type":"object",)"
       R"("properties":{"n":{"type":"integer"}},"required":["n"],)"
       R"("additionalProperties":false}}}],"max_completion_tokens":1024})");
}

BOOST_AUTO_TEST_CASE(options_are_sent_where_they_are_set) {
  auto agent = wire_agent();
  agent.options.effort = "none";
  agent.options.temperature = 1;
  auto options = gpt;
  options.parallel_tool_calls = false;
  options.system_role = "system";
  const auto body = to_wire(wire_request(hello(), agent), options).value();
  BOOST_TEST(body.find(R"("parallel_tool_calls":false)") != std::string::npos);
  BOOST_TEST(body.find(R"("temperature":1,"reasoning_effort":"none"})")
             != std::string::npos);
  BOOST_TEST(body.find(R"({"role":"system","content":"Be brief."})")
             != std::string::npos);
}

BOOST_AUTO_TEST_CASE(other_servers_get_what_they_know) {
  auto options = other;
  options.legacy_max_tokens = true;
  const auto body = to_wire(wire_request(hello()), options).value();
  BOOST_TEST(body.find(R"({"role":"system","content":"Be brief."})")
             != std::string::npos);
  BOOST_TEST(body.find(R"("max_tokens":1024)") != std::string::npos);
  BOOST_TEST(body.find("max_completion_tokens") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(images_make_the_content_a_list) {
  const auto body =
    to_wire(
      wire_request({said(
        role::user, {text_part{"what?"}, image_part{"", "https://x/y", ""}})}),
      gpt)
      .value();
  BOOST_TEST(body.find(R"("content":[{"type":"text","text":"what?"},)"
                       R"({"type":"image_url","image_url":{"url":)"
                       R"("https://x/y"}}])")
             != std::string::npos);
  BOOST_TEST((to_wire(wire_request({said(
                        role::user, {image_part{"image/png", "", "abc"}})}),
                      gpt)
                .error()
                .code
              == errc::unsupported));
}

BOOST_AUTO_TEST_CASE(what_tools_show_is_shown_by_the_user) {
  const auto body = to_wire(wire_request(shown_round()), gpt).value();
  const std::string image =
    R"({"type":"image_url","image_url":{"url":"data:image/png;base64,aW1n"}})";
  const std::string pdf =
    R"({"type":"file","file":{"filename":"a.pdf","file_data":)"
    R"("data:application/pdf;base64,cGRm"}})";
  const std::string note =
    R"({"type":"text","text":"Document \"n.md\":\nhi\n"})";
  const std::string besides =
    R"({"type":"text","text":"What the tool scale answered besides:"})";
  BOOST_TEST(
    body.find(R"({"role":"user","content":[{"type":"text","text":"Look:"},)"
              + pdf + "," + note + "," + image + "]}")
      != std::string::npos,
    body);
  BOOST_TEST(
    body.find(R"({"role":"tool","tool_call_id":"call_1","content":[)"
              R"({"type":"text","text":"see"},{"type":"text","text":"left"},)"
              + note + R"(]},{"role":"tool","tool_call_id":"call_2",)"
              + R"("content":""},{"role":"user","content":[)" + besides + ","
              + image + "," + pdf + "," + besides + "," + image + "]}")
      != std::string::npos,
    body);
}

BOOST_AUTO_TEST_CASE(a_document_to_be_fetched_is_refused) {
  const auto refused = to_wire(
    wire_request({said(role::user, {document_part{"", "", "https://x", ""}})}),
    gpt);
  BOOST_TEST(refused.error().detail
             == "openai's chat completions fetch no documents; expected one "
                "from the blob store or with a data: URL");
}

BOOST_AUTO_TEST_CASE(calls_without_text_have_a_null_content) {
  auto talk = hello();
  talk.push_back(
    said(role::assistant, {tool_call_part{"c1.0", "", "scale", "{}"}}));
  const auto body = to_wire(wire_request(talk), gpt).value();
  BOOST_TEST(body.find(R"("content":null,"tool_calls":[)")
             != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_empty_conversation_is_an_error_before_the_call) {
  BOOST_TEST(
    (to_wire(wire_request({}), gpt).error().code == errc::invalid_argument));
}

BOOST_AUTO_TEST_CASE(what_a_server_thought_goes_back_to_it_and_to_no_other) {
  const auto reply = reply_in(
    from_wire(answer(R"({"role":"assistant","content":"yes",)"
                     R"("reasoning":"hm","reasoning_details":[{"a":1}]})"),
              other, wire_now));
  BOOST_TEST((reply.parts.at(0)
              == part{reasoning_part{
                "openai@http://127.0.0.1:8000/v1", "hm",
                R"({"reasoning":"hm","reasoning_details":[{"a":1}]})"}}));
  auto talk = hello();
  talk.push_back(said(role::assistant, reply.parts));
  BOOST_TEST(to_wire(wire_request(talk), other)
               .value()
               .find(R"({"role":"assistant","content":"yes",)"
                     R"("reasoning":"hm","reasoning_details":[{"a":1}]})")
             != std::string::npos);
  BOOST_TEST(to_wire(wire_request(talk), gpt).value().find("reasoning")
             == std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_answer_with_tool_calls_is_read_in_order) {
  auto response = answer_200(
    R"({"id":"c","model":"gpt-5.4-2026-03-05","choices":[{"index":0,)"
    R"("message":{"role":"assistant","content":"On it.","refusal":null,)"
    R"("tool_calls":[{"id":"call_1","type":"function","function":{)"
    R"("name":"scale","arguments":"{\"n\": 3}"}},{"id":"call_2",)"
    R"("type":"function","function":{"name":"list","arguments":""}},)"
    R"({"id":"call_3","type":"custom","custom":{"name":"x","input":"y"}}]},)"
    R"("finish_reason":"tool_calls"}],"usage":{"prompt_tokens":100,)"
    R"("completion_tokens":20,"total_tokens":120,"prompt_tokens_details":)"
    R"({"cached_tokens":60,"cache_write_tokens":30},)"
    R"("completion_tokens_details":{"reasoning_tokens":8}}})",
    {{"x-request-id", "req_1"}});
  const auto reply = reply_in(from_wire(response, gpt, wire_now));
  const std::vector<part> expected{
    text_part{"On it."}, tool_call_part{"", "call_1", "scale", R"({"n": 3})"},
    tool_call_part{"", "call_2", "list", "{}"},
    opaque_part{"openai", R"({"id":"call_3","type":"custom","custom":)"
                          R"({"name":"x","input":"y"}})"}};
  BOOST_TEST((reply.parts == expected));
  BOOST_TEST((reply.stop == stop_reason::tool_use));
  BOOST_TEST((reply.usage == token_usage{10, 60, 30, 20, 8}));
  BOOST_TEST(reply.model == "gpt-5.4-2026-03-05");
  BOOST_TEST(reply.request_id == "req_1");
}

BOOST_AUTO_TEST_CASE(more_cached_than_prompted_leaves_no_negative_input) {
  const auto reply = reply_in(
    from_wire(answer_200(R"({"choices":[{"message":{"content":"x"}}],"usage":)"
                         R"({"prompt_tokens":5,"prompt_tokens_details":)"
                         R"({"cached_tokens":9},"completion_tokens":null}})"),
              gpt, wire_now));
  BOOST_TEST((reply.usage == token_usage{0, 9, 0, 0, 0}));
}

BOOST_AUTO_TEST_CASE(each_finish_reason_has_its_meaning) {
  const auto stop = [](const char* message, const char* reason) {
    return reply_in(from_wire(answer(message, reason), gpt, wire_now)).stop;
  };
  const auto* text = R"({"content":"x"})";
  const auto* call = R"({"content":null,"tool_calls":[{"id":"1","type":)"
                     R"("function","function":{"name":"f","arguments":{}}}]})";
  BOOST_TEST((stop(text, "stop") == stop_reason::end_turn));
  BOOST_TEST((stop(call, "stop") == stop_reason::tool_use));
  BOOST_TEST((stop(call, "tool_calls") == stop_reason::tool_use));
  BOOST_TEST((stop(call, "length") == stop_reason::max_tokens));
  BOOST_TEST((stop(text, "length") == stop_reason::max_tokens));
  BOOST_TEST((stop(text, "content_filter") == stop_reason::refusal));
  BOOST_TEST((stop(text, "brand_new") == stop_reason::other));
  BOOST_TEST((stop(R"({"content":null,"refusal":"I won't"})", "stop")
              == stop_reason::refusal));
}

BOOST_AUTO_TEST_CASE(an_answer_of_another_shape_is_corrupt_for_good) {
  for (const auto* body :
       {"{}", "[]", R"({"choices":[]})", R"({"choices":{}})",
        R"({"choices":[{}]})", R"({"choices":[{"message":"x"}]})",
        R"({"choices":[{"message":{"content":[1]}}]})",
        R"({"choices":[{"message":{"tool_calls":{}}}]})",
        R"({"choices":[{"message":{"tool_calls":[{}]}}]})",
        R"({"choices":[{"message":{"tool_calls":[{"function":{}}]}}]})"}) {
    const auto failure = failure_in(from_wire(answer_200(body), gpt, wire_now));
    BOOST_TEST_CONTEXT(body) {
      BOOST_TEST((failure.error.code == errc::corrupt));
      BOOST_TEST(!failure.retryable);
    }
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_json_is_corrupt_and_retryable) {
  for (const auto* body : {"", "<html>", R"({"choices":[)"}) {
    const auto failure = failure_in(from_wire(answer_200(body), gpt, wire_now));
    BOOST_TEST((failure.error.code == errc::corrupt));
    BOOST_TEST(failure.retryable);
  }
}

BOOST_AUTO_TEST_CASE(slow_down_and_nothing_left_are_told_apart) {
  const auto failure = [](const char* type, const char* code) {
    return failure_in(
      from_wire({429,
                 {},
                 R"({"error":{"message":"m","type":")" + std::string{type}
                   + R"(","code":")" + code + R"("}})"},
                gpt, wire_now));
  };
  for (const auto* code : {"rate_limit_exceeded", "slow_down"}) {
    const auto slow = failure("rate_limit_error", code);
    BOOST_TEST((slow.error.code == errc::rate_limited));
    BOOST_TEST(slow.retryable);
  }
  for (const auto* code : {"insufficient_quota", "credit_balance_exhausted"}) {
    const auto empty = failure("insufficient_quota", code);
    BOOST_TEST((empty.error.code == errc::quota_exhausted));
    BOOST_TEST(!empty.retryable);
  }
}

BOOST_AUTO_TEST_CASE(a_wait_of_more_than_a_minute_is_taken_for_a_mistake) {
  const auto wait = [](const char* seconds) {
    return failure_in(
             from_wire({503, {{"Retry-After", seconds}}, ""}, gpt, wire_now))
      .retry_after;
  };
  BOOST_TEST((wait("60") == std::chrono::seconds{60}));
  BOOST_TEST(!wait("61"));
  BOOST_TEST(!wait("-1"));
}

BOOST_AUTO_TEST_CASE(an_error_inside_a_success_is_an_error) {
  for (const auto* body : {R"({"error":{"message":"m","type":"server_error"}})",
                           R"({"error":"bare"})"}) {
    const auto failure = failure_in(from_wire(answer_200(body), gpt, wire_now));
    BOOST_TEST((failure.error.code == errc::unavailable));
    BOOST_TEST(failure.retryable);
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
