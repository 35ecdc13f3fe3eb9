#include <kestrion/messages/described.hpp>
#include <kestrion/messages/json_schema.hpp>
#include <kestrion/messages/json_text.hpp>
#include <kestrion/messages/schema.hpp>
#include <kestrion/providers/models/anthropic_wire.hpp>
#include <kestrion/providers/models/ollama_wire.hpp>
#include <kestrion/providers/models/openai_wire.hpp>
#include <kestrion/providers/models/output_request.hpp>
#include <kestrion/providers/models/responses_wire.hpp>
#include <kestrion/tests/providers/wire_requests.hpp>

#include <boost/json/object.hpp>
#include <boost/test/unit_test.hpp>

#include <map>
#include <string>

/// How each vendor is asked for an agent's output.
namespace kestrion::test {

namespace output_request_test {

struct verdict {
  bool good;
  std::uint8_t stars;
  std::optional<std::string> note;
};
BOOST_DESCRIBE_STRUCT(verdict, (), (good, stars, note))

struct table {
  std::map<std::string, int> rows;
};
BOOST_DESCRIBE_STRUCT(table, (), (rows))

struct anything {
  boost::json::value what;
};
BOOST_DESCRIBE_STRUCT(anything, (), (what))

template <class T>
agent_definition typed_agent(bool has_tools) {
  auto agent = wire_agent();
  if (!has_tools)
    agent.tools.clear();
  agent.output =
    output_spec{json_schema<T>(empty_member::absent_or_null), false, {}};
  return agent;
}

template <class T = verdict>
model_request typed_request(bool has_tools = false) {
  return wire_request({said(role::user, {text_part{"hi"}})},
                      typed_agent<T>(has_tools));
}

const std::string lenient =
  R"({"type":"object","properties":{"good":{"type":"boolean"},)"
  R"("stars":{"type":"integer","minimum":0,"maximum":255},)"
  R"("note":{"anyOf":[{"type":"string"},{"type":"null"}]}},)"
  R"("required":["good","stars"],"additionalProperties":false})";

const std::string strict =
  R"({"type":"object","properties":{"good":{"type":"boolean"},)"
  R"("stars":{"type":"integer","minimum":0,"maximum":255},)"
  R"("note":{"anyOf":[{"type":"string"},{"type":"null"}]}},)"
  R"("required":["good","stars","note"],"additionalProperties":false})";

const std::string boundless =
  R"({"type":"object","properties":{"good":{"type":"boolean"},)"
  R"("stars":{"type":"integer"},)"
  R"("note":{"anyOf":[{"type":"string"},{"type":"null"}]}},)"
  R"("required":["good","stars","note"],"additionalProperties":false})";

const std::string scale =
  R"({"type":"object","properties":{"n":{"type":"integer"}},)"
  R"("required":["n"],"additionalProperties":false})";

const std::string answer_tool_says =
  R"("description":"Gives the final answer. Call it once, alone, when all else )"
  R"(is done: its arguments are the answer. Never answer with text.",)";

std::string strict_or_not(const std::string& schema) {
  const auto out = strict_schema(parse_json(schema, "it").value());
  return out ? wire_text(*out) : "not";
}

} // namespace output_request_test

BOOST_AUTO_TEST_SUITE(output_request_test)

// -- golden bodies ------------------------------------------------------------

BOOST_AUTO_TEST_CASE(claude_gets_a_format_beside_its_tools) {
  auto request = typed_agent<verdict>(true);
  request.options.effort = "low";
  BOOST_TEST(
    anthropic_wire::to_wire(
      wire_request({said(role::user, {text_part{"hi"}})}, request),
      {.model = "claude-opus-5-5", .cache = false})
      .value()
    == R"({"model":"claude-opus-5-5","max_tokens":1024,)"
       R"("system":"Be brief.","tools":[{"name":"scale",)"
       R"("description":"Set the replicas.","input_schema":)"
         + scale
         + R"(}],"messages":[{"role":"user","content":[{"type":"text",)"
           R"("text":"hi"}]}],"output_config":{"effort":"low",)"
           R"("format":{"type":"json_schema","schema":)"
         + boundless + "}}}");
}

BOOST_AUTO_TEST_CASE(an_older_claude_gets_a_tool_that_it_has_to_call) {
  BOOST_TEST(anthropic_wire::to_wire(
               typed_request(true),
               {.model = "claude-sonnet-4-20250514", .cache = false})
               .value()
             == R"({"model":"claude-sonnet-4-20250514","max_tokens":1024,)"
                R"("system":"Be brief.","tools":[{"name":"scale",)"
                R"("description":"Set the replicas.","input_schema":)"
                  + scale + R"(},{"name":"final_answer",)" + answer_tool_says
                  + R"("input_schema":)" + lenient
                  + R"(}],"tool_choice":{"type":"any"},"messages":[{"role":)"
                    R"("user","content":[{"type":"text","text":"hi"}]}]})");
}

