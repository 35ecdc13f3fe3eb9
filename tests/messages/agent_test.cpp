#include <kestrion/messages/agent.hpp>

#include <boost/test/unit_test.hpp>

#include <functional>

using namespace kestrion;

namespace {

agent_definition ops() {
  tool_spec scale;
  scale.name = "scale";
  scale.description = "Sets the number of replicas.";
  scale.input_schema = R"({"type":"object"})";
  agent_definition out;
  out.name = "ops";
  out.system = "You look after the cluster.";
  out.model = "claude-sonnet-4-6";
  out.tools = {scale};
  return out;
}

/// The sentence about why `ops()` with this change is no agent.
std::string why_not(const std::function<void(agent_definition&)>& change) {
  auto definition = ops();
  change(definition);
  const auto out = prepare(std::move(definition));
  BOOST_TEST_REQUIRE(!out);
  BOOST_TEST((out.error().code == errc::invalid_argument));
  return out.error().detail;
}

std::string why_no_tool(const std::function<void(tool_spec&)>& change) {
  return why_not([&](agent_definition& d) { change(d.tools[0]); });
}

std::string digest_with(const std::function<void(agent_definition&)>& change) {
  auto definition = ops();
  change(definition);
  return prepare(std::move(definition)).value().digest;
}

} // namespace

BOOST_AUTO_TEST_SUITE(agent_test)

BOOST_AUTO_TEST_CASE(preparing_compiles_the_schemas_and_sets_the_digest) {
  const auto out = prepare(ops());
  BOOST_TEST_REQUIRE(out.has_value());
  BOOST_TEST(out->digest == digest_of(ops()));
  BOOST_TEST(out->digest.size() == 64u);
  BOOST_TEST_REQUIRE(out->find_tool("scale") != nullptr);
  BOOST_TEST(out->find_tool("scale")->validator != nullptr);
  BOOST_TEST(out->find_tool("Scale") == nullptr);
}

BOOST_AUTO_TEST_CASE(names_are_what_all_vendors_accept) {
  for (const auto& name : {std::string{}, std::string(65, 'x'),
                           std::string{"a b"}, std::string{"\xC3\xA9"}}) {
    BOOST_TEST(why_not([&](auto& d) { d.name = name; })
               == "agent \"" + name
                    + "\": a name is 1 to 64 of A-Z a-z 0-9 _ -");
    BOOST_TEST(why_no_tool([&](auto& t) { t.name = name; })
               == "agent \"ops\", tool \"" + name
                    + "\": a tool's name is 1 to 64 of A-Z a-z 0-9 _ -");
  }
  BOOST_TEST(
    !digest_with([](auto& d) { d.name = std::string(64, 'Z'); }).empty());
}

BOOST_AUTO_TEST_CASE(a_tool_twice_is_refused) {
  BOOST_TEST(why_not([](auto& d) { d.tools.push_back(d.tools[0]); })
             == "agent \"ops\": the tool \"scale\" is registered twice");
}

BOOST_AUTO_TEST_CASE(a_tool_needs_the_schema_of_an_object) {
  BOOST_TEST(why_no_tool([](auto& t) { t.input_schema = "{"; })
             == "agent \"ops\", tool \"scale\": the input schema is no JSON "
                "at byte 1: incomplete JSON");
  for (const auto* text : {"{}", "[]", R"({"type":"string"})", "null"})
    BOOST_TEST(why_no_tool([&](auto& t) { t.input_schema = text; })
               == "agent \"ops\", tool \"scale\": the input schema has to "
                  "have \"type\": \"object\"");
  BOOST_TEST(why_no_tool([](auto& t) {
               t.input_schema = R"({"type":"object","required":1})";
             })
               .starts_with("agent \"ops\", tool \"scale\": the schema is not "
                            "usable: "));
}

