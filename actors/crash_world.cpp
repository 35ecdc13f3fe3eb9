#include <kestrion/actors/crash_world.hpp>

#include <utility>

namespace kestrion {

void crash_world::watch(agent_registry& agents) {
  for (auto& [name, code] : agents) {
    auto watched = *code;
    for (const auto& spec : watched.definition->tools) {
      const auto found = watched.tools.find(spec.name);
      if (found == watched.tools.end() || !found->second.run)
        continue; // Other runs or people do what it does.
      found->second.run =
        [self = shared_from_this(), tool = spec.name,
         may_repeat = spec.contract != effect_contract::once,
         inner = std::move(found->second.run)](const std::string& arguments,
                                               const tool_context& context) {
          self->begin(context.idempotency_key, tool, may_repeat);
          auto outcome = inner(arguments, context);
          self->end(context.idempotency_key, outcome);
          return outcome;
        };
    }
    code = std::make_shared<const agent_code>(std::move(watched));
  }
}

doubt_resolution crash_world::answer(const doubtful_call& call) const {
  const std::lock_guard lock{mutex_};
  doubt_resolution out;
  out.call = call.call;
  out.by = "crash_everywhere";
  const auto found = done_.find(call.run.str() + "/" + call.call);
  if (found == done_.end()) {
    out.answer = doubt_answer::run_again;
  } else if (found->second.outcome && !found->second.outcome->failure) {
    out.answer = doubt_answer::happened;
    out.content = found->second.outcome->content;
  } else {
    out.answer = doubt_answer::did_not_happen; // It failed.
  }
  return out;
}

std::string crash_world::repeated() const {
  const std::lock_guard lock{mutex_};
  for (const auto& [key, each] : done_)
    if (!each.may_repeat && each.times > 1)
      return "the tool \"" + each.tool + "\" may not be repeated, but the call "
             + key + " was made " + std::to_string(each.times) + " times";
  return {};
}

void crash_world::begin(const std::string& key, const std::string& tool,
                        bool may_repeat) {
  const std::lock_guard lock{mutex_};
  auto& it = done_[key];
  it.tool = tool;
  it.may_repeat = may_repeat;
  ++it.times;
}

void crash_world::end(const std::string& key, const tool_outcome& outcome) {
  const std::lock_guard lock{mutex_};
  done_[key].outcome = outcome;
}

} // namespace kestrion
