#include "agents.hpp"

#include <algorithm>

namespace k = kestrion;

namespace {

bool has_third_scout(int number) {
  return number % 2 == 1;
}

/// The number of the model call, from 0: what a model says follows from that
/// and the prompt, in every life.
std::int64_t turn_of(const k::model_request& r) {
  return std::count_if(
    r.conversation.begin(), r.conversation.end(),
    [](const auto& m) { return m->role == k::role::assistant; });
}

std::string first_words(const k::model_request& r) {
  return text_of(*r.conversation.front());
}

k::model_outcome say_as_lead(const k::model_request& r) {
  const auto number = std::stoi(first_words(r));
  const k::scripted_call scout{"scout", R"({"prompt":"Look at it."})"};
  switch (turn_of(r)) {
    case 0: return k::calls({scout, scout});
    case 1:
      return has_third_scout(number) ? k::calls({scout, {"publish"}})
                                     : k::calls({{"publish"}});
    default: return k::says(answer_of(number));
  }
}

k::model_outcome say_as_scout(const k::model_request& r) {
  return turn_of(r) == 0 ? k::calls({{"measure"}, {"report"}})
                         : k::says("all is well");
}

/// A tool that notes that it ran.
auto noting(const notes& world, const std::string& tool) {
  return [world, tool](const k::tool_context& call) {
    world.add(tool, call.idempotency_key);
    return result_of(tool);
  };
}

} // namespace

k::agent lead_agent(const notes& world) {
  return k::agent("lead")
    .model(k::function_model(say_as_lead))
    .subagent("scout", "Looks at a case.", "scout")
    .tool("publish", "Publishes the result.", noting(world, "publish"),
          k::requires_approval("editor")); // `once`, as gated tools are.
}

k::agent scout_agent(const notes& world) {
  return k::agent("scout")
    .model(k::function_model(say_as_scout))
    .tool("measure", "Measures.", noting(world, "measure"),
          k::effect_contract::idempotent)
    .tool("report", "Reports.", noting(world, "report"),
          k::effect_contract::once);
}

std::string prompt_of(int number) {
  return std::to_string(number);
}

std::string answer_of(int number) {
  return "case " + std::to_string(number) + " is closed";
}

std::vector<std::string> scout_calls_of(int number) {
  std::vector<std::string> out{"c1.0", "c1.1"};
  if (has_third_scout(number))
    out.emplace_back("c2.0");
  return out;
}

int runs_of(int cases) {
  int out = cases;
  for (int i = 0; i < cases; ++i)
    out += static_cast<int>(scout_calls_of(i).size());
  return out;
}

std::string publish_call_of(int number) {
  return has_third_scout(number) ? "c2.1" : "c2.0";
}

std::string result_of(const std::string& tool) {
  return tool + ": done";
}
