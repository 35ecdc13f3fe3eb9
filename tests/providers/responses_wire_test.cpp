#include <kestrion/messages/json_text.hpp>
#include <kestrion/providers/models/responses_wire.hpp>
#include <kestrion/tests/providers/wire_requests.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace kestrion::test {

namespace responses_wire_test {

using responses_wire::from_wire;
using responses_wire::to_wire;

const openai_responses_options gpt{.model = "gpt-6-sol",
                                   .api_key = "k-1234567"};

std::string input_of(const std::string& body) {
  const auto json = parse_json(body, "it").value();
  return wire_text(json.at("input"));
}

model_reply read(const std::string& output, const std::string& more = {}) {
  return reply_in(from_wire(
    answer_200(R"({"status":"completed","output":)" + output + more + "}"), gpt,
    wire_now));
}

} // namespace responses_wire_test

BOOST_AUTO_TEST_SUITE(responses_wire_test)

BOOST_AUTO_TEST_CASE(a_request_holds_what_the_vendor_documents) {
  auto agent = wire_agent();
  agent.options.effort = "low";
  auto options = gpt;
  options.parallel_tool_calls = false;
  options.reasoning_summary = "auto";
  const auto body =
    to_wire(wire_request(tool_round("call_1", "call_2"), agent), options);
  BOOST_TEST(
    body.value()
    == R"({"model":"gpt-6-sol","instructions":"Be brief.","tools":[{"type":)"
       R"("function","name":"scale","description":"Set the replicas.",)"
       R"("parameters":{"type":"object","properties":{"n":{"type":"integer"}},)"
       R"("required":["n"],"additionalProperties":false},"strict":false}],)"
       R"("parallel_tool_calls":false,"input":[)"
       R"({"role":"user","content":"Scale \"up\" )"
       "\u2191"
       R"("},{"role":"assistant","content":"On it."},)"
       R"({"type":"function_call","call_id":"call_1","name":"scale",)"
       R"("arguments":"{\"n\": 3}"},)"
       R"({"type":"function_call","call_id":"call_2","name":"scale",)"
       R"("arguments":"not json"},)"
       R"({"type":"function_call_output","call_id":"call_1","output":"done"},)"
       R"({"type":"function_call_output","call_id":"call_2","output":"no JSON"})"
       R"(,{"role":"user","content":"And now?"}],"store":false,)"
       R"("include":["reasoning.encrypted_content"],"max_output_tokens":1024,)"
       R"("reasoning":{"effort":"low","summary":"auto"}})");
}

BOOST_AUTO_TEST_CASE(models_that_do_not_think_are_not_asked_for_thoughts) {
  const auto body = to_wire(wire_request({said(role::user, {text_part{"hi"}})}),
                            {.model = "gpt-4.1"});
  BOOST_TEST(body.value().find("include") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_the_model_said_goes_back_as_it_came_and_in_order) {
  const std::string reasoning =
    R"({"id":"rs_1","type":"reasoning","summary":[],)"
    R"("encrypted_content":"gAAA+/=\u0001\"","new":{"z":1,"a":[1.5,null]}})";
  const std::string search =
    R"({"type":"web_search_call","id":"ws_1","status":"completed"})";
  const auto reply =
    read("[" + reasoning
         + R"(,{"type":"message","id":"msg_1","status":"completed","phase":)"
           R"("commentary","content":[{"type":"output_text","text":"One. "},)"
           R"({"type":"output_text","text":"Two."}]},)"
         + search
         + R"(,{"type":"function_call","id":"fc_1","call_id":"call_1","name":)"
           R"("scale","arguments":"{\"n\": 3}"},)"
           R"({"type":"message","phase":"final_answer","content":[{"type":)"
           R"("output_text","text":"Three."}]}])");
  auto talk = conversation{said(role::user, {text_part{"hi"}})};
  talk.push_back(said(role::assistant, reply.parts));
  const auto input = input_of(to_wire(wire_request(talk), gpt).value());
  BOOST_TEST(
    input
    == R"([{"role":"user","content":"hi"},)" + reasoning
         + R"(,{"role":"assistant","content":"One. Two.","phase":"commentary"},)"
         + search
         + R"(,{"type":"function_call","call_id":"call_1","name":"scale",)"
           R"("arguments":"{\"n\": 3}"},)"
           R"({"role":"assistant","content":"Three.","phase":"final_answer"}])");
  // Nobody else can read it.
  const auto other =
    input_of(to_wire(wire_request(talk), {.model = "m", .base_url = "http://x"})
               .value());
  BOOST_TEST(other.find("reasoning") == std::string::npos);
  BOOST_TEST(other.find("phase") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_thought_that_only_has_an_id_is_not_sent_back) {
  const auto reply = read(
    R"([{"id":"rs_1","type":"reasoning","summary":[{"type":"summary_text",)"
    R"("text":"hm"}]},{"type":"message","content":[{"type":"output_text",)"
    R"("text":"x"}]}])");
  BOOST_TEST((std::get<reasoning_part>(reply.parts.at(0)).text == "hm"));
  const auto input = input_of(
    to_wire(wire_request({said(role::assistant, reply.parts)}), gpt).value());
  BOOST_TEST(input == R"([{"role":"assistant","content":"x"}])");
}

