#include <kestrion/kestrion.hpp>

#include <kestrion/tests/support/machine_dsl.hpp>
#include <kestrion/tests/support/temp_folder.hpp>

#include <boost/test/unit_test.hpp>

#include <utility>

/// Logs that are decided anew. That whatever the machine decides comes out the
/// same is for run_machine_property_test.
namespace kestrion::test {

namespace replay_test {

/// Many kinds of events, with an edited yes, a no and a crash in between.
machine_story eventful() {
  machine_story story;
  story.asks_for({"look", "write", "apply"});
  story.approved({.by = "ana", .arguments = R"({"n":2})"});
  story.passes(std::chrono::seconds{1});
  story.tool_returns("c1.0", "3");
  story.tool_fails("c1.1", "full");
  story.recovers();
  story.resolved({.answer = doubt_answer::happened, .by = "ana"});
  story.passes(std::chrono::seconds{1});
  story.model_fails(errc::unavailable);
  story.is_told("be brief");
  story.model_calls({{"scale", "{}"}, {"fly", "{}"}});
  story.denied({.by = "bob", .role = "engineer", .reason = "no"});
  story.model_says("done");
  return story;
}

std::optional<replay_divergence> parted(std::vector<recorded_event> log,
                                        const agent_definition& agent) {
  std::uint64_t seq = 0; // As a store would number them.
  for (auto& e : log)
    e.seq = ++seq;
  return replay({}, log, agent).divergence;
}

agent_definition with_a_gate_on(const std::string& name) {
  auto agent = ops_agent();
  for (auto& tool : agent.tools)
    if (tool.name == name)
      tool.gate = {true, {}, {}};
  return prepare(std::move(agent)).value();
}

agent looking(bool is_gated) {
  agent a{"worker"};
  a.model(function_model([](const model_request& r) -> model_outcome {
    return r.conversation.size() == 1 ? calls({{"look", "{}"}}) : says("done");
  }));
  const auto look = [] {
    return 3;
  };
  return is_gated ? a.tool("look", "Looks.", look, requires_approval{})
                  : a.tool("look", "Looks.", look);
}

} // namespace replay_test

BOOST_AUTO_TEST_SUITE(replay_test)

BOOST_AUTO_TEST_CASE(a_log_comes_out_the_same) {
  const auto story = eventful();
  BOOST_REQUIRE(story.status() == run_status::completed);
  const auto report = replay({}, story.log, story.agent);
  BOOST_TEST(!report.divergence.has_value());
  BOOST_TEST(!report.definition_changed);
  BOOST_TEST(report.agent == "ops");
  BOOST_TEST(report.events == story.log.size());
}

BOOST_AUTO_TEST_CASE(another_prompt_is_a_change_but_no_divergence) {
  auto other = ops_agent();
  other.system = "Be kind.";
  const auto report =
    replay({}, eventful().log, prepare(std::move(other)).value());
  BOOST_TEST(!report.divergence.has_value());
  BOOST_TEST(report.definition_changed);
}

BOOST_AUTO_TEST_CASE(another_gate_parts_where_it_would_be_asked) {
  const auto why = parted(eventful().log, with_a_gate_on("look"));
  BOOST_REQUIRE(why);
  BOOST_TEST(why->seq == 4u);
  BOOST_TEST(why->recorded == "approval_requested");
  BOOST_TEST(why->decided == "approval_requested");
  BOOST_TEST(why->why == "its content would be another");
}

BOOST_AUTO_TEST_CASE(a_tool_that_is_gone_parts_where_it_is_called) {
  auto other = ops_agent();
  std::erase_if(other.tools, [](const auto& t) { return t.name == "write"; });
  const auto why = parted(eventful().log, prepare(std::move(other)).value());
  BOOST_REQUIRE(why);
  BOOST_TEST(why->recorded == "approval_requested");
  BOOST_TEST(why->decided == "tool_call_failed");
}

// Not the last ones: a log may end wherever an append did. Nor what somebody
// said: nothing that is decided shows whether and when it was.
BOOST_AUTO_TEST_CASE(an_event_that_is_missing_or_misplaced_is_noticed) {
  const auto log = eventful().log;
  const auto agent = ops_agent();
  const auto is_word = [](const recorded_event& e) {
    return std::holds_alternative<message_received>(e.event) && e.seq > 2;
  };
  const auto is_result = [](const recorded_event& e) {
    return tag_of(e.event).starts_with("tool_call_")
           && !std::holds_alternative<tool_call_started>(e.event);
  };
  for (std::size_t i = 0; i + 2 < log.size(); ++i)
    BOOST_TEST_CONTEXT("event " << i + 1 << ", " << tag_of(log[i].event)) {
      if (is_word(log[i]) || is_word(log[i + 1]))
        continue;
      auto without = log;
      without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
      BOOST_TEST(parted(without, agent).has_value());
      auto swapped = log;
      std::swap(swapped[i].event, swapped[i + 1].event);
      if (!is_result(log[i])
          || !is_result(log[i + 1])) // They come in any order.
        BOOST_TEST(parted(swapped, agent).has_value());
    }
}

BOOST_AUTO_TEST_CASE(a_store_is_checked_before_an_upgrade) {
  const temp_folder folder;
  const auto url = "sqlite:///" + (folder / "runs.db");
  run_id id;
  {
    runtime rt{{.store = url}, {looking(false)}};
    const auto run = rt.start("worker", "Go on.");
    BOOST_REQUIRE((run.wait().status == run_status::completed));
    id = run.id();
    BOOST_TEST(!rt.replay(id).divergence.has_value());
    BOOST_TEST(rt.divergences().empty());
  }
  const runtime changed{{.store = url, .recover = false}, {looking(true)}};
  const auto found = changed.divergences();
  BOOST_REQUIRE(found.size() == 1u);
  BOOST_TEST((found.front().run == id));
  BOOST_TEST(found.front().definition_changed);
  BOOST_TEST(found.front().divergence->recorded == "tool_call_started");
  BOOST_TEST(found.front().divergence->decided == "approval_requested");
  const runtime without{{.store = url, .recover = false}, {}};
  BOOST_TEST(without.divergences().size() == 1u);
  BOOST_CHECK_THROW(static_cast<void>(without.replay(id)), failure);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
