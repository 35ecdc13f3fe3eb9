#include <kestrion/scheduler/token_bucket.hpp>

#include <algorithm>
#include <cmath>

namespace kestrion {

namespace {

double capacity_of(double amount, duration period, duration latency_max) {
  const auto in_flight = amount * static_cast<double>(latency_max.count())
                         / static_cast<double>(period.count());
  return std::max(1.0, std::floor(amount - in_flight));
}

} // namespace

token_bucket::token_bucket(std::int64_t amount, duration period,
                           duration latency_max, timestamp now)
  : amount_(static_cast<double>(amount)), period_(period),
    latency_max_(latency_max),
    capacity_(capacity_of(amount_, period, latency_max)), level_(capacity_),
    at_(now) {}

std::int64_t token_bucket::capacity() const {
  return static_cast<std::int64_t>(capacity_);
}

double token_bucket::level(timestamp now) const {
  // A clock that is set back refills nothing.
  const auto passed = std::max((now - at_).count(), duration::rep{0});
  return std::min(capacity_, level_
                               + amount_ * static_cast<double>(passed)
                                   / static_cast<double>(period_.count()));
}

std::int64_t token_bucket::available(timestamp now) const {
  // What a rounding error is short of a token is not.
  return static_cast<std::int64_t>(std::floor(level(now) + 1e-6));
}

timestamp token_bucket::ready_at(std::int64_t amount, timestamp now) const {
  if (amount > capacity())
    return timestamp::max();
  const auto missing = static_cast<double>(amount) - level(now);
  if (missing <= 1e-6)
    return now;
  const auto wait = missing * static_cast<double>(period_.count()) / amount_;
  return later(now, duration{static_cast<duration::rep>(std::ceil(wait))});
}

void token_bucket::charge(std::int64_t amount, timestamp now) {
  level_ = std::min(capacity_, level(now) - static_cast<double>(amount));
  at_ = std::max(at_, now);
}

void token_bucket::lower_to(std::int64_t available, timestamp now) {
  level_ = std::min(level(now), static_cast<double>(available));
  at_ = std::max(at_, now);
}

void token_bucket::resize(std::int64_t amount, timestamp now) {
  const auto before = capacity_;
  level_ = level(now);
  at_ = std::max(at_, now);
  amount_ = static_cast<double>(amount);
  capacity_ = capacity_of(amount_, period_, latency_max_);
  level_ += capacity_ - before;
}

} // namespace kestrion
