#include <kestrion/tests/sim/storm_agents.hpp>

#include <kestrion/providers/models/scripted.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace kestrion::test {

namespace {

using namespace std::chrono_literals;
using stage_ptr = std::shared_ptr<storm_stage>;

struct input {
  int value;
};
BOOST_DESCRIBE_STRUCT(input, (), (value))

// -- tools --------------------------------------------------------------------

constexpr effect_contract contract_of(effect_contract c) {
  return c;
}
effect_contract contract_of(const requires_approval&) {
  return effect_contract::once;
}
template <class F>
effect_contract contract_of(const probe_with<F>&) {
  return effect_contract::probe;
}

/// Reports itself; now and then it throws.
template <class Option>
void add_tool(agent& a, const stage_ptr& stage, const std::string& name,
              Option option) {
  a.tool(
    name, "A tool.",
    [stage, name, contract = contract_of(option)](
      const input& in, const tool_context& context) -> std::string {
      if (stage->is_over)
        return "nobody hears this";
      stage->witness.tool_began(stage->life, contract, name,
                                std::to_string(in.value), context);
      if (stage->one_in(8))
        throw std::runtime_error("the tool is broken");
      return name + " did " + std::to_string(in.value);
    },
    option, timeout{3s});
}

auto probe_of(const stage_ptr& stage) {
  return probe_with{
    [stage](const input&,
            const tool_context& context) -> std::optional<std::string> {
      if (stage->witness.has_happened(context.idempotency_key))
        return "it happened";
      return std::nullopt;
    }};
}

// -- models -------------------------------------------------------------------

/// Wishes for some of an agent's tools, or has the last word.
class storm_model final : public model {
public:
  storm_model(stage_ptr stage, std::vector<std::string> tools)
    : stage_(std::move(stage)), tools_(std::move(tools)) {}

  std::string name() const override { return "storm"; }
  std::optional<model_price> price() const override { return {}; }

  void complete(model_request request, std::stop_token,
                model_callback done) override {
    auto& st = *stage_;
    if (st.is_over)
      return;
    st.witness.model_began(st.life, request);
    if (!st.is_calm && st.one_in(25))
      throw std::runtime_error("the model is broken");
    auto answer = [this, turns = turns_of(request), done] {
      done(next(turns));
    };
    if (st.is_calm || st.one_in(2))
      answer();
    else
      st.unanswered.emplace_back(std::move(answer));
  }

private:
  static std::size_t turns_of(const model_request& r) {
    return static_cast<std::size_t>(
      std::count_if(r.conversation.begin(), r.conversation.end(),
                    [](const auto& m) { return m->role == role::assistant; }));
  }

  model_outcome next(std::size_t turns) {
    auto& st = *stage_;
    if (!st.is_calm && st.one_in(12))
      return fails(errc::unavailable, true);
    if (!st.is_calm && st.one_in(60))
      return fails(errc::refused);
    if (turns >= 4 || st.one_in(st.is_calm ? 2 : 5))
      return says("done");
    std::vector<scripted_call> batch;
    for (auto n = 1 + st.below(3); n > 0; --n)
      batch.push_back(wish());
    return calls(batch);
  }

  scripted_call wish() {
    auto& st = *stage_;
    const auto& tool = tools_[st.below(tools_.size())];
    if (tool == "ask_human")
      return {tool, st.one_in(2)
                      ? R"({"question":"Which?","choices":["a","b"]})"
                      : R"({"question":"Which?"})"};
    if (tool == "aide" || tool == "scout")
      return {tool, R"({"prompt":"Go on."})"};
    if (tool == "sleep")
      return {tool, "{\"seconds\":" + std::to_string(1 + st.below(20)) + "}"};
    if (tool == "hand_over")
      return {tool, R"({"reason":"It is yours."})"};
    if (st.one_in(20))
      return {tool, "{}"};
    return {tool, "{\"value\":" + std::to_string(st.below(10)) + "}"};
  }

  stage_ptr stage_;
  std::vector<std::string> tools_;
};

agent make_lead(const stage_ptr& stage) {
  agent a{"lead"};
  a.model(std::make_shared<storm_model>(
            stage, std::vector<std::string>{"pure", "again", "probed", "single",
                                            "gated", "signed", "chained",
                                            "aide", "scout", "hand_over",
                                            "ask_human", "sleep"}))
    .limits({.model_attempts_max = 4, .depth_max = 3})
    .subagent("aide", "Helps.", "aide")
    .subagent("scout", "Looks around.", "scout")
    .handoff("hand_over", "Hands over.", "aide")
    .can_ask()
    .can_sleep();
  add_tool(a, stage, "pure", effect_contract::pure);
  add_tool(a, stage, "again", effect_contract::idempotent);
  add_tool(a, stage, "probed", probe_of(stage));
  add_tool(a, stage, "single", effect_contract::once);
  add_tool(a, stage, "gated", requires_approval{});
  add_tool(a, stage, "signed", requires_approval{"engineer"}.within(40s));
  add_tool(a, stage, "chained", requires_approval{"engineer", "lead"});
  return a;
}

agent make_aide(const stage_ptr& stage) {
  agent a{"aide"};
  a.model(std::make_shared<storm_model>(
            stage, std::vector<std::string>{"single", "again", "scout", "gated",
                                            "hand_over"}))
    .limits({.model_attempts_max = 3})
    .subagent("scout", "Looks around.", "scout")
    .handoff("hand_over", "Hands over.", "scout");
  add_tool(a, stage, "again", effect_contract::idempotent);
  add_tool(a, stage, "single", effect_contract::once);
  add_tool(a, stage, "gated", requires_approval{"engineer"});
  return a;
}

agent make_scout(const stage_ptr& stage) {
  agent a{"scout"};
  a
    .model(std::make_shared<storm_model>(
      stage, std::vector<std::string>{"pure", "probed", "single", "ask_human"}))
    .limits({.turns_max = 4, .model_attempts_max = 3})
    .can_ask()
    .streams();
  add_tool(a, stage, "pure", effect_contract::pure);
  add_tool(a, stage, "probed", probe_of(stage));
  add_tool(a, stage, "single", effect_contract::once);
  return a;
}

} // namespace

void storm_stage::answer_one() {
  if (unanswered.empty())
    return;
  const auto i = below(unanswered.size());
  const auto answer = std::move(unanswered[i]);
  unanswered.erase(unanswered.begin() + static_cast<std::ptrdiff_t>(i));
  answer();
}

std::vector<agent>
make_storm_agents(const std::shared_ptr<storm_stage>& stage) {
  return {make_lead(stage), make_aide(stage), make_scout(stage)};
}

} // namespace kestrion::test
