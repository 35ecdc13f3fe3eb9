#include <kestrion/providers/models/anthropic_wire.hpp>
#include <kestrion/tests/providers/wire_requests.hpp>

#include <boost/test/unit_test.hpp>

#include <string>

namespace kestrion::test {

namespace anthropic_wire_test {

using anthropic_wire::from_wire;
using anthropic_wire::to_wire;

const anthropic_options claude{.model = "claude-sonnet-4-6",
                               .api_key = "sk-ant-123456"};

conversation hello() {
  return {said(role::user, {text_part{"hi"}})};
}

constexpr auto plain_answer = R"({"id":"msg_1","type":"message",
  "role":"assistant","model":"claude-sonnet-4-6","content":[
    {"type":"thinking","thinking":"hm","signature":"c2ln/+=","x":1.5},
    {"type":"text","text":"Sunny.","citations":null},
    {"type":"tool_use","id":"toolu_1","name":"scale","input":{"n":3,"a":0.1},
     "caller":{"type":"direct"}},
    {"type":"web_search_tool_result","content":[1,2]}],
  "stop_reason":"tool_use","stop_sequence":null,
  "usage":{"input_tokens":12,"output_tokens":5,
    "cache_creation_input_tokens":7,"cache_read_input_tokens":3,
    "output_tokens_details":{"thinking_tokens":2},"service_tier":null}})";

} // namespace anthropic_wire_test

BOOST_AUTO_TEST_SUITE(anthropic_wire_test)

BOOST_AUTO_TEST_CASE(a_whole_conversation_with_tools_has_these_bytes) {
  const auto body =
    to_wire(wire_request(tool_round("toolu_1", "")), claude).value();
  BOOST_TEST(
    body
    == R"({"model":"claude-sonnet-4-6","max_tokens":1024,)"
       R"("system":"Be brief.","tools":[{"name":"scale",)"
       R"("description":"Set the replicas.","input_schema":{"type":"object",)"
       R"("properties":{"n":{"type":"integer"}},"required":["n"],)"
       R"("additionalProperties":false}}],"messages":[)"
       R"({"role":"user","content":[{"type":"text",)"
       "\"text\":\"Scale \\\"up\\\" \u2191\"}]},"
       R"({"role":"assistant","content":[{"type":"text","text":"On it."},)"
       R"({"type":"tool_use","id":"toolu_1","name":"scale","input":{"n":3}},)"
       R"({"type":"tool_use","id":"c1_1","name":"scale","input":{}}]},)"
       R"({"role":"user","content":[{"type":"tool_result",)"
       R"("tool_use_id":"toolu_1","content":"done","is_error":false},)"
       R"({"type":"tool_result","tool_use_id":"c1_1","content":"no JSON",)"
       R"("is_error":true}]},)"
       R"({"role":"user","content":[{"type":"text","text":"And now?"}]}],)"
       R"("cache_control":{"type":"ephemeral"}})");
}

BOOST_AUTO_TEST_CASE(options_are_sent_where_they_are_set) {
  auto agent = wire_agent();
  agent.system.clear();
  agent.tools.clear();
  agent.options.effort = "high";
  agent.options.temperature = 0.5;
  auto options = claude;
  options.version = "2023-06-01";
  options.thinking = "adaptive";
  options.cache = false;
  BOOST_TEST(
    to_wire(wire_request(hello(), agent), options).value()
    == R"({"model":"claude-sonnet-4-6","max_tokens":1024,"messages":[)"
       R"({"role":"user","content":[{"type":"text","text":"hi"}]}],)"
       R"("thinking":{"type":"adaptive"},"output_config":{"effort":"high"},)"
       R"("temperature":0.5})");
}

BOOST_AUTO_TEST_CASE(what_the_model_thought_goes_back_unchanged) {
  const auto reply =
    reply_in(from_wire(answer_200(plain_answer), claude, wire_now));
  auto talk = hello();
  talk.push_back(said(role::assistant, reply.parts));
  const auto body = to_wire(wire_request(talk), claude).value();
  BOOST_TEST(body.find(R"({"type":"thinking","thinking":"hm",)"
                       R"("signature":"c2ln/+=","x":1.5})")
             != std::string::npos);
  BOOST_TEST(body.find(R"({"type":"web_search_tool_result","content":[1,2]})")
             != std::string::npos);
}

