#include <kestrion/scheduler/supervision.hpp>

namespace kestrion {

namespace {

bool calls_for_restart(restart_type type, exit_kind kind) {
  switch (type) {
    case restart_type::permanent: return true;
    case restart_type::transient: return kind == exit_kind::crash;
    case restart_type::temporary: return false;
  }
  return false;
}

/// Temporary children that were stopped for another's sake stay away too.
std::vector<std::size_t> affected(const supervision_spec& spec,
                                  std::span<const restart_type> types,
                                  std::size_t ended) {
  if (spec.strategy == restart_strategy::one_for_one)
    return {ended};
  std::vector<std::size_t> out;
  for (auto i = spec.strategy == restart_strategy::one_for_all ? 0 : ended;
       i < types.size(); ++i)
    if (types[i] != restart_type::temporary)
      out.push_back(i);
  return out;
}

} // namespace

supervision_verdict on_exit(const supervision_spec& spec,
                            std::span<const restart_type> types,
                            std::deque<timestamp>& restarts, std::size_t ended,
                            exit_kind kind, timestamp now) {
  if (!calls_for_restart(types[ended], kind))
    return let_go{};
  restarts.push_back(now);
  while (!restarts.empty() && restarts.front() <= now - spec.period)
    restarts.pop_front();
  const auto recent = static_cast<int>(restarts.size());
  if (recent > spec.intensity)
    return escalate{recent};
  const auto delay = recent <= 1
                       ? duration{}
                       : retry_delay(spec.backoff, recent - 1, std::nullopt, 0);
  return restart_children{affected(spec, types, ended), delay};
}

} // namespace kestrion
