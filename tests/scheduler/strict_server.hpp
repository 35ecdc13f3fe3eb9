#pragma once

#include <kestrion/scheduler/limit_spec.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

namespace kestrion::test {

/// A limit as a provider enforces it, to the letter: what does not fit is
/// refused, and nothing of it is charged.
class strict_limit {
public:
  /// @param phase  When the first window begins; no matter for a bucket.
  strict_limit(limit_kind kind, limit_shape shape, std::int64_t amount,
               duration period, timestamp phase)
    : kind_(kind), shape_(shape), amount_(amount), period_(period),
      window_(phase), at_(phase), level_(static_cast<double>(amount)) {}

  limit_kind kind() const { return kind_; }

  double level(timestamp now) {
    if (shape_ == limit_shape::fixed_window) {
      while (window_ + period_ <= now) {
        window_ += period_;
        // What ran over at the end of calls is carried over.
        level_ = static_cast<double>(amount_) + std::min(level_, 0.0);
      }
      return level_;
    }
    level_ = std::min(static_cast<double>(amount_),
                      level_
                        + static_cast<double>(amount_)
                            * static_cast<double>((now - at_).count())
                            / static_cast<double>(period_.count()));
    at_ = now;
    return level_;
  }

  void charge(double amount, timestamp now) { level_ = level(now) - amount; }

  void change(std::int64_t amount, timestamp now) {
    level_ = std::min(level(now), static_cast<double>(amount));
    amount_ = amount;
  }

  limit_report report(timestamp now) {
    const auto there = level(now);
    const auto reset = shape_ == limit_shape::fixed_window
                         ? window_ + period_
                         : now
                             + duration{static_cast<duration::rep>(
                               (static_cast<double>(amount_) - there)
                               / static_cast<double>(amount_)
                               * static_cast<double>(period_.count()))};
    return {kind_, amount_, static_cast<std::int64_t>(std::max(there, 0.0)),
            reset};
  }

private:
  limit_kind kind_;
  limit_shape shape_;
  std::int64_t amount_;
  duration period_;
  timestamp window_;
  timestamp at_;
  double level_;
};

/// A server that refuses what is over its limits. Requests and input are
/// charged when they arrive, output when it is there.
class strict_server {
public:
  explicit strict_server(std::vector<strict_limit> limits)
    : limits_(std::move(limits)) {}

  /// @returns The limit that refuses it, or nothing: accepted.
  std::optional<limit_kind> arrive(std::int64_t input, timestamp now) {
    for (auto& limit : limits_)
      if (limit.level(now) < at_start(limit.kind(), input)
          || limit.level(now) <= 0)
        return limit.kind();
    for (auto& limit : limits_)
      limit.charge(at_start(limit.kind(), input), now);
    return std::nullopt;
  }

  void finish(std::int64_t output, timestamp now) {
    for (auto& limit : limits_)
      if (limit.kind() == limit_kind::output_tokens
          || limit.kind() == limit_kind::total_tokens)
        limit.charge(static_cast<double>(output), now);
  }

  std::vector<strict_limit>& limits() { return limits_; }

private:
  static double at_start(limit_kind kind, std::int64_t input) {
    switch (kind) {
      case limit_kind::requests: return 1;
      case limit_kind::input_tokens:
      case limit_kind::total_tokens: return static_cast<double>(input);
      default: return 0;
    }
  }

  std::vector<strict_limit> limits_;
};

} // namespace kestrion::test
