#include <boost/test/unit_test.hpp>

#include <kestrion/actors/agent.hpp>
#include <kestrion/providers/models/scripted.hpp>

/// Agents as users write them down.
using namespace kestrion;
using namespace std::chrono_literals;

namespace agent_builder_test {

agent triage() {
  return agent("triage").model(scripted({}));
}

struct verdict {
  bool good;
  std::optional<std::string> note;
};
BOOST_DESCRIBE_STRUCT(verdict, (), (good, note))

agent_definition built(const agent& a) {
  return *a.build().value()->definition;
}

} // namespace agent_builder_test

BOOST_AUTO_TEST_SUITE(agent_builder_test)

BOOST_AUTO_TEST_CASE(another_agent_is_a_tool_like_any) {
  const auto a =
    built(triage()
            .subagent("research", "Researches.", "researcher")
            .subagent("audit", "Audits.", "auditor", requires_approval("lead"))
            .handoff("to_billing", "For bills.", "billing")
            .can_ask());
  BOOST_REQUIRE_EQUAL(a.tools.size(), 4u);
  BOOST_CHECK(a.tools[0].kind == tool_kind::subagent);
  BOOST_CHECK_EQUAL(a.tools[0].agent, "researcher");
  BOOST_CHECK_EQUAL(a.tools[0].description, "Researches.");
  BOOST_CHECK(!a.tools[0].gate.required);
  BOOST_CHECK(a.tools[1].gate.roles == std::vector<std::string>{"lead"});
  BOOST_CHECK(a.tools[2].kind == tool_kind::handoff);
  BOOST_CHECK_EQUAL(a.tools[2].agent, "billing");
  BOOST_CHECK_EQUAL(a.tools[3].name, "ask_human");
  BOOST_CHECK(a.tools[3].kind == tool_kind::question);
  for (const auto& tool : a.tools)
    BOOST_CHECK_EQUAL(tool.input_schema, input_schema_of(tool.kind));
}

BOOST_AUTO_TEST_CASE(a_subagent_without_an_agent_is_refused) {
  const auto out = triage().subagent("research", "Researches.", "").build();
  BOOST_REQUIRE(!out);
  BOOST_CHECK(out.error().code == errc::invalid_argument);
  BOOST_CHECK(out.error().detail.starts_with(
    "agent \"triage\", tool \"research\": a subagent has to name its agent"));
}

BOOST_AUTO_TEST_CASE(a_tool_says_how_its_calls_run) {
  const auto fetch = [] {
    return "fetched";
  };
  const auto a =
    built(triage()
            .tool("fetch", "Fetches.", fetch, effect_contract::pure,
                  timeout{5s}, attempts(3).backoff(100ms, 2s), concurrency{4})
            .tool("plain", "Does.", fetch));
  BOOST_CHECK(a.tools[0].contract == effect_contract::pure);
  BOOST_CHECK(a.tools[0].timeout == 5s);
  BOOST_CHECK((a.tools[0].retry == retry_rule{3, 100ms, 2s}));
  BOOST_CHECK_EQUAL(a.tools[0].concurrency_max.value(), 4);
  BOOST_CHECK(a.tools[1].retry == retry_rule{});
  BOOST_CHECK(!a.tools[1].concurrency_max);
}

BOOST_AUTO_TEST_CASE(a_gated_tool_has_to_say_that_it_may_be_tried_again) {
  const auto code = [] {
  };
  const auto out =
    triage()
      .tool("wipe", "Wipes.", code, requires_approval{}, attempts(2))
      .build();
  BOOST_REQUIRE(!out);
  BOOST_CHECK(out.error().detail.starts_with(
    "agent \"triage\", tool \"wipe\": attempts_max is 2, but its contract is "
    "once"));
  BOOST_CHECK(triage()
                .tool("wipe", "Wipes.", code, requires_approval{}, attempts(2),
                      effect_contract::idempotent)
                .build());
}

BOOST_AUTO_TEST_CASE(to_ask_twice_is_refused) {
  const auto out = triage().can_ask().can_ask().build();
  BOOST_REQUIRE(!out);
  BOOST_CHECK_EQUAL(out.error().detail, "agent \"triage\": the tool "
                                        "\"ask_human\" is registered twice");
}

// -- output -------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(an_output_is_the_schema_of_its_type) {
  const auto a = built(triage().output<verdict>());
  BOOST_REQUIRE(a.output);
  BOOST_CHECK_EQUAL(
    a.output->schema,
    R"({"type":"object","properties":{"good":{"type":"boolean"},"note":)"
    R"({"anyOf":[{"type":"string"},{"type":"null"}]}},"required":["good"],)"
    R"("additionalProperties":false})");
  BOOST_CHECK(!a.output->is_checked);
  BOOST_CHECK(a.output->validator);
  BOOST_CHECK(!built(triage()).output);
}

BOOST_AUTO_TEST_CASE(a_check_of_an_output_is_code_of_the_agent) {
  const auto code = triage()
                      .output<verdict>([](const verdict& v) -> result<void> {
                        if (v.note == "boom")
                          throw std::runtime_error("boom");
                        if (!v.good)
                          return error{errc::refused, "bad"};
                        return {};
                      })
                      .build()
                      .value();
  BOOST_CHECK(code->definition->output->is_checked);
  const auto& check = code->tools.at("final_answer").run;
  BOOST_CHECK(!check(R"({"good":true})", {}).failure);
  BOOST_CHECK(check(R"({"good":false})", {})
              == (tool_outcome{"bad", tool_failure::failed}));
  BOOST_CHECK(check(R"({"good":1})", {})
              == (tool_outcome{"\"good\" is 1; expected true or false",
                               tool_failure::failed}));
  BOOST_CHECK_THROW(check(R"({"good":true,"note":"boom"})", {}),
                    std::runtime_error);
}

BOOST_AUTO_TEST_CASE(no_tool_may_have_the_name_of_answers) {
  auto a = triage();
  a.tool("final_answer", "Mine.", [] { return "x"; });
  BOOST_CHECK(a.build());
  const auto out = a.output<verdict>().build();
  BOOST_REQUIRE(!out);
  BOOST_CHECK(out.error().code == errc::invalid_argument);
  BOOST_CHECK_EQUAL(out.error().detail,
                    "agent \"triage\", output: no tool may have the name "
                    "final_answer, by which some models give their answers");
}

BOOST_AUTO_TEST_SUITE_END()
