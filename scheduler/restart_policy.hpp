#pragma once

#include <kestrion/messages/time.hpp>

#include <kestrion/scheduler/backoff.hpp>

#include <cstdint>
#include <deque>
#include <variant>

/// What becomes of an actor that crashed: a pure verdict in OTP's terms. The
/// supervisor only carries it out.
/// @par Source erlang.org/doc/man/supervisor.html (intensity and period)
namespace kestrion {

/// More than `intensity` crashes within `period` and the actor is parked. So is
/// one that crashes `stuck_max` times without any progress in between, however
/// slowly: backoff alone would let it crash for ever.
struct restart_spec {
  int intensity = 5;
  duration period = std::chrono::minutes{1};
  int stuck_max = 8;
  backoff_policy backoff{.first = std::chrono::milliseconds{50},
                         .cap = std::chrono::seconds{10},
                         .jitter_percent = 0};
};

/// What the supervisor remembers of one actor.
struct restart_history {
  std::deque<timestamp> crashes; ///< Within the period, oldest first.
  std::uint64_t progress = 0;    ///< At the last crash.
  int crashes_without_progress = 0;
};

struct restart_after {
  duration delay{};
  bool operator==(const restart_after&) const = default;
};
struct park {
  int crashes = 0;
  bool operator==(const park&) const = default;
};
using restart_verdict = std::variant<restart_after, park>;

/// Takes a crash into `history` and says what follows.
/// @param progress  Anything that grows when the actor gets on and only then;
///                  not the length of its log, which each recovery adds to.
restart_verdict on_crash(const restart_spec& spec, restart_history& history,
                         std::uint64_t progress, timestamp now);

} // namespace kestrion
