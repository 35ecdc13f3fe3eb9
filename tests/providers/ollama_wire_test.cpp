#include <kestrion/providers/models/ollama_wire.hpp>
#include <kestrion/tests/providers/wire_requests.hpp>

#include <boost/test/unit_test.hpp>

#include <string>

namespace kestrion::test {

namespace ollama_wire_test {

using ollama_wire::from_wire;
using ollama_wire::to_wire;

const ollama_options qwen{.model = "qwen3", .num_ctx = 8192};

conversation hello() {
  return {said(role::user, {text_part{"hi"}})};
}

} // namespace ollama_wire_test

BOOST_AUTO_TEST_SUITE(ollama_wire_test)

BOOST_AUTO_TEST_CASE(a_whole_conversation_with_tools_has_these_bytes) {
  BOOST_TEST(
    to_wire(wire_request(tool_round("call_1", "")), qwen).value()
    == R"({"model":"qwen3","messages":[)"
       R"({"role":"system","content":"Be brief."},)"
       "{\"role\":\"user\",\"content\":\"Scale \\\"up\\\" \u2191\"},"
       R"({"role":"assistant","content":"On it.","tool_calls":[)"
       R"({"id":"call_1","function":{"name":"scale","arguments":{"n":3}}},)"
       R"({"id":"c1.1","function":{"name":"scale","arguments":{}}}]},)"
       R"({"role":"tool","content":"done","tool_name":"scale",)"
       R"("tool_call_id":"call_1"},)"
       R"({"role":"tool","content":"no JSON","tool_name":"scale",)"
       R"("tool_call_id":"c1.1"},)"
       R"({"role":"user","content":"And now?"}],)"
       R"("tools":[{"type":"function","function":{"name":"scale",)"
       R"("description":"Set the replicas.","parameters":{"type":"object",)"
       R"("properties":{"n":{"type":"integer"}},"required":["n"],)"
       R"("additionalProperties":false}}}],"stream":false,"truncate":false,)"
       R"("options":{"num_predict":1024,"num_ctx":8192}})");
}

BOOST_AUTO_TEST_CASE(effort_is_how_much_it_thinks) {
  const auto body = [](const char* effort) {
    auto agent = wire_agent();
    agent.options.effort = effort;
    agent.options.temperature = 0.25;
    return to_wire(wire_request(hello(), agent), qwen);
  };
  BOOST_TEST(body("none").value().find(R"("think":false})")
             != std::string::npos);
  BOOST_TEST(body("high").value().find(R"("think":"high"})")
             != std::string::npos);
  BOOST_TEST(body("high").value().find(R"("temperature":0.25)")
             != std::string::npos);
  BOOST_TEST((body("xhigh").error().code == errc::unsupported));
}

BOOST_AUTO_TEST_CASE(a_tool_shows_images_and_texts) {
  const tool_result_part result{
    "c1.0",
    "call_1",
    "scale",
    "see: ",
    false,
    {{image_part{"", "data:image/png;base64,aW1n", ""}, text_part{"left\n"},
      document_part{"", "n.md", "data:text/markdown;base64,aGk=", ""}}}};
  const auto body =
    to_wire(wire_request({said(role::tool, {result})}), qwen).value();
  BOOST_TEST(
    body.find(R"({"role":"tool","content":"see: left\nDocument \"n.md\":\n)"
              R"(hi\n","tool_name":"scale","tool_call_id":"call_1",)"
              R"("images":["aW1n"]})")
      != std::string::npos,
    body);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_sent_is_an_error_before_the_call) {
  BOOST_TEST(
    (to_wire(wire_request({}), qwen).error().code == errc::invalid_argument));
  BOOST_TEST((
    to_wire(wire_request({said(role::user, {image_part{"", "https://x", ""}})}),
            qwen)
      .error()
      .code
    == errc::unsupported));
  const auto carried =
    to_wire(wire_request({said(
              role::user, {image_part{"", "data:image/png;base64,Zg==", ""}})}),
            qwen)
      .value();
  BOOST_TEST(carried.find(R"({"role":"user","content":"","images":["Zg=="]})")
             != std::string::npos);
  BOOST_TEST(to_wire(wire_request(shown_round()), qwen).error().detail
             == "model qwen3 takes no documents but plain text");
  auto options = qwen;
  options.num_ctx = 0;
  BOOST_TEST((to_wire(wire_request(hello()), options).error().code
              == errc::invalid_argument));
}

