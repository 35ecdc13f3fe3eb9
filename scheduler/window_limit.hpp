#pragma once

#include <kestrion/messages/time.hpp>

#include <cstdint>
#include <deque>

namespace kestrion {

/// A limit whose server counts in windows of a length that we know, and a phase
/// that we do not. No interval of a period and the latency sees more than the
/// amount, so no window can either, wherever it begins. When the server says
/// that it begins anew, what was counted is forgotten then, and not later.
///
/// Uses are kept in slots of 1/2048 period: bounded memory.
/// @par Threading Owner only.
class window_limit {
public:
  /// Names a use until it is forgotten.
  using slot = std::int64_t;

  /// @param latency_max  How late the server may count it.
  window_limit(std::int64_t amount, duration period, duration latency_max);

  std::int64_t capacity() const { return amount_; }
  std::int64_t available(timestamp now);

  /// When so much is there if nothing is charged till then; the end of time if
  /// it is more than the capacity.
  timestamp ready_at(std::int64_t amount, timestamp now);

  /// @param at  When it was used; not after `now`.
  slot charge(std::int64_t amount, timestamp now);

  /// Corrects an earlier use. One that is forgotten stays so.
  void adjust(slot of, std::int64_t by, timestamp now);

  /// All uses that the server has got before `counted_until` are forgotten at
  /// `reset_at`.
  void forget_at(timestamp counted_until, timestamp reset_at, timestamp now);

  /// Makes at most so much available, as if the rest had been used now.
  void lower_to(std::int64_t available, timestamp now);

  void resize(std::int64_t amount) { amount_ = amount; }

private:
  struct use {
    slot at = 0;
    std::int64_t amount = 0;
    timestamp until; ///< Forgotten then.
  };

  void forget(timestamp now);

  std::int64_t amount_;
  duration period_;
  duration latency_max_;
  duration slot_length_;
  std::int64_t used_ = 0;
  std::deque<use> uses_; ///< Oldest first; none is forgotten after a later one.
};

} // namespace kestrion