BOOST_AUTO_TEST_CASE(images_are_parts_of_a_users_message) {
  const auto talk = conversation{said(
    role::user, {text_part{"what?"}, image_part{"", "https://x/y.png", ""}})};
  BOOST_TEST(input_of(to_wire(wire_request(talk), gpt).value())
             == R"([{"role":"user","content":[{"type":"input_text","text":)"
                R"("what?"},{"type":"input_image","image_url":)"
                R"("https://x/y.png","detail":"auto"}]}])");
  const auto blob = conversation{
    said(role::user, {image_part{"image/png", "", std::string(64, 'a')}})};
  BOOST_TEST(
    (to_wire(wire_request(blob), gpt).error().code == errc::unsupported));
}

BOOST_AUTO_TEST_CASE(documents_and_what_tools_show_are_parts_too) {
  const std::string image =
    R"({"type":"input_image","image_url":"data:image/png;base64,aW1n",)"
    R"("detail":"auto"})";
  const std::string pdf =
    R"({"type":"input_file","filename":"a.pdf","file_data":)"
    R"("data:application/pdf;base64,cGRm"})";
  const std::string note =
    R"({"type":"input_text","text":"Document \"n.md\":\nhi\n"})";
  const auto input =
    input_of(to_wire(wire_request(shown_round()), gpt).value());
  BOOST_TEST(
    input.find(R"([{"role":"user","content":[{"type":"input_text","text":)"
               R"("Look:"},)"
               + pdf + "," + note + "," + image + "]}")
      == 0u,
    input);
  BOOST_TEST(
    input.find(
      R"({"type":"function_call_output","call_id":"call_1","output":[)"
      R"({"type":"input_text","text":"see"},)"
      + image + R"(,{"type":"input_text","text":"left"},)" + pdf + "," + note
      + R"(]},{"type":"function_call_output","call_id":"call_2","output":[)"
      + image + "]}]")
      != std::string::npos,
    input);
  const auto fetched = input_of(
    to_wire(wire_request(
              {said(role::user, {document_part{"", "", "https://x/a", ""}})}),
            gpt)
      .value());
  BOOST_TEST(fetched.find(R"({"type":"input_file","file_url":"https://x/a"})")
             != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_sent_has_a_clear_name) {
  BOOST_TEST(
    (to_wire(wire_request({}), gpt).error().code == errc::invalid_argument));
  const auto bad = conversation{
    said(role::assistant, {opaque_part{"openai-responses", "{no json"}})};
  BOOST_TEST((to_wire(wire_request(bad), gpt).error().code == errc::corrupt));
  auto agent = wire_agent();
  agent.options.temperature = 0.5;
  BOOST_TEST(
    (to_wire(wire_request({said(role::user, {text_part{"hi"}})}, agent), gpt)
       .error()
       .code
     == errc::unsupported));
}

BOOST_AUTO_TEST_CASE(each_way_to_stop_has_its_meaning) {
  const auto stop = [](const char* output, const char* more = "") {
    return read(output, more).stop;
  };
  const auto* text =
    R"([{"type":"message","content":[{"type":"output_text","text":"x"}]}])";
  const auto* call =
    R"([{"type":"function_call","call_id":"1","name":"f","arguments":""}])";
  const auto* refusal =
    R"([{"type":"message","content":[{"type":"refusal","refusal":"no"}]}])";
  const auto cut = [](const char* reason) {
    return R"(,"incomplete_details":{"reason":")" + std::string{reason}
           + R"("})";
  };
  BOOST_TEST((stop(text) == stop_reason::end_turn));
  BOOST_TEST((stop(call) == stop_reason::tool_use));
  BOOST_TEST((stop(refusal) == stop_reason::refusal));
  BOOST_TEST(
    (stop(text, cut("max_output_tokens").c_str()) == stop_reason::max_tokens));
  BOOST_TEST(
    (stop(text, cut("content_filter").c_str()) == stop_reason::refusal));
  BOOST_TEST((stop(text, cut("brand_new").c_str()) == stop_reason::other));
  BOOST_TEST((read(refusal).parts == std::vector<part>{text_part{"no"}}));
  BOOST_TEST(
    (std::get<tool_call_part>(read(call).parts.at(0)).arguments == "{}"));
}

BOOST_AUTO_TEST_CASE(usage_counts_each_token_once) {
  const auto reply = read(
    "[]", R"(,"usage":{"input_tokens":100,"input_tokens_details":)"
          R"({"cached_tokens":60,"cache_write_tokens":30},"output_tokens":20,)"
          R"("output_tokens_details":{"reasoning_tokens":8}})");
  BOOST_TEST((reply.usage == token_usage{10, 60, 30, 20, 8}));
  BOOST_TEST((read("[]", R"(,"usage":null)").usage == token_usage{}));
}

BOOST_AUTO_TEST_CASE(a_response_that_failed_is_a_failure) {
  const auto failure = [](const char* body) {
    return failure_in(from_wire(answer_200(body), gpt, wire_now));
  };
  const auto busy =
    failure(R"({"status":"failed","output":[],"error":{"code":"server_error",)"
            R"("message":"key k-1234567 is busy"}})");
  BOOST_TEST((busy.error.code == errc::unavailable));
  BOOST_TEST(busy.retryable);
  BOOST_TEST(busy.error.detail.find("k-1234567") == std::string::npos);
  BOOST_TEST(failure(R"({"status":"cancelled","output":[]})").retryable);
  for (const auto* body :
       {"{}", "[]", R"({"output":{}})", R"({"output":[1]})",
        R"({"output":[{}]})", R"({"output":[{"type":"message"}]})",
        R"({"output":[{"type":"function_call"}]})",
        R"({"status":"in_progress","output":[]})"}) {
    const auto shapeless = failure(body);
    BOOST_TEST_CONTEXT(body) {
      BOOST_TEST((shapeless.error.code == errc::corrupt));
      BOOST_TEST(!shapeless.retryable);
    }
  }
  for (const auto* body : {"", "<html>"})
    BOOST_TEST(failure(body).retryable);
  const auto refused = failure_in(from_wire(
    {400, {}, R"({"error":{"message":"m","type":"invalid_request_error"}})"},
    gpt, wire_now));
  BOOST_TEST((refused.error.code == errc::invalid_argument));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
