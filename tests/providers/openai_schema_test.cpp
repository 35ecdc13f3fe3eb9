#include <kestrion/messages/json_text.hpp>
#include <kestrion/messages/schema.hpp>
#include <kestrion/providers/models/openai_wire.hpp>
#include <kestrion/providers/models/responses_wire.hpp>
#include <kestrion/tests/providers/wire_requests.hpp>

#include <boost/json/object.hpp>
#include <boost/json/value_to.hpp>
#include <boost/test/unit_test.hpp>

#include <fstream>
#include <iterator>
#include <set>
#include <string>

/// What we send, against the vendor's own description of it.
namespace kestrion::test {

namespace openai_schema_test {

/// @param api  "chat" or "responses".
std::string description(const std::string& api) {
  std::ifstream in{std::string{KESTRION_OPENAI_SCHEMAS} + "/openai-" + api
                   + "-request.schema.json"};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// The members of a request, wherever its description has them.
void collect_members(const boost::json::value& schema,
                     const boost::json::object& definitions,
                     std::set<std::string>& out) {
  const auto& object = schema.get_object();
  if (const auto* ref = object.if_contains("$ref")) {
    const std::string name = boost::json::value_to<std::string>(*ref);
    collect_members(definitions.at(name.substr(name.rfind('/') + 1)),
                    definitions, out);
  }
  if (const auto* all = object.if_contains("allOf"))
    for (const auto& each : all->get_array())
      collect_members(each, definitions, out);
  if (const auto* properties = object.if_contains("properties"))
    for (const auto& member : properties->get_object())
      out.emplace(member.key());
}

std::vector<model_request> broad_set() {
  std::vector<model_request> out;
  auto bare = wire_agent();
  bare.system.clear();
  bare.tools.clear();
  const auto hello = said(role::user, {text_part{"hi"}});
  out.push_back(wire_request({hello}, bare));
  out.push_back(wire_request({hello}));
  out.push_back(wire_request(tool_round("call_1", "call_2")));
  out.push_back(wire_request(tool_round("", "")));
  out.push_back(wire_request({said(
    role::user, {text_part{"what?"}, image_part{"", "https://x/y.png", ""}})}));
  out.push_back(wire_request(shown_round()));
  out.push_back(wire_request({hello, said(role::assistant, {})}));
  for (const auto* effort :
       {"none", "minimal", "low", "medium", "high", "xhigh", "max"}) {
    auto agent = wire_agent();
    agent.options.effort = effort;
    if (agent.options.effort == "none")
      agent.options.temperature = 0.5;
    out.push_back(wire_request({hello}, agent));
  }
  auto many = wire_agent();
  for (int i = 0; i < 20; ++i) {
    many.tools.push_back(many.tools.front());
    many.tools.back().name += std::to_string(i);
  }
  out.push_back(wire_request({hello}, many));
  for (const auto* schema :
       {R"({"type":"object","properties":{"a":{"type":"string"}},)"
        R"("required":["a"],"additionalProperties":false})",
        R"({"type":"object"})"}) { // The first can be strict.
    auto typed = wire_agent();
    typed.output = output_spec{schema, false, {}};
    out.push_back(wire_request({hello}, typed));
  }
  return out;
}

/// What the vendor says a request is.
struct official_request {
  explicit official_request(const std::string& api) {
    const auto text = description(api);
    official = schema::compile(text).value();
    const auto json = parse_json(text, "it").value();
    collect_members(json, json.at("definitions").get_object(), members);
  }

  void check(const std::string& body) const {
    const auto json = parse_json(body, "it").value();
    const auto fits = official->validate(json);
    BOOST_TEST(!fits.has_error(), body << "\n" << fits.error().detail);
    // The description allows more; a typo has to show all the same.
    for (const auto& member : json.get_object())
      BOOST_TEST(members.contains(member.key()), member.key());
  }

  bool refuses(const char* body) const {
    return official->validate(parse_json(body, "it").value()).has_error();
  }

  std::shared_ptr<const schema> official;
  std::set<std::string> members;
};

/// A turn with items that only the Responses API has.
conversation thoughtful_round() {
  const std::string vendor = "openai-responses";
  return {
    said(role::user, {text_part{"hi"}}),
    said(
      role::assistant,
      {reasoning_part{vendor, "hm",
                      R"({"id":"rs_1","type":"reasoning","summary":[{"type":)"
                      R"("summary_text","text":"hm"}],"encrypted_content":)"
                      R"("gAAA=="})"},
       opaque_part{vendor, R"({"phase":"commentary"})"}, text_part{"On it."},
       opaque_part{vendor, R"({"id":"ws_1","type":"web_search_call",)"
                           R"("status":"completed","action":{"type":)"
                           R"("search","query":"k8s"}})"},
       tool_call_part{"c1.0", "call_1", "scale", R"({"n":3})"}}),
    said(role::tool,
         {tool_result_part{"c1.0", "call_1", "scale", "done", false}})};
}

} // namespace openai_schema_test

BOOST_AUTO_TEST_SUITE(openai_schema_test)

BOOST_AUTO_TEST_CASE(every_request_fits_the_vendors_description) {
  const official_request chat{"chat"};
  BOOST_REQUIRE(chat.members.contains("max_completion_tokens"));
  for (const auto& request : broad_set())
    for (const bool parallel : {true, false})
      for (const auto* system_role : {"", "system"})
        for (const auto wanted : {delivery::whole, delivery::streamed})
          chat.check(openai_wire::to_wire(request,
                                          {.model = "gpt-5.4",
                                           .system_role = system_role,
                                           .parallel_tool_calls = parallel},
                                          wanted)
                       .value());
}

BOOST_AUTO_TEST_CASE(every_request_for_a_response_fits_it_too) {
  const official_request responses{"responses"};
  BOOST_REQUIRE(responses.members.contains("max_output_tokens"));
  auto requests = broad_set();
  requests.push_back(wire_request(thoughtful_round()));
  for (const auto& request : requests)
    for (const bool parallel : {true, false})
      for (const auto* summary : {"", "auto", "concise", "detailed"})
        for (const auto wanted : {delivery::whole, delivery::streamed})
          if (const auto body =
                responses_wire::to_wire(request,
                                        {.model = "gpt-5.4",
                                         .parallel_tool_calls = parallel,
                                         .reasoning_summary = summary},
                                        wanted))
            responses.check(*body);
          else // A turn of nothing is no item.
            BOOST_TEST(request.conversation.back()->parts.empty());
}

BOOST_AUTO_TEST_CASE(so_does_an_answer_that_is_asked_for_by_a_tool) {
  const official_request chat{"chat"};
  const official_request responses{"responses"};
  for (const auto& request : broad_set())
    if (request.agent->output) {
      chat.check(
        openai_wire::to_wire(request, {.model = "gpt-4-turbo"}).value());
      responses.check(
        responses_wire::to_wire(request, {.model = "gpt-4-turbo"}).value());
    }
}

BOOST_AUTO_TEST_CASE(the_description_refuses_what_is_wrong) {
  const official_request chat{"chat"};
  for (const auto* bad :
       {R"({"model":"m"})", R"({"model":"m","messages":[]})",
        R"({"model":"m","messages":[{"role":"nobody","content":"x"}]})",
        R"({"model":"m","messages":[{"role":"tool","content":"x"}]})",
        R"({"model":"m","messages":[{"role":"user","content":"x"}],)"
        R"("tools":[{"type":"function"}]})",
        R"({"model":"m","messages":[{"role":"user","content":"x"}],)"
        R"("response_format":{"type":"json_schema"}})"})
    BOOST_TEST(chat.refuses(bad), bad);
  const official_request responses{"responses"};
  for (const auto* bad :
       {R"({"model":"m","input":[{"role":"nobody","content":"x"}]})",
        R"({"model":"m","input":[{"type":"function_call","name":"f"}]})",
        R"({"model":"m","input":[{"type":"reasoning","id":"rs_1"}]})",
        R"({"model":"m","input":"x","tools":[{"type":"function"}]})",
        R"({"model":"m","input":"x","include":["brand_new"]})",
        R"({"model":"m","input":"x","reasoning":{"summary":"long"}})"})
    BOOST_TEST(responses.refuses(bad), bad);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
