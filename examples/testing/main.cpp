/// Tests of an agent, as its author would write them: with any framework, or
/// none, as here.

#include "refund_agent.hpp"

#include <kestrion/testing.hpp>

#include <iostream>
#include <stdexcept>
#include <string>

namespace k = kestrion;

namespace {

void expect(bool so, const std::string& what) {
  if (!so)
    throw std::runtime_error(what);
}

constexpr auto prompt = "Please pay A-7 back.";

/// What the model says, turn by turn.
std::vector<k::model_reply> conversation() {
  return {k::calls({{"find_invoice", R"({"number":"A-7"})"}}),
          k::calls({{"refund", R"({"number":"A-7"})"}}),
          k::says("A-7 is paid back.")};
}

void money_moves_only_when_somebody_agrees() {
  const auto money = std::make_shared<bank>();
  const auto lines = conversation();
  const auto script = k::scripted({lines.begin(), lines.end()});
  k::runtime rt{{.store = "memory:"}, {refund_agent(script, money)}};

  const auto run = rt.start("refunds", prompt);
  expect(run.wait().status == k::run_status::waiting_on_human, "nobody asked");
  expect(money->refunded_cents.empty(), "the money has moved");

  rt.approve(run.id(), {.tool = "refund", .by = "ana"});
  expect(run.wait().output == "A-7 is paid back.", "it said something else");
  script->expect_all_used();
}

void a_crash_anywhere_pays_neither_twice_nor_never() {
  const auto money = std::make_shared<bank>();
  const auto report = k::crash_everywhere(
    [&] {
      *money = {}; // The world is as new for each crash.
      return std::vector{refund_agent(k::model_by_turn(conversation()), money)};
    },
    {.prompt = prompt, .check = [&](const k::run_result&) {
       expect(money->refunded_cents["A-7"] == 1'200, "not 12.00 paid back");
     }});
  expect(report.failure.empty(), report.failure);
  std::cout << report.tried.size() << " crash points tried\n";
}

/// Made with KESTRION_RECORD=1 (here of a server that ANTHROPIC_BASE_URL
/// named); needs neither key nor server since.
void the_recorded_conversation_still_fits() {
  const auto tape = k::record_or_replay(CASSETTES "refund.jsonl");
  const auto model = k::anthropic({.model = "claude-sonnet-4-6", .http = tape});
  k::runtime rt{{.store = "memory:"},
                {refund_agent(model, std::make_shared<bank>())}};
  const auto run = rt.start("refunds", prompt);
  run.wait();
  rt.approve(run.id(), {.tool = "refund", .by = "ana"});
  expect(run.wait().status == k::run_status::completed, run.result().reason);
  tape->expect_all_used();
}

} // namespace

int main() try {
  {
    const auto ban = k::forbid_model_calls();
    money_moves_only_when_somebody_agrees();
    a_crash_anywhere_pays_neither_twice_nor_never();
  }
  the_recorded_conversation_still_fits();
  std::cout << "all is well\n";
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
