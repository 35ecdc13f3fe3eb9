/// The scenarios of the crash matrix.

#include "crash_matrix.hpp"

using namespace kestrion;
using namespace kestrion::test;
using namespace kestrion::test::crashes;

BOOST_AUTO_TEST_SUITE(crash_everywhere_test)

BOOST_AUTO_TEST_CASE(plain_tools) {
  run_scenario(
    {"plain tools",
     {calls({call("plain", 1)}), calls({call("reader", 2)}),
      calls({call("single", 3)}), calls({call("probed", 4)}), says("done")},
     yes});
}

BOOST_AUTO_TEST_CASE(parallel_tools) {
  run_scenario({"parallel tools",
                {calls({call("plain", 1), call("single", 2), call("reader", 3),
                        call("probed", 4)}),
                 says("done")},
                yes});
}

BOOST_AUTO_TEST_CASE(runs_of_other_agents) {
  const auto delegate = [](const std::string& tool) {
    return scripted_call{"delegate", R"({"prompt":")" + tool + "\"}"};
  };
  run_scenario({"sub-agents",
                {calls({delegate("single"), call("plain", 1)}), says("done")},
                yes});
  run_scenario({"sub-agent with a gated tool",
                {calls({delegate("gated")}), says("done")},
                yes});
  run_scenario({"sub-agent whose tool is denied",
                {calls({delegate("gated")}), says("done")},
                no});
}

BOOST_AUTO_TEST_CASE(a_conversation_that_is_handed_over) {
  run_scenario({"handoff",
                {calls({call("plain", 1)}),
                 calls({{"transfer", R"({"reason":"it is yours"})"}})},
                yes});
  run_scenario({"handoff of a sub-agent",
                {calls({{"route", R"({"prompt":"go"})"}}), says("done")},
                yes});
}

BOOST_AUTO_TEST_CASE(a_question_to_a_person) {
  run_scenario(
    {"question",
     {calls({{"ask_human", R"({"question":"How many?"})"}, call("single", 1)}),
      says("done")},
     yes});
}

BOOST_AUTO_TEST_CASE(gated_tools) {
  run_scenario({"gated tools",
                {calls({call("plain", 1), call("gated", 2)}),
                 calls({call("gated", 3)}), says("done")},
                yes});
}

BOOST_AUTO_TEST_CASE(chain_of_approvals) {
  run_scenario(
    {"chain of approvals", {calls({call("chained", 1)}), says("done")}, yes});
}

BOOST_AUTO_TEST_CASE(denied) {
  run_scenario(
    {"deny", {calls({call("plain", 1), call("gated", 2)}), says("ok")}, no});
}

BOOST_AUTO_TEST_CASE(approved_with_edited_arguments) {
  run_scenario({"edit", {calls({call("chained", 1)}), says("done")}, edited});
}

BOOST_AUTO_TEST_CASE(tool_failure_and_bad_calls) {
  run_scenario({"tool failure",
                {calls({call("broken", 1),
                        {"unknown", "{}"},
                        {"plain", "not json"},
                        call("plain", 2)}),
                 says("done")},
                yes});
}

BOOST_AUTO_TEST_CASE(tools_that_are_tried_again) {
  run_scenario({"tool that fails twice, then succeeds",
                {calls({call("flaky", 1)}), says("done")},
                yes});
  run_scenario({"tools tried again, beside others",
                {calls({call("lossy", 1), call("flaky", 2), call("single", 3)}),
                 says("done")},
                yes});
}

BOOST_AUTO_TEST_CASE(model_failure_that_passes) {
  run_scenario({"model failure",
                {calls({call("plain", 1)}), says("done")},
                yes,
                run_status::completed,
                2});
}

BOOST_AUTO_TEST_CASE(model_failure_that_stays) {
  run_scenario({"hopeless model", {}, yes, run_status::failed, 0, true});
}

BOOST_AUTO_TEST_CASE(a_model_that_is_out_while_another_is_there) {
  scenario s{"fallback",
             {calls({call("plain", 1)}), calls({call("single", 2)}),
              calls({call("reader", 3)}), says("done")},
             yes};
  s.out_from = 2;
  run_scenario(std::move(s));
}

BOOST_AUTO_TEST_CASE(a_conversation_that_is_summed_up) {
  // Long results, so that a summary is shorter.
  const auto turn = [](const std::string& tool, int value,
                       std::int64_t tokens) {
    auto reply = calls({call(tool, value)}, std::string(200, 'w'));
    reply.usage.input_tokens = tokens;
    return reply;
  };
  scenario s{"compaction",
             {turn("plain", 1, 100), turn("single", 2, 600),
              turn("reader", 3, 100), turn("single", 4, 600), says("done")},
             yes};
  s.compacts = true;
  run_scenario(s);
  s.name = "compaction that fails once";
  s.flaky_model_call = 3; // The summary before it, that is.
  run_scenario(s);
}

BOOST_AUTO_TEST_CASE(answers_that_have_to_be_a_document) {
  const auto answer = [](int value) {
    return says("{\"value\":" + std::to_string(value) + "}");
  };
  const auto typed = [](std::string name, std::vector<model_reply> replies,
                        run_status end) {
    scenario s{std::move(name), std::move(replies), yes, end};
    s.is_typed = true;
    return s;
  };
  run_scenario(typed("answer that does not fit at first",
                     {says("four"), calls({call("single", 1)}), answer(4)},
                     run_status::completed));
  run_scenario(typed("answer that the check refuses at first",
                     {answer(3), answer(4)}, run_status::completed));
  run_scenario(typed("answers that are never right",
                     {answer(1), says("three"), answer(5)},
                     run_status::failed));
}

BOOST_AUTO_TEST_CASE(limits_that_people_raise) {
  const auto limited = [](std::string name, auto decide, run_status end) {
    scenario s{std::move(name),
               {calls({call("single", 1)}),
                calls({call("gated", 2), call("plain", 3)}), says("done")},
               decide,
               end};
    s.limits = run_limits{.turns_max = 1, .tool_calls_max = 2};
    return s;
  };
  run_scenario(limited("limits that are raised", yes, run_status::completed));
  run_scenario(limited("limits that are not raised", no, run_status::failed));
}

BOOST_AUTO_TEST_SUITE_END()
