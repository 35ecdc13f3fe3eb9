#include <kestrion/messages/agent.hpp>

#include <boost/test/unit_test.hpp>

#include <functional>

using namespace kestrion;

namespace agent_test {

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

} // namespace agent_test

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

BOOST_AUTO_TEST_CASE(only_calls_that_are_safe_to_repeat_have_several_attempts) {
  const std::string about = "agent \"ops\", tool \"scale\": ";
  BOOST_TEST(why_no_tool([](auto& t) {
               t.contract = effect_contract::once;
               t.retry.attempts_max = 3;
             })
             == about
                  + "attempts_max is 3, but its contract is once: an attempt "
                    "that failed may have had its effect. Only pure, "
                    "idempotent and probe tools are tried again");
  BOOST_TEST(why_no_tool([](auto& t) { t.retry.attempts_max = 0; })
             == about + "attempts_max is 0; expected at least 1");
  const auto backoff = about
                       + "the backoff has to begin with zero or more and to "
                         "end with no less";
  BOOST_TEST(why_no_tool([](auto& t) { t.retry.backoff_first = duration{-1}; })
             == backoff);
  BOOST_TEST(why_no_tool([](auto& t) { t.retry.backoff_max = duration{1}; })
             == backoff);
  BOOST_TEST(why_no_tool([](auto& t) { t.concurrency_max = 0; })
             == about + "concurrency_max is 0; expected at least 1");
  BOOST_TEST(why_no_tool([](auto& t) {
               t.kind = tool_kind::question;
               t.input_schema.clear();
               t.retry.attempts_max = 2;
             })
             == about + "only a function has attempts or a concurrency_max");
  for (auto contract : {effect_contract::pure, effect_contract::idempotent,
                        effect_contract::probe}) {
    auto definition = ops();
    definition.tools[0].gate = {};
    definition.tools[0].contract = contract;
    definition.tools[0].retry.attempts_max = 3;
    BOOST_TEST(prepare(definition).has_value());
  }
}

BOOST_AUTO_TEST_CASE(a_subagent_and_a_handoff_name_their_agent_no_other_does) {
  const std::string about = "agent \"ops\", tool \"scale\": ";
  const auto of_kind = [](tool_kind kind, const std::string& agent) {
    return [=](tool_spec& t) {
      t.kind = kind;
      t.agent = agent;
      t.input_schema.clear();
    };
  };
  BOOST_TEST(why_no_tool(of_kind(tool_kind::subagent, ""))
             == about
                  + "a subagent has to name its agent, 1 to 64 of A-Z a-z "
                    "0-9 _ -; it names \"\"");
  BOOST_TEST(why_no_tool(of_kind(tool_kind::handoff, "a b"))
             == about
                  + "a handoff has to name its agent, 1 to 64 of A-Z a-z "
                    "0-9 _ -; it names \"a b\"");
  BOOST_TEST(why_no_tool(of_kind(tool_kind::question, "dev"))
             == about
                  + "a question starts no run, but names the agent "
                    "\"dev\"");
  BOOST_TEST(why_no_tool(of_kind(tool_kind::function, "dev"))
             == about
                  + "a function starts no run, but names the agent "
                    "\"dev\"");
}

