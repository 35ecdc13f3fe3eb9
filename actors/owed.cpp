#include <kestrion/actors/run_machine.hpp>

#include <kestrion/messages/json_text.hpp>

#include <boost/json/object.hpp>

#include <algorithm>

namespace kestrion {

namespace {

/// As the model wrote it: the arguments fit the schema of their kind.
std::string prompt_in(const std::string& arguments, const char* member) {
  const auto json = parse_json(arguments, "the arguments");
  const auto* object = json ? json->if_object() : nullptr;
  const auto* prompt = object ? object->if_contains(member) : nullptr;
  const auto* text = prompt ? prompt->if_string() : nullptr;
  return text ? std::string{*text} : arguments;
}

start_child child_of(const run_state& s, const open_call& call) {
  const auto& p = s.progress;
  const auto l = limits_of(s);
  const auto left = [](std::int64_t max, std::int64_t used) {
    return std::max<std::int64_t>(0, max - used);
  };
  start_child out;
  out.call = call.id;
  out.agent = call.agent;
  out.prompt = prompt_in(call.arguments, call.handoff ? "reason" : "prompt");
  out.handoff = call.handoff;
  out.left.tokens_max =
    left(l.tokens_max, p.usage.total() + p.lost_tokens_estimate);
  out.left.cost_usd_micros_max = left(l.cost_usd_micros_max, p.cost_usd_micros);
  out.left.depth_max = l.depth_max.value_or(default_depth_max);
  out.left.descendants_max =
    left(l.descendants_max.value_or(default_descendants_max), p.descendants);
  out.depth = s.header->depth.value_or(0) + 1;
  return out;
}

/// The check is code, and runs as tools do. It has no effect of its own, so it
/// is run again after a crash.
run_tool check_of(const run_state& s, const open_check& check) {
  run_tool out;
  out.call = check.call;
  out.tool = output_tool_name;
  out.arguments = check.output ? *check.output : output_of(s);
  return out;
}

} // namespace

std::optional<timestamp> wake_time(const run_progress& p,
                                   const run_started& header) {
  if (p.seq == 0 || is_terminal(p.status) || p.parked)
    return std::nullopt;
  auto wake = header.deadline;
  const auto sooner = [&](timestamp at) {
    wake = wake ? std::min(*wake, at) : at;
  };
  if (!p.limit) // Else people are asked already.
    sooner(later(p.started_at, limits_of(header.limits, p).wall_time_max));
  for (const auto& call : p.calls)
    if (call.phase == call_phase::sleeping)
      sooner(call.not_before);
  for_each_closed_gate(p, [&](const open_call& call) {
    if (call.deadline)
      sooner(*call.deadline);
  });
  return wake;
}

std::vector<effect> owed(const run_state& state) {
  const auto& p = state.progress;
  std::vector<effect> out;
  if (p.seq == 0 || is_terminal(p.status) || p.parked)
    return out;
  out.reserve(p.calls.size() + 2); // Calls, the model's or theirs, and a wake.
  if (p.compaction && !p.limit)
    out.emplace_back(call_model{p.compaction->call, p.compaction->attempt,
                                p.compaction->not_before, p.compaction->place});
  else if (p.model_call && !p.limit)
    out.emplace_back(call_model{p.model_call->id, p.model_call->attempt,
                                p.model_call->not_before, p.model_call->place});
  if (p.check)
    out.emplace_back(check_of(state, *p.check));
  // The next one is owed when one of these has ended, in whatever life.
  auto places = state.header->limits.children_at_once_max.value_or(
    default_children_at_once_max);
  for (const auto& call : p.calls) {
    if (call.phase == call_phase::started)
      out.emplace_back(run_tool{call.id, call.tool, call.arguments,
                                call.attempt, call.interrupted,
                                call.not_before});
    if (call.phase == call_phase::child && places-- > 0)
      out.emplace_back(child_of(state, call));
  }
  if (const auto wake = wake_time(p, *state.header))
    out.emplace_back(wake_up{*wake});
  return out;
}

} // namespace kestrion
