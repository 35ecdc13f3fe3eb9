#pragma once

/// The agents of the crash matrix, and the world that outlives them: what tools
/// did, and which models were asked.

#include <kestrion/kestrion.hpp>

#include <kestrion/store/faulty_store.hpp>
#include <kestrion/tests/support/sim.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace kestrion::test::crashes {

struct execution {
  std::string key;
  std::string tool;
  std::string arguments;
};

/// What happened outside of the process; crashes do not undo it.
struct outside {
  std::vector<execution> executions;
  std::map<std::string, int> model_calls; ///< By idempotency key.
  int effects = 0;    ///< Model and tool calls in this life.
  int die_after = -1; ///< The process dies after so many of them.
  faulty_store* store = nullptr;

  bool dead() const { return store->dead(); }
  void count_effect() {
    if (++effects == die_after)
      store->kill();
  }
};

struct scenario {
  std::string name;
  std::vector<model_reply> replies;
  /// What people do about a call that waits; nothing: they leave it.
  std::function<std::optional<command>(const pending_approval&)> decide;
  run_status end = run_status::completed;
  int flaky_model_call = 0; ///< This call (from 1) fails once, retryably.
  bool hopeless_model = false;
  snapshot_rule snapshots{};
  /// The subject's answer has to be an `input`; odd ones are refused by a
  /// check.
  bool is_typed = false;
  /// Asks people for more when this is reached.
  std::optional<run_limits> limits{};
  /// The first model of the subject is out from this call (from 1) on, and
  /// another one takes over.
  int out_from = 0;
  bool compacts = false; ///< From the third turn on.
};

inline std::int64_t times_run(const outside& world, const std::string& key) {
  return std::count_if(world.executions.begin(), world.executions.end(),
                       [&](const auto& e) { return e.key == key; });
}

struct input {
  int value;
};
BOOST_DESCRIBE_STRUCT(input, (), (value))

/// A tool that leaves a trace outside, and whose result tells its arguments.
template <class... Options>
void add_tool(agent& a, const std::shared_ptr<outside>& world,
              const std::string& name, Options... options) {
  a.tool(
    name, "A tool.",
    [world, name](const input& in, const tool_context& context) {
      if (world->dead())
        return std::string{"nobody hears this"};
      world->executions.push_back(
        {context.idempotency_key, name, std::to_string(in.value)});
      world->count_effect();
      if (name == "broken")
        throw std::runtime_error("the tool is broken");
      const auto tries = times_run(*world, context.idempotency_key);
      if ((name == "flaky" && tries <= 2) || (name == "lossy" && tries == 1))
        throw std::runtime_error(name + " fails at try "
                                 + std::to_string(tries));
      return name + " did " + std::to_string(in.value);
    },
    options...);
}

/// A check that leaves a trace outside, as tools do.
inline void add_output(agent& a, const std::shared_ptr<outside>& world) {
  a.output<input>([world](const input& in) -> result<void> {
    const auto value = std::to_string(in.value);
    if (world->dead())
      return error{errc::io, "nobody hears this"};
    world->executions.push_back({"check/" + value, "check", value});
    world->count_effect();
    if (in.value % 2 != 0)
      return error{errc::invalid_argument, value + " is odd"};
    return {};
  });
}

inline model_ptr model_of(const scenario& s,
                          const std::shared_ptr<outside>& world,
                          bool is_first) {
  return function_model([s, world,
                         is_first](const model_request& r) -> model_outcome {
    if (world->dead())
      return fails(errc::io, true);
    const auto call = r.idempotency_key.substr(r.idempotency_key.find('/') + 1);
    const auto turn = std::stoi(call.substr(1)) - 1; // Of `m3`, or before it.
    const auto tries = ++world->model_calls[r.idempotency_key];
    world->count_effect();
    if (s.hopeless_model)
      return fails(errc::refused, false);
    if (turn + 1 == s.flaky_model_call && tries == 1)
      return fails(errc::unavailable, true);
    if (is_first && s.out_from != 0 && turn + 1 >= s.out_from)
      return fails(errc::unavailable, true);
    if (call.front() == 'k')
      return says("summed up before turn " + std::to_string(turn + 1));
    return s.replies.at(static_cast<std::size_t>(turn));
  });
}

inline agent make_agent(const scenario& s,
                        const std::shared_ptr<outside>& world) {
  agent a{"subject"};
  a.model(model_of(s, world, true));
  if (s.out_from != 0)
    a.fallback(model_of(s, world, false));
  if (s.compacts)
    a.compacts({.at = 0.5, .keep_last = 2, .window = 1'000});
  add_tool(a, world, "plain", effect_contract::idempotent);
  add_tool(a, world, "reader", effect_contract::pure);
  add_tool(a, world, "broken", effect_contract::idempotent);
  add_tool(a, world, "single", effect_contract::once);
  add_tool(a, world, "gated", requires_approval{});
  add_tool(a, world, "chained", requires_approval{"engineer", "lead"});
  a.subagent("delegate", "Lets another agent do it.", "helper")
    .subagent("route", "Lets the right agent do it.", "router")
    .handoff("transfer", "Hands over.", "specialist")
    .can_ask();
  const auto has_happened =
    [world](const input&, const tool_context& c) -> std::optional<std::string> {
    for (const auto& e : world->executions)
      if (e.key == c.idempotency_key)
        return e.tool + " did " + e.arguments;
    return std::nullopt;
  };
  add_tool(a, world, "probed", probe_with{has_happened});
  // Fails twice; and one that does it, but whose answer gets lost.
  add_tool(a, world, "flaky", attempts(3));
  add_tool(a, world, "lossy", attempts(2), probe_with{has_happened});
  if (s.is_typed)
    add_output(a, world);
  if (s.limits)
    a.limits(*s.limits).asks_for_more(requires_approval{"finance"});
  return a;
}

/// Works with one tool, which its prompt names, and says so.
inline agent make_helper(const std::shared_ptr<outside>& world) {
  agent a{"helper"};
  a.model(function_model([world](const model_request& r) -> model_outcome {
    if (world->dead())
      return fails(errc::io, true);
    world->count_effect();
    if (r.conversation.size() == 1)
      return calls({{text_of(*r.conversation.front()), R"({"value":5})"}});
    return says("helped");
  }));
  add_tool(a, world, "single", effect_contract::once);
  add_tool(a, world, "gated", requires_approval{});
  return a;
}

/// Always hands its conversation over.
inline agent make_router(const std::shared_ptr<outside>& world) {
  agent a{"router"};
  a.model(function_model([world](const model_request&) -> model_outcome {
     if (world->dead())
       return fails(errc::io, true);
     world->count_effect();
     return calls({{"transfer", R"({"reason":"it is yours"})"}});
   }))
    .handoff("transfer", "Hands over.", "specialist");
  return a;
}

/// Goes on with whatever conversation it gets.
inline agent make_specialist(const std::shared_ptr<outside>& world) {
  agent a{"specialist"};
  a.model(function_model([world](const model_request& r) -> model_outcome {
    if (world->dead())
      return fails(errc::io, true);
    world->count_effect();
    return says("done after " + std::to_string(r.conversation.size()));
  }));
  return a;
}

} // namespace kestrion::test::crashes