BOOST_AUTO_TEST_CASE(an_answer_is_read_and_its_thoughts_go_back) {
  const auto reply = reply_in(from_wire(
    answer_200(
      R"({"model":"qwen3","created_at":"t","message":{"role":"assistant",)"
      R"("content":"On it.","thinking":"hm","tool_calls":[{"id":"call_1",)"
      R"("function":{"index":0,"name":"scale","arguments":{"n":3}}},)"
      R"({"function":{"name":"list"}}]},"done":true,"done_reason":"stop",)"
      R"("prompt_eval_count":26,"eval_count":15})"),
    qwen, wire_now));
  const std::vector<part> expected{
    reasoning_part{"ollama", "hm", R"({"thinking":"hm"})"}, text_part{"On it."},
    tool_call_part{"", "call_1", "scale", R"({"n":3})"},
    tool_call_part{"", "", "list", "{}"}};
  BOOST_TEST((reply.parts == expected));
  BOOST_TEST((reply.stop == stop_reason::tool_use));
  BOOST_TEST((reply.usage == token_usage{26, 0, 0, 15, 0}));
  BOOST_TEST(reply.model == "qwen3");

  auto talk = hello();
  talk.push_back(said(role::assistant, reply.parts));
  BOOST_TEST(
    to_wire(wire_request(talk), qwen).value().find(R"("thinking":"hm"})")
    != std::string::npos);
}

BOOST_AUTO_TEST_CASE(each_done_reason_has_its_meaning) {
  const auto stop = [](const std::string& reason) {
    return reply_in(from_wire(answer_200(R"({"message":{"content":"x"})"
                                         + reason + "}"),
                              qwen, wire_now))
      .stop;
  };
  BOOST_TEST((stop(R"(,"done_reason":"stop")") == stop_reason::end_turn));
  BOOST_TEST((stop("") == stop_reason::end_turn));
  BOOST_TEST((stop(R"(,"done_reason":"length")") == stop_reason::max_tokens));
  BOOST_TEST((stop(R"(,"done_reason":"unload")") == stop_reason::other));
}

BOOST_AUTO_TEST_CASE(an_answer_of_another_shape_is_corrupt) {
  for (const auto* body :
       {"{}", R"({"message":"x"})", R"({"message":{"content":1}})",
        R"({"message":{"tool_calls":1}})", R"({"message":{"tool_calls":[1]}})",
        R"({"message":{"tool_calls":[{"function":{"name":""}}]}})"})
    BOOST_TEST(
      !failure_in(from_wire(answer_200(body), qwen, wire_now)).retryable);
  // Two lines: the server streams although it was asked not to.
  const auto lines = failure_in(from_wire(
    answer_200("{\"message\":{}}\n{\"message\":{}}\n"), qwen, wire_now));
  BOOST_TEST((lines.error.code == errc::corrupt));
}

BOOST_AUTO_TEST_CASE(errors_are_read_whatever_the_status) {
  const auto missing = failure_in(from_wire(
    {404, {}, R"({"error":"model 'qwen3' not found"})"}, qwen, wire_now));
  BOOST_TEST((missing.error.code == errc::refused));
  BOOST_TEST(!missing.retryable);
  BOOST_TEST(missing.error.detail.find("not found") != std::string::npos);
  const auto busy = failure_in(
    from_wire({503, {}, R"({"error":"server busy"})"}, qwen, wire_now));
  BOOST_TEST((busy.error.code == errc::unavailable));
  BOOST_TEST(busy.retryable);
  const auto late =
    failure_in(from_wire(answer_200(R"({"error":"died"})"), qwen, wire_now));
  BOOST_TEST(late.retryable);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