BOOST_AUTO_TEST_CASE(a_claude_that_thinks_is_not_forced_to_call) {
  const auto body =
    anthropic_wire::to_wire(
      typed_request(),
      {.model = "claude-3-7-sonnet", .thinking = "adaptive", .cache = false})
      .value();
  BOOST_TEST(body.find("final_answer") != std::string::npos);
  BOOST_TEST(body.find("tool_choice") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(chat_completions_get_a_response_format) {
  BOOST_TEST(
    openai_wire::to_wire(typed_request(), {.model = "gpt-6-sol"}).value()
    == R"({"model":"gpt-6-sol","messages":[{"role":"developer","content":)"
       R"("Be brief."},{"role":"user","content":"hi"}],"response_format":)"
       R"({"type":"json_schema","json_schema":{"name":"final_answer","schema":)"
         + strict + R"(,"strict":true}},"max_completion_tokens":1024})");
}

BOOST_AUTO_TEST_CASE(an_older_gpt_gets_a_tool_that_it_has_to_call) {
  BOOST_TEST(
    openai_wire::to_wire(typed_request(), {.model = "gpt-4-turbo"}).value()
    == R"({"model":"gpt-4-turbo","messages":[{"role":"developer","content":)"
       R"("Be brief."},{"role":"user","content":"hi"}],"tools":[{"type":)"
       R"("function","function":{"name":"final_answer",)"
         + answer_tool_says + R"("parameters":)" + lenient
         + R"(}}],"tool_choice":"required","max_completion_tokens":1024})");
}

BOOST_AUTO_TEST_CASE(responses_get_a_text_format) {
  BOOST_TEST(
    responses_wire::to_wire(typed_request(), {.model = "gpt-6-sol"}).value()
    == R"({"model":"gpt-6-sol","instructions":"Be brief.","input":[{"role":)"
       R"("user","content":"hi"}],"store":false,"text":{"format":{"type":)"
       R"("json_schema","name":"final_answer","schema":)"
         + strict
         + R"(,"strict":true}},"include":["reasoning.encrypted_content"],)"
           R"("max_output_tokens":1024})");
}

BOOST_AUTO_TEST_CASE(ollama_gets_a_format_or_beside_tools_another_tool) {
  const ollama_options qwen{.model = "qwen3"};
  BOOST_TEST(ollama_wire::to_wire(typed_request(), qwen).value()
             == R"({"model":"qwen3","messages":[{"role":"system","content":)"
                R"("Be brief."},{"role":"user","content":"hi"}],"format":)"
                  + strict
                  + R"(,"stream":false,"truncate":false,)"
                    R"("options":{"num_predict":1024}})");
  BOOST_TEST(ollama_wire::to_wire(typed_request(true), qwen).value()
             == R"({"model":"qwen3","messages":[{"role":"system","content":)"
                R"("Be brief."},{"role":"user","content":"hi"}],"tools":[)"
                R"({"type":"function","function":{"name":"scale",)"
                R"("description":"Set the replicas.","parameters":)"
                  + scale
                  + R"(}},{"type":"function","function":{"name":)"
                    R"("final_answer",)"
                  + answer_tool_says + R"("parameters":)" + lenient
                  + R"(}}],"stream":false,"truncate":false,)"
                    R"("options":{"num_predict":1024}})");
}

BOOST_AUTO_TEST_CASE(what_no_strict_mode_takes_is_asked_for_otherwise) {
  const auto chat =
    openai_wire::to_wire(typed_request<table>(), {.model = "gpt-6-sol"})
      .value();
  BOOST_TEST(chat.find(R"("strict":false)") != std::string::npos);
  BOOST_TEST(chat.find(R"("additionalProperties":{"type":"integer")")
             != std::string::npos);
  const auto claude = anthropic_wire::to_wire(typed_request<table>(),
                                              {.model = "claude-opus-5-5"})
                        .value();
  BOOST_TEST(claude.find("output_config") == std::string::npos);
  BOOST_TEST(claude.find("final_answer") != std::string::npos);
  BOOST_TEST(claude.find("tool_choice") == std::string::npos); // 400.
  const auto llama =
    ollama_wire::to_wire(typed_request<anything>(), {.model = "llama"}).value();
  BOOST_TEST(llama.find(R"("format":{"type":"object")") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_file_may_say_how_an_unknown_model_answers) {
  const auto table =
    capability_table{}
      .read(R"({"models":[{"vendor":"openai","name_prefix":"deepseek-",)"
            R"("output":"tool"}]})")
      .value();
  const auto body = openai_wire::to_wire(
    typed_request(), {.model = "deepseek-chat", .capabilities = table});
  BOOST_TEST(body.value().find("response_format") == std::string::npos);
  BOOST_TEST(body.value().find("final_answer") != std::string::npos);
  BOOST_TEST(body.value().find("tool_choice") == std::string::npos);
}

// -- strict schemas -----------------------------------------------------------

BOOST_AUTO_TEST_CASE(every_member_is_required_if_it_may_be_null) {
  BOOST_TEST(strict_or_not(lenient) == strict);
  BOOST_TEST(strict_or_not(strict) == strict);
  BOOST_TEST(
    strict_or_not(R"({"type":"object","properties":{"a":{"type":["string",)"
                  R"("null"]}},"additionalProperties":false})")
    == R"({"type":"object","properties":{"a":{"type":["string",)"
       R"("null"]}},"additionalProperties":false,"required":["a"]})");
}

BOOST_AUTO_TEST_CASE(what_can_not_be_strict_is_told) {
  for (const auto* open :
       {R"({"type":"object","properties":{"a":{"type":"string"}}})",
        R"({"type":"object","properties":{"a":{"type":"string"}},)"
        R"("additionalProperties":false})",
        R"({"type":"object","additionalProperties":{"type":"string"}})",
        R"({"type":"object","properties":{"a":{}},"required":["a"],)"
        R"("additionalProperties":false})",
        R"({"type":"array","items":{"type":"object","properties":{"a":)"
        R"({"type":"string"}},"additionalProperties":false}})",
        R"({"oneOf":[{"type":"string"},{"type":"null"}]})", "true"})
    BOOST_TEST(strict_or_not(open) == "not", open);
}

BOOST_AUTO_TEST_CASE(a_member_may_have_the_name_of_a_bound) {
  const auto schema =
    parse_json(R"({"type":"object","properties":{"minimum":{"type":"integer",)"
               R"("minimum":3}}})",
               "it")
      .value();
  BOOST_TEST(
    wire_text(without_bounds(schema))
    == R"({"type":"object","properties":{"minimum":{"type":"integer"}}})");
}

BOOST_AUTO_TEST_CASE(what_a_strict_mode_answers_fits_the_agents_own_schema) {
  const auto own = schema::compile(lenient).value();
  for (const auto* answer : {R"({"good":true,"stars":3,"note":null})",
                             R"({"good":true,"stars":3,"note":"fine"})",
                             R"({"good":true,"stars":3})"}) {
    const auto json = parse_json(answer, "it").value();
    BOOST_TEST(!own->validate(json).has_error(), answer);
    BOOST_TEST(decode_json<verdict>(json).value().stars == 3);
  }
  BOOST_TEST(
    own->validate(parse_json(R"({"good":true,"stars":300})", "it").value())
      .has_error());
}

// -- answers by a tool --------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_call_of_the_answers_tool_is_the_text_it_stands_for) {
  model_reply reply;
  reply.parts = {text_part{"Here:"},
                 tool_call_part{"", "t1", "final_answer", R"({"good":true})"}};
  reply.stop = stop_reason::tool_use;
  take_output_call(reply);
  BOOST_TEST(
    (reply.parts
     == std::vector<part>{text_part{"Here:"}, text_part{R"({"good":true})"}}));
  BOOST_TEST((reply.stop == stop_reason::end_turn));
}

BOOST_AUTO_TEST_CASE(beside_other_calls_it_is_no_end) {
  model_reply reply;
  reply.parts = {tool_call_part{"", "t1", "final_answer", "{}"},
                 tool_call_part{"", "t2", "scale", R"({"n":1})"}};
  reply.stop = stop_reason::tool_use;
  take_output_call(reply);
  BOOST_TEST(std::holds_alternative<text_part>(reply.parts[0]));
  BOOST_TEST(std::holds_alternative<tool_call_part>(reply.parts[1]));
  BOOST_TEST((reply.stop == stop_reason::tool_use));
}

BOOST_AUTO_TEST_CASE(an_answer_that_was_cut_stays_one) {
  model_reply reply;
  reply.parts = {tool_call_part{"", "t1", "final_answer", R"({"go)"}};
  reply.stop = stop_reason::max_tokens;
  take_output_call(reply);
  BOOST_TEST((reply.stop == stop_reason::max_tokens));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