BOOST_AUTO_TEST_CASE(another_vendors_thoughts_stay_away) {
  auto talk = hello();
  talk.push_back(
    said(role::assistant, {reasoning_part{"openai", "secret", R"({"r":1})"},
                           opaque_part{"ollama", R"({"o":1})"}}));
  talk.push_back(said(role::user, {text_part{"go on"}}));
  const auto body = to_wire(wire_request(talk), claude).value();
  BOOST_TEST(body.find("\"r\"") == std::string::npos);
  BOOST_TEST(body.find("\"o\"") == std::string::npos);
  // A message of which nothing is left is not sent: an empty one is a 400.
  BOOST_TEST(body.find("assistant") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_text_of_blanks_is_not_sent) {
  auto talk = hello();
  talk.push_back(
    said(role::assistant,
         {text_part{" \n\n"}, tool_call_part{"c1.0", "", "scale", "{}"}}));
  const auto body = to_wire(wire_request(talk), claude).value();
  BOOST_TEST(body.find(R"("content":[{"type":"tool_use")")
             != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_image_is_sent_by_its_url) {
  const auto body =
    to_wire(
      wire_request({said(role::user, {image_part{"", "https://x/y.png", ""}})}),
      claude)
      .value();
  BOOST_TEST(body.find(R"({"type":"image","source":{"type":"url",)"
                       R"("url":"https://x/y.png"}})")
             != std::string::npos);
  const auto carried =
    to_wire(wire_request({said(
              role::user, {image_part{"", "data:image/png;base64,Zg==", ""}})}),
            claude)
      .value();
  BOOST_TEST(carried.find(R"({"type":"image","source":{"type":"base64",)"
                          R"("media_type":"image/png","data":"Zg=="}})")
             != std::string::npos);
  const auto refused = to_wire(
    wire_request({said(role::user, {image_part{"image/png", "", "abc"}})}),
    claude);
  BOOST_TEST((refused.error().code == errc::unsupported));
}

BOOST_AUTO_TEST_CASE(documents_and_what_tools_show_are_blocks) {
  const auto body = to_wire(wire_request(shown_round()), claude).value();
  const std::string image =
    R"({"type":"image","source":{"type":"base64","media_type":"image/png",)"
    R"("data":"aW1n"}})";
  const std::string pdf =
    R"({"type":"document","source":{"type":"base64","media_type":)"
    R"("application/pdf","data":"cGRm"},"title":"a.pdf"})";
  const std::string note =
    R"({"type":"document","source":{"type":"text","media_type":"text/plain",)"
    R"("data":"hi"},"title":"n.md"})";
  BOOST_TEST(body.find(R"({"type":"text","text":"Look:"},)" + pdf + "," + note
                       + "," + image)
               != std::string::npos,
             body);
  BOOST_TEST(
    body.find(R"({"type":"tool_result","tool_use_id":"call_1","content":[)"
              R"({"type":"text","text":"see"},)"
              + image + R"(,{"type":"text","text":"left"},)" + pdf + "," + note
              + R"(],"is_error":false},{"type":"tool_result",)"
              + R"("tool_use_id":"call_2","content":[)" + image
              + R"(],"is_error":false)")
      != std::string::npos,
    body);
  const auto fetched =
    to_wire(wire_request(
              {said(role::user, {document_part{"", "", "https://x/a", ""}})}),
            claude)
      .value();
  BOOST_TEST(fetched.find(R"({"type":"document","source":{"type":"url",)"
                          R"("url":"https://x/a"}})")
             != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_sent_is_an_error_before_the_call) {
  BOOST_TEST(
    (to_wire(wire_request({}), claude).error().code == errc::invalid_argument));
  auto talk = hello();
  talk.push_back(said(role::assistant, {opaque_part{"anthropic", "{cut"}}));
  BOOST_TEST(
    (to_wire(wire_request(talk), claude).error().code == errc::corrupt));
  auto agent = wire_agent();
  agent.tools[0].input_schema = "no schema";
  BOOST_TEST((to_wire(wire_request(hello(), agent), claude).error().code
              == errc::corrupt));
}

BOOST_AUTO_TEST_CASE(an_answer_is_read_in_the_vendors_order) {
  const auto reply = reply_in(from_wire(
    answer_200(plain_answer, {{"Request-Id", "req_9"}}), claude, wire_now));
  const std::vector<part> expected{
    reasoning_part{
      "anthropic", "hm",
      R"({"type":"thinking","thinking":"hm","signature":"c2ln/+=","x":1.5})"},
    text_part{"Sunny."},
    tool_call_part{"", "toolu_1", "scale", R"({"n":3,"a":0.1})"},
    opaque_part{"anthropic",
                R"({"type":"web_search_tool_result","content":[1,2]})"}};
  BOOST_TEST((reply.parts == expected));
  BOOST_TEST((reply.stop == stop_reason::tool_use));
  BOOST_TEST((reply.usage == token_usage{12, 3, 7, 5, 2}));
  BOOST_TEST(reply.model == "claude-sonnet-4-6");
  BOOST_TEST(reply.request_id == "req_9");
}

BOOST_AUTO_TEST_CASE(counters_that_are_null_absent_or_nonsense_are_none) {
  const auto usage = [](const std::string& text) {
    return reply_in(
             from_wire(answer_200(R"({"content":[],"usage":)" + text + "}"),
                       claude, wire_now))
      .usage;
  };
  BOOST_TEST((usage("null") == token_usage{}));
  BOOST_TEST((usage("{}") == token_usage{}));
  BOOST_TEST(
    (usage(R"({"input_tokens":null,"output_tokens":"x"})") == token_usage{}));
  BOOST_TEST((usage(R"({"input_tokens":-5})") == token_usage{}));
  BOOST_TEST(usage(R"({"input_tokens":1e300})").input_tokens == 1'000'000'000);
}

BOOST_AUTO_TEST_CASE(each_stop_reason_has_its_meaning) {
  const std::pair<const char*, stop_reason> reasons[] = {
    {"end_turn", stop_reason::end_turn},
    {"stop_sequence", stop_reason::end_turn},
    {"tool_use", stop_reason::tool_use},
    {"max_tokens", stop_reason::max_tokens},
    {"model_context_window_exceeded", stop_reason::max_tokens},
    {"refusal", stop_reason::refusal},
    {"pause_turn", stop_reason::other},
    {"brand_new", stop_reason::other}};
  for (const auto& [name, meaning] : reasons)
    BOOST_TEST((reply_in(from_wire(answer_200(R"({"content":[],)"
                                              R"("stop_reason":")"
                                              + std::string{name} + "\"}"),
                                   claude, wire_now))
                  .stop
                == meaning));
}

BOOST_AUTO_TEST_CASE(an_answer_of_another_shape_is_corrupt_for_good) {
  for (const auto* body :
       {"{}", "[]", "null", R"({"content":"text"})", R"({"content":[1]})",
        R"({"content":[{"type":"text"}]})",
        R"({"content":[{"type":"tool_use","id":"x"}]})"}) {
    const auto failure =
      failure_in(from_wire(answer_200(body), claude, wire_now));
    BOOST_TEST((failure.error.code == errc::corrupt));
    BOOST_TEST(!failure.retryable);
  }
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_cut_anywhere_is_corrupt_and_retryable) {
  const std::string whole = plain_answer;
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const auto failure =
      failure_in(from_wire(answer_200(whole.substr(0, n)), claude, wire_now));
    BOOST_TEST((failure.error.code == errc::corrupt));
    BOOST_TEST(failure.retryable);
  }
}

BOOST_AUTO_TEST_CASE(an_error_tells_its_type_and_message_but_no_key) {
  const http_response refused{
    401,
    {},
    R"({"type":"error","error":{"type":"authentication_error",)"
    R"("message":"bad key sk-ant-123456!"}})"};
  const auto failure = failure_in(from_wire(refused, claude, wire_now));
  BOOST_TEST((failure.error.code == errc::unauthenticated));
  BOOST_TEST(!failure.retryable);
  BOOST_TEST(failure.http_status == 401);
  BOOST_TEST(failure.error.detail
             == "anthropic answered 401 (authentication_error) for model "
                "claude-sonnet-4-6: bad key [key]!");
}

BOOST_AUTO_TEST_CASE(an_error_inside_a_success_is_an_error) {
  const auto failure = failure_in(from_wire(
    answer_200(R"({"type":"error","error":{"type":"overloaded_error"}})"),
    claude, wire_now));
  BOOST_TEST((failure.error.code == errc::unavailable));
  BOOST_TEST(failure.retryable);
}

BOOST_AUTO_TEST_CASE(a_spend_limit_is_no_reason_to_try_again) {
  for (const auto* code :
       {"enforced_spend_limit_reached", "contract_spend_limit_reached"}) {
    const http_response refused{
      429,
      {{"retry-after", "1"}, {"x-should-retry", "true"}},
      R"({"error":{"type":"rate_limit_error","details":{"error_code":")"
        + std::string{code} + R"("}}})"};
    const auto failure = failure_in(from_wire(refused, claude, wire_now));
    BOOST_TEST((failure.error.code == errc::quota_exhausted));
    BOOST_TEST(!failure.retryable);
    BOOST_TEST(!failure.retry_after);
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
