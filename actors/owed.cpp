#include <kestrion/actors/run_machine.hpp>

#include <algorithm>

namespace kestrion {

std::vector<effect> owed(const run_state& state) {
  const auto& p = state.progress;
  std::vector<effect> out;
  if (p.seq == 0 || is_terminal(p.status) || p.parked)
    return out;
  if (p.model_call)
    out.emplace_back(call_model{p.model_call->id, p.model_call->attempt,
                                p.model_call->not_before});
  auto wake = later(p.started_at, state.header.limits.wall_time_max);
  for (const auto& call : p.calls) {
    if (call.phase == call_phase::started)
      out.emplace_back(run_tool{call.id, call.tool, call.arguments,
                                call.attempt, call.interrupted});
    if (call.phase == call_phase::waiting && call.deadline
        && !missing_roles(call).empty())
      wake = std::min(wake, *call.deadline);
  }
  out.emplace_back(wake_up{wake});
  return out;
}

} // namespace kestrion
