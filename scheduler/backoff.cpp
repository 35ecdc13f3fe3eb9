#include <kestrion/scheduler/backoff.hpp>

#include <algorithm>

namespace kestrion {

duration retry_delay(const backoff_policy& policy, std::int64_t attempt,
                     std::optional<duration> retry_after,
                     std::uint32_t jitter) {
  if (retry_after)
    return std::max(*retry_after, duration::zero());
  const auto cap = std::max(policy.cap, duration::zero());
  auto delay = std::clamp(policy.first, duration::zero(), cap);
  for (std::int64_t i = 1; i < attempt && delay.count() != 0 && delay != cap;
       ++i)
    delay = delay > cap / 2 ? cap : delay * 2;
  const double share =
    jitter / 4294967296.0 * std::clamp(policy.jitter_percent, 0, 100) / 100.0;
  return delay
         - duration{static_cast<std::int64_t>(static_cast<double>(delay.count())
                                              * share)};
}

} // namespace kestrion
