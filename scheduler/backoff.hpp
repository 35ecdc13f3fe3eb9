#pragma once

#include <kestrion/messages/time.hpp>

#include <cstdint>
#include <optional>

namespace kestrion {

/// Exponential delays with a cap and jitter.
struct backoff_policy {
  duration first = std::chrono::milliseconds{500};
  duration cap = std::chrono::seconds{30};
  int jitter_percent = 25; ///< Up to so much is taken off, 0 to 100.
};

/// How long to wait before try number `attempt + 1`.
/// @param attempt      Tries that failed so far, from 1.
/// @param retry_after  What the server asked for; if given, it decides.
/// @param jitter       Uniform over its range; spreads those who failed
///                     together.
duration retry_delay(const backoff_policy& policy, std::int64_t attempt,
                     std::optional<duration> retry_after, std::uint32_t jitter);

} // namespace kestrion
