#include <kestrion/messages/json_text.hpp>
#include <kestrion/messages/schema.hpp>
#include <kestrion/providers/models/openai_wire.hpp>
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

std::string description() {
  std::ifstream in{KESTRION_OPENAI_SCHEMA};
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
  return out;
}

} // namespace openai_schema_test

BOOST_AUTO_TEST_SUITE(openai_schema_test)

BOOST_AUTO_TEST_CASE(every_request_fits_the_vendors_description) {
  const auto text = description();
  const auto official = schema::compile(text).value();
  const auto definitions =
    parse_json(text, "it").value().at("definitions").get_object();
  std::set<std::string> members;
  collect_members(definitions.at("CreateChatCompletionRequest"), definitions,
                  members);
  BOOST_REQUIRE(members.contains("max_completion_tokens"));
  for (const auto& request : broad_set())
    for (const bool parallel : {true, false})
      for (const auto* system_role : {"", "system"}) {
        const auto body =
          openai_wire::to_wire(request, {.model = "gpt-5.4",
                                         .system_role = system_role,
                                         .parallel_tool_calls = parallel});
        const auto json = parse_json(body.value(), "it").value();
        const auto fits = official->validate(json);
        BOOST_TEST(!fits.has_error(), *body << "\n" << fits.error().detail);
        // The description allows more; a typo has to show all the same.
        for (const auto& member : json.get_object())
          BOOST_TEST(members.contains(member.key()), member.key());
      }
}

BOOST_AUTO_TEST_CASE(the_description_refuses_what_is_wrong) {
  const auto official = schema::compile(description()).value();
  for (const auto* bad :
       {R"({"model":"m"})", R"({"model":"m","messages":[]})",
        R"({"model":"m","messages":[{"role":"nobody","content":"x"}]})",
        R"({"model":"m","messages":[{"role":"tool","content":"x"}]})",
        R"({"model":"m","messages":[{"role":"user","content":"x"}],)"
        R"("tools":[{"type":"function"}]})"})
    BOOST_TEST(official->validate(parse_json(bad, "it").value()).has_error(),
               bad);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
