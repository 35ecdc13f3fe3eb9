#include <kestrion/scheduler/restart_policy.hpp>

namespace kestrion {

restart_verdict on_crash(const restart_spec& spec, restart_history& history,
                         std::uint64_t progress, timestamp now) {
  auto& recent = history.crashes;
  recent.push_back(now);
  while (!recent.empty() && recent.front() <= now - spec.period)
    recent.pop_front();
  if (progress > history.progress)
    history.crashes_without_progress = 0;
  history.progress = progress;
  ++history.crashes_without_progress;
  const auto within_period = static_cast<int>(recent.size());
  if (within_period > spec.intensity)
    return park{within_period};
  if (history.crashes_without_progress >= spec.stuck_max)
    return park{history.crashes_without_progress};
  return restart_after{
    retry_delay(spec.backoff, within_period, std::nullopt, 0)};
}

} // namespace kestrion
