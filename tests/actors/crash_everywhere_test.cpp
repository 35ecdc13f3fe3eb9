#include <kestrion/actors/crash_world.hpp>
#include <kestrion/testing.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

/// The crash enumeration that users get. That Kestrion survives is shown in
/// tests/sim; here it is that the kit sees what an agent does wrong.
namespace kestrion::test {

namespace crash_kit {

struct number {
  int value;
};
BOOST_DESCRIBE_STRUCT(number, (), (value))

struct world {
  std::atomic<int> sum{0};
};

/// Adds to the sum, by a tool of this contract.
agent adder(const std::shared_ptr<world>& w, effect_contract contract) {
  return agent("adder")
    .model(model_by_turn({calls({{"add", R"({"value":3})"}}), says("done")}))
    .tool(
      "add", "Adds.",
      [w](const number& n) {
        w->sum += n.value;
        return "added";
      },
      contract);
}

/// With every reason there is to wait for somebody, and an agent below.
std::vector<agent> busy_agents(const std::shared_ptr<world>& w) {
  auto lead =
    agent("lead")
      .model(model_by_turn({calls({{"ask_human", R"({"question":"Which?"})"},
                                   {"once", R"({"value":1})"}}),
                            calls({{"gated", R"({"value":10})"},
                                   {"delegate", R"({"prompt":"go"})"}}),
                            says("done")}))
      .can_ask()
      .subagent("delegate", "Delegates.", "adder");
  for (const bool is_gated : {false, true}) {
    const auto add = [w](const number& n) {
      w->sum += n.value;
      return "added";
    };
    is_gated
      ? lead.tool("gated", "Adds.", add, requires_approval{"engineer", "lead"})
      : lead.tool("once", "Adds.", add, effect_contract::once);
  }
  return {lead, adder(w, effect_contract::once)};
}

void expect_sum(const world& w, int sum) {
  if (w.sum != sum)
    throw std::runtime_error("the sum is " + std::to_string(w.sum));
}

} // namespace crash_kit

BOOST_AUTO_TEST_SUITE(crash_everywhere_test)

BOOST_AUTO_TEST_CASE(an_agent_that_waits_and_delegates_survives_everywhere) {
  const auto w = std::make_shared<crash_kit::world>();

  const auto report = crash_everywhere(
    [&] {
      w->sum = 0;
      return crash_kit::busy_agents(w);
    },
    {.check = [&](const run_result&) {
      crash_kit::expect_sum(*w, 14);
    }});

  BOOST_TEST(report.failure == "");
  BOOST_CHECK(report.undisturbed.status == run_status::completed);
  BOOST_TEST(report.undisturbed.output == "done");
  // Both moments of each commit, in order.
  BOOST_TEST(report.tried.size() >= 20u);
  for (std::size_t i = 0; i < report.tried.size(); ++i) {
    BOOST_TEST(report.tried[i].append == i / 2 + 1);
    BOOST_CHECK(report.tried[i].when
                == (i % 2 == 0 ? crash_point::moment::before
                               : crash_point::moment::after));
  }
}

BOOST_AUTO_TEST_CASE(a_tool_that_only_claims_to_be_idempotent_is_found) {
  const auto w = std::make_shared<crash_kit::world>();
  const auto make = [&] {
    w->sum = 0;
    return std::vector{crash_kit::adder(w, effect_contract::idempotent)};
  };
  crash_scenario scenario{.check = [&](const run_result&) {
    crash_kit::expect_sum(*w, 3);
  }};

  const auto report = crash_everywhere(make, scenario);

  // Its result was to be appended when the process died.
  BOOST_REQUIRE(!report.tried.empty());
  const auto point = report.tried.back();
  BOOST_CHECK(point.when == crash_point::moment::before);
  BOOST_TEST(report.failure
             == "a crash " + to_string(point)
                  + ": the sum is 6; crash_scenario::only = {"
                  + std::to_string(point.append)
                  + ", crash_point::moment::before} tries it alone");

  scenario.only = point;
  const auto again = crash_everywhere(make, scenario);
  BOOST_TEST(again.failure == report.failure);
  BOOST_TEST(again.tried.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_model_that_counts_its_calls_is_found) {
  const auto report = crash_everywhere(
    [] {
      return std::vector{
        agent("a").model(scripted({says("first"), says("second")}))};
    },
    {});

  BOOST_TEST_CONTEXT(report.failure)
  BOOST_CHECK(report.failure.find("ended as completed with \"second\", without "
                                  "a crash it is completed with \"first\"")
              != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_is_wrong_without_a_crash_is_told_apart) {
  const auto report =
    crash_everywhere(agent("a").model(model_by_turn({says("done")})),
                     {.check = [](const run_result& r) {
                       throw std::runtime_error("I want no " + r.output);
                     }});

  BOOST_TEST(report.failure == "without a crash: I want no done");
  BOOST_TEST(report.tried.empty());
}

BOOST_AUTO_TEST_CASE(a_run_that_waits_for_ever_is_an_error_that_says_for_what) {
  auto a = agent("a").model(model_by_turn({calls({{"gated"}})}));
  a.tool(
    "gated", "Waits.", [] { return "done"; }, requires_approval());
  const crash_scenario scenario{.people = [](runtime&, const run_result&) {},
                                .life_max = std::chrono::milliseconds{300}};

  BOOST_CHECK_EXCEPTION(
    static_cast<void>(crash_everywhere(a, scenario)), failure,
    [](const failure& e) {
      BOOST_TEST_CONTEXT(e.what())
      BOOST_CHECK(e.error().detail.find("did not end within 300 ms; it is "
                                        "waiting_on_human: gated")
                  != std::string::npos);
      return e.code() == errc::timeout;
    });
}

BOOST_AUTO_TEST_CASE(a_call_that_was_made_twice_is_named) {
  const auto w = std::make_shared<crash_world>();
  auto a = agent("a").model(model_by_turn({}));
  a.tool(
    "pay", "Pays.", [] { return "paid"; }, effect_contract::once);
  agent_registry agents{{"a", a.build().value()}};
  w->watch(agents);
  const auto& pay = agents["a"]->tools.find("pay")->second.run;
  tool_context context;
  context.idempotency_key = "run_1/c2.0";

  pay("{}", context);
  BOOST_TEST(w->repeated() == "");
  pay("{}", context);

  BOOST_TEST(w->repeated()
             == "the tool \"pay\" may not be repeated, but the call "
                "run_1/c2.0 was made 2 times");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
