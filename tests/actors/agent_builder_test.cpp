#include <boost/test/unit_test.hpp>

#include <kestrion/actors/agent.hpp>
#include <kestrion/providers/models/models.hpp>
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

BOOST_AUTO_TEST_CASE(fallbacks_are_a_part_of_what_the_agent_is) {
  const auto second = scripted({}, "second");
  const auto alone = built(triage());
  const auto a =
    built(triage().fallback(second).fallback(std::make_shared<scripted_model>(
      std::vector<model_outcome>{}, "third", model_price{1, 2, 3, 4})));
  BOOST_CHECK_EQUAL(a.models(), 3);
  BOOST_CHECK_EQUAL(a.model_name(0), "scripted");
  BOOST_CHECK_EQUAL(a.model_name(1), "second");
  BOOST_CHECK_EQUAL(a.model_name(2), "third");
  BOOST_CHECK((a.model_price_of(2) == model_price{1, 2, 3, 4}));
  BOOST_CHECK_EQUAL(a.model_name(3), "scripted");
  BOOST_CHECK_EQUAL(a.model_name(-1), "scripted");
  BOOST_CHECK_NE(a.digest, alone.digest);
  BOOST_CHECK_NE(a.digest, built(triage().fallback(second)).digest);
  const auto quick =
    built(triage().fallback(second).fallback_when({.attempts_max = 1}));
  BOOST_CHECK_EQUAL(quick.fallback.attempts_max, 1);
  BOOST_CHECK_NE(quick.digest, built(triage().fallback(second)).digest);
  BOOST_CHECK_EQUAL(built(triage().fallback_when({.attempts_max = 1})).digest,
                    alone.digest);
}

BOOST_AUTO_TEST_CASE(a_fallback_that_is_none_and_a_rule_without_sense_are_bad) {
  const auto why = [](const agent& a) {
    const auto out = a.build();
    BOOST_REQUIRE(!out);
    BOOST_CHECK(out.error().code == errc::invalid_argument);
    return out.error().detail;
  };
  BOOST_CHECK_EQUAL(why(triage().fallback(nullptr)),
                    "agent \"triage\" has no model where it has a fallback");
  BOOST_CHECK_EQUAL(why(triage().fallback_when({.attempts_max = 0})),
                    "agent \"triage\", fallback: attempts_max is 0; expected "
                    "at least 1");
  BOOST_CHECK_EQUAL(why(triage().fallback_when({.wait_max = -1s})),
                    "agent \"triage\", fallback: wait_max is negative");
  BOOST_CHECK_EQUAL(
    why(triage().fallback_when({.rest_first = 2min, .rest_max = 1min})),
    "agent \"triage\", fallback: the rest has to begin with zero or more and "
    "to end with no less");
}

BOOST_AUTO_TEST_CASE(each_model_of_the_list_has_to_fit_the_agent) {
  const auto local = [](capability_table known) {
    return ollama({.model = "tiny", .capabilities = std::move(known)});
  };
  model_capabilities no_tools;
  no_tools.vendor = vendor::ollama;
  no_tools.tools = false;
  const auto table = capability_table{}.with(no_tools);
  const auto out = triage()
                     .fallback(local({}))
                     .fallback(local(table))
                     .tool("look", "Looks.", [] { return "seen"; })
                     .build();
  BOOST_REQUIRE(!out);
  BOOST_CHECK(out.error().code == errc::unsupported);
  BOOST_CHECK_EQUAL(out.error().detail,
                    "agent \"triage\": model tiny takes no tools");
  BOOST_CHECK(triage().fallback(local(table)).build());
}

BOOST_AUTO_TEST_CASE(the_smallest_window_of_its_models_counts_for_compaction) {
  const auto local = [](std::int64_t window) {
    return ollama({.model = "m" + std::to_string(window), .num_ctx = window});
  };
  const auto window = [](const agent& a) {
    return built(a).compaction.value().window_tokens;
  };
  auto a = agent("triage").model(local(8'000)).fallback(local(4'000));
  BOOST_CHECK(!built(a).compaction);
  const auto plain = built(a).digest;
  a.compacts();
  BOOST_CHECK_EQUAL(window(a), 4'000);
  BOOST_CHECK_EQUAL(built(a).compaction->tokens_max(), 2'800);
  BOOST_CHECK_EQUAL(built(a).compaction->keep_last, 8);
  BOOST_CHECK(!built(a).compaction->model);
  BOOST_CHECK_NE(built(a).digest, plain);
  a.compacts({.window = 2'000, .model = local(2'500)});
  BOOST_CHECK_EQUAL(window(a), 2'000);
  BOOST_CHECK_EQUAL(built(a).model_name(2), "m2500");
  const auto code = a.build().value();
  BOOST_REQUIRE_EQUAL(code->models.size(), 3u);
  BOOST_CHECK_EQUAL(code->model_at(2).model->name(), "m2500");
}

BOOST_AUTO_TEST_CASE(a_compaction_without_sense_is_refused) {
  const auto why = [](compaction rule) {
    const auto out = triage().compacts(std::move(rule)).build();
    BOOST_REQUIRE(!out);
    BOOST_CHECK(out.error().code == errc::invalid_argument);
    return out.error().detail;
  };
  const std::string about = "agent \"triage\", compaction: ";
  BOOST_CHECK_EQUAL(why({}), about
                               + "the context window of model scripted is not "
                                 "known; say it with .window");
  BOOST_CHECK_EQUAL(why({.at = 0, .window = 100}),
                    about
                      + "at is 0.000000; expected a share of the context "
                        "window, over 0 and up to 1");
  BOOST_CHECK(why({.at = 1.1, .window = 100}).starts_with(about + "at is 1.1"));
  BOOST_CHECK_EQUAL(why({.keep_last = 0, .window = 100}),
                    about + "keep_last is 0; expected at least 1");
  BOOST_CHECK_EQUAL(why({.window = 0}),
                    about + "the window is 0 tokens; expected more");
  BOOST_CHECK_EQUAL(why({.window = 100, .summary_tokens_max = 0}),
                    about + "summary_tokens_max is 0; expected at least 1");
  BOOST_CHECK_EQUAL(
    why({.window = 100, .model = ollama({.model = "tiny", .num_ctx = 50})}),
    about
      + "model tiny takes in 50 tokens; expected at least the 70 at which it "
        "is to sum up");
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
