#pragma once

#include <kestrion/messages/time.hpp>

#include <cstdint>

namespace kestrion {

/// A bucket that is full at first and refilled all the time.
///
/// A grant reaches the server up to `latency_max` later, while ours is being
/// refilled already. So ours holds less by what flows in during that time:
/// then, whatever the latencies, no interval sees more at the server than its
/// bucket allows.
/// @par Threading Owner only.
/// @par Source    Token bucket: RFC 2697, section 3.
class token_bucket {
public:
  /// @param amount       What flows in during a period, and what the server's
  ///                     bucket holds. At least 1.
  /// @param latency_max  Less than the period.
  token_bucket(std::int64_t amount, duration period, duration latency_max,
               timestamp now);

  /// The most that it ever holds; at least 1.
  std::int64_t capacity() const;

  /// May be below 0, after a charge that was more than there was.
  std::int64_t available(timestamp now) const;

  /// When so much is there if nothing is charged till then; the end of time if
  /// it is more than the capacity.
  timestamp ready_at(std::int64_t amount, timestamp now) const;

  /// @param amount  Negative: gives back, up to the capacity.
  void charge(std::int64_t amount, timestamp now);

  /// Makes it hold at most so much.
  void lower_to(std::int64_t available, timestamp now);

  /// The server changed its limit. What was used stays used.
  void resize(std::int64_t amount, timestamp now);

private:
  double level(timestamp now) const;

  double amount_;
  duration period_;
  duration latency_max_;
  double capacity_;
  double level_;
  timestamp at_; ///< When it held `level_`.
};

} // namespace kestrion