BOOST_AUTO_TEST_CASE(gates_and_timeouts_have_to_make_sense) {
  const std::string about = "agent \"ops\", tool \"scale\": ";
  BOOST_TEST(why_no_tool([](auto& t) { t.timeout = duration{0}; })
             == about + "the timeout is not positive");
  BOOST_TEST(why_no_tool([](auto& t) { t.gate.deadline = duration{-1}; })
             == about + "the approval deadline is not positive");
  BOOST_TEST(why_no_tool([](auto& t) {
               t.gate.roles = {"sre", "sre"};
             })
             == about + "a role stands twice in the chain of approvals");
  BOOST_TEST(why_no_tool([](auto& t) {
               t.gate.roles = {"sre", ""};
             })
             == about + "a role of the approval is empty");
  const auto idle = about
                    + "the gate has roles or a deadline, but is not "
                      "required";
  BOOST_TEST(why_no_tool([](auto& t) {
               t.gate = {false, {"sre"}, {}};
             })
             == idle);
  BOOST_TEST(why_no_tool([](auto& t) {
               t.gate = {false, {}, std::chrono::seconds{1}};
             })
             == idle);
}

BOOST_AUTO_TEST_CASE(every_limit_is_at_least_one) {
  const auto why = [](auto set) {
    return why_not(set);
  };
  const auto sentence = [](const char* name, const char* value) {
    return std::string{"agent \"ops\": limit "} + name + " is " + value
           + "; expected at least 1";
  };
  BOOST_TEST(why([](auto& d) { d.limits.turns_max = 0; })
             == sentence("turns_max", "0"));
  BOOST_TEST(why([](auto& d) { d.limits.tool_calls_max = -1; })
             == sentence("tool_calls_max", "-1"));
  BOOST_TEST(why([](auto& d) { d.limits.tokens_max = 0; })
             == sentence("tokens_max", "0"));
  BOOST_TEST(why([](auto& d) { d.limits.cost_usd_micros_max = 0; })
             == sentence("cost_usd_micros_max", "0"));
  BOOST_TEST(why([](auto& d) { d.limits.wall_time_max = duration{0}; })
             == sentence("wall_time_max", "0"));
  BOOST_TEST(why([](auto& d) { d.limits.model_attempts_max = 0; })
             == sentence("model_attempts_max", "0"));
  BOOST_TEST(why([](auto& d) { d.options.output_tokens_max = 0; })
             == sentence("output_tokens_max", "0"));
  BOOST_TEST(why([](auto& d) { d.options.timeout = duration{0}; })
             == sentence("timeout", "0"));
}

BOOST_AUTO_TEST_CASE(the_digest_tells_what_decides_how_a_run_goes) {
  const auto same = digest_of(ops());
  const std::function<void(agent_definition&)> changes[] = {
    [](auto& d) { d.name = "dev"; },
    [](auto& d) { d.system += "!"; },
    [](auto& d) { d.model = "gpt"; },
    [](auto& d) { d.limits.turns_max = 7; },
    [](auto& d) { d.options.temperature = 0.5; },
    [](auto& d) { d.tools[0].name = "grow"; },
    [](auto& d) { d.tools[0].description = ""; },
    [](auto& d) { d.tools[0].input_schema = R"({"type":"object","x":1})"; },
    [](auto& d) { d.tools[0].contract = effect_contract::once; },
    [](auto& d) { d.tools[0].gate.required = true; },
    [](auto& d) { d.tools[0].timeout += duration{1}; },
    [](auto& d) { d.tools.clear(); },
  };
  for (const auto& change : changes)
    BOOST_TEST(digest_with(change) != same);
}

BOOST_AUTO_TEST_CASE(the_digest_does_not_tell_prices_nor_how_a_schema_is_set) {
  BOOST_TEST(digest_with([](auto& d) {
               d.price = model_price{1, 2, 3, 4};
             })
             == digest_of(ops()));
  BOOST_TEST(digest_with([](auto& d) {
               d.tools[0].input_schema = "{ \"type\" : \"object\" }\n";
             })
             == digest_of(ops()));
}

BOOST_AUTO_TEST_SUITE_END()