BOOST_AUTO_TEST_CASE(a_tool_that_is_no_function_has_the_schema_of_its_kind) {
  for (auto kind :
       {tool_kind::subagent, tool_kind::handoff, tool_kind::question}) {
    auto definition = ops();
    auto& tool = definition.tools[0];
    tool.kind = kind;
    tool.agent = kind == tool_kind::question ? "" : "dev";
    tool.input_schema.clear();
    const auto out = prepare(definition);
    BOOST_TEST_REQUIRE(out.has_value());
    BOOST_TEST(out->tools[0].input_schema == input_schema_of(kind));
    BOOST_TEST(prepare(*out).value().digest == out->digest);
    tool.input_schema = R"({"type":"object"})";
    BOOST_TEST(prepare(definition)
                 .error()
                 .detail.starts_with("agent \"ops\", tool \"scale\": the input "
                                     "schema of a "));
  }
  BOOST_TEST(input_schema_of(tool_kind::function) == "");
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
  BOOST_TEST(why([](auto& d) { d.limits.depth_max = 0; })
             == sentence("depth_max", "0"));
  BOOST_TEST(why([](auto& d) { d.limits.descendants_max = -1; })
             == sentence("descendants_max", "-1"));
  BOOST_TEST(why([](auto& d) { d.limits.children_at_once_max = 0; })
             == sentence("children_at_once_max", "0"));
  BOOST_TEST(why([](auto& d) { d.options.output_tokens_max = 0; })
             == sentence("output_tokens_max", "0"));
  BOOST_TEST(why([](auto& d) { d.limits.output_attempts_max = 0; })
             == sentence("output_attempts_max", "0"));
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
    [](auto& d) { d.limits.depth_max = 3; },
    [](auto& d) { d.limits.descendants_max = 3; },
    [](auto& d) { d.limits.children_at_once_max = 3; },
    [](auto& d) { d.limits.output_attempts_max = 2; },
    [](auto& d) {
      d.output = output_spec{R"({"type":"object"})", false, {}};
    },
    [](auto& d) {
      d.tools[0].input_schema.clear();
      d.tools[0].kind = tool_kind::question;
    },
  };
  for (const auto& change : changes)
    BOOST_TEST(digest_with(change) != same);
}

BOOST_AUTO_TEST_CASE(what_an_agent_does_not_use_leaves_its_digest_as_it_was) {
  // As recorded by runs of earlier versions.
  BOOST_TEST(
    digest_of(ops())
    == "3819edc4f8d9b2dc9c0e2199a82d785cf0dbe6ec0cab09611554189a0800cdc9");
}

BOOST_AUTO_TEST_CASE(the_kind_of_a_tool_and_its_agent_are_in_the_digest) {
  const auto with = [](tool_kind kind, const std::string& agent) {
    return digest_with([&](auto& d) {
      d.tools[0].input_schema.clear();
      d.tools[0].kind = kind;
      d.tools[0].agent = agent;
    });
  };
  BOOST_TEST(with(tool_kind::subagent, "a") != with(tool_kind::handoff, "a"));
  BOOST_TEST(with(tool_kind::subagent, "a") != with(tool_kind::subagent, "b"));
}

BOOST_AUTO_TEST_CASE(attempts_and_concurrency_are_in_the_digest_if_there_are) {
  auto definition = ops();
  definition.tools[0].contract = effect_contract::idempotent;
  const auto plain = digest_of(definition);
  definition.tools[0].retry.attempts_max = 2;
  const auto patient = digest_of(definition);
  definition.tools[0].concurrency_max = 4;
  BOOST_TEST(patient != plain);
  BOOST_TEST(digest_of(definition) != patient);
}

BOOST_AUTO_TEST_CASE(the_digest_tells_what_an_answer_has_to_be) {
  const auto with = [](std::string schema, bool is_checked) {
    return digest_with([&](auto& d) {
      d.output = output_spec{std::move(schema), is_checked, {}};
    });
  };
  const std::string any = R"({"type":"object"})";
  BOOST_TEST(with(any, false) != with(any, true));
  BOOST_TEST(with(any, false)
             != with(R"({"type":"object","required":["n"]})", false));
}

BOOST_AUTO_TEST_CASE(an_output_that_is_none_is_refused) {
  const auto why = [](std::string schema) {
    return why_not([&](auto& d) {
      d.output = output_spec{std::move(schema), false, {}};
    });
  };
  BOOST_TEST(why("").starts_with(
    "agent \"ops\", output: the schema is no JSON at byte 0"));
  BOOST_TEST(why(R"({"type":"array"})")
             == "agent \"ops\", output: the schema has to have \"type\": "
                "\"object\"");
  BOOST_TEST(why(R"({"type":"object","properties":{"a":{"$ref":"#/b"}}})")
               .find("leads nowhere")
             != std::string::npos);
  BOOST_TEST(why_not([](auto& d) {
               d.output = output_spec{R"({"type":"object"})", false, {}};
               d.tools[0].name = "final_answer";
             })
             == "agent \"ops\", output: no tool may have the name "
                "final_answer, by which some models give their answers");
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
