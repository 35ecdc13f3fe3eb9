#include <kestrion/scheduler/backoff.hpp>

#include <algorithm>

namespace kestrion {

duration retry_delay(const backoff_policy& policy, std::int64_t attempt,
                     std::optional<duration> retry_after,
                     std::uint32_t jitter) {
  if (retry_after)
    return std::max(*retry_after, duration::zero());
  auto delay = policy.first;
  for (std::int64_t i = 1; i < attempt && delay < policy.cap; ++i)
    delay *= 2;
  delay = std::min(delay, policy.cap);
  const double share = jitter / 4294967296.0 * policy.jitter_percent / 100.0;
  return delay
         - duration{static_cast<std::int64_t>(static_cast<double>(delay.count())
                                              * share)};
}

} // namespace kestrion
