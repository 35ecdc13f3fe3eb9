#pragma once

#include <kestrion/messages/time.hpp>

#include <cstdint>
#include <optional>

namespace kestrion {

/// Holds back what a server has refused, once for everyone.
///
/// After a pause one call goes ahead; the others follow when it was answered.
/// So a server that asks for too short a pause sees one refused call each time,
/// not a burst; and each time the pause is twice as long. A server that asks
/// for too long a pause gets `pause_max`.
/// @par Threading Owner only.
class pause_gate {
public:
  /// Closed until then, or the end of time: until the probe is answered. Not
  /// set: open.
  std::optional<timestamp> closed_until(timestamp now) const {
    if (now < until_)
      return until_;
    return probing_ && probe_ != 0 ? std::optional{timestamp::max()}
                                   : std::nullopt;
  }

  /// Nothing is left, and it is no use to wait.
  bool exhausted(timestamp now) const { return now < exhausted_until_; }

  /// A call goes through.
  void granted(std::uint64_t ticket);

  /// A call was refused. @param granted_at  When it went through: what did so
  /// before the pause belongs to the same burst, and counts once.
  /// @returns Whether a new pause begins.
  bool refused(std::uint64_t ticket, timestamp granted_at,
               std::optional<duration> retry_after, duration first,
               duration max, timestamp now);

  /// Nothing is left; so long, it is not asked again.
  void used_up(std::uint64_t ticket, duration pause, timestamp now);

  /// A call was answered.
  void answered(timestamp granted_at);

  /// A call ended without an answer; another one may go ahead.
  void ended(std::uint64_t ticket);

private:
  timestamp began_ = timestamp::min(); ///< The last pause.
  timestamp until_ = timestamp::min();
  timestamp exhausted_until_ = timestamp::min();
  int streak_ = 0;       ///< Pauses since the last answer.
  bool probing_ = false; ///< From a pause on, until a call was answered.
  std::uint64_t probe_ = 0;
};

} // namespace kestrion
