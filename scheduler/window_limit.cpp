#include <kestrion/scheduler/window_limit.hpp>

#include <algorithm>

namespace kestrion {

namespace {
constexpr auto slots_a_period = 2'048;
} // namespace

window_limit::window_limit(std::int64_t amount, duration period,
                           duration latency_max)
  : amount_(amount), period_(period), latency_max_(latency_max),
    slot_length_(std::max(period / slots_a_period, duration{1})) {}

void window_limit::forget(timestamp now) {
  while (!uses_.empty() && uses_.front().until <= now) {
    used_ -= uses_.front().amount;
    uses_.pop_front();
  }
}

std::int64_t window_limit::available(timestamp now) {
  forget(now);
  return amount_ - used_;
}

timestamp window_limit::ready_at(std::int64_t amount, timestamp now) {
  if (amount > amount_)
    return timestamp::max();
  auto there = available(now);
  if (there >= amount)
    return now;
  for (const auto& u : uses_) {
    there += u.amount;
    if (there >= amount)
      return u.until;
  }
  return timestamp::max(); // Lowered below what was used.
}

window_limit::slot window_limit::charge(std::int64_t amount, timestamp now) {
  forget(now);
  auto at = now.time_since_epoch() / slot_length_;
  if (!uses_.empty())
    at = std::max(at, uses_.back().at); // A clock that is set back.
  // The end of the slot: what was used in it may be as young as that.
  const auto until =
    later(timestamp{slot_length_ * (at + 1)}, period_ + latency_max_);
  if (uses_.empty() || uses_.back().at != at)
    uses_.push_back({at, 0, until});
  // A reset may have shortened the slot's life; this use came after it.
  uses_.back().until = until;
  uses_.back().amount += amount;
  used_ += amount;
  return at;
}

void window_limit::adjust(slot of, std::int64_t by, timestamp now) {
  forget(now);
  const auto found =
    std::lower_bound(uses_.begin(), uses_.end(), of,
                     [](const use& u, slot at) { return u.at < at; });
  if (found == uses_.end() || found->at != of)
    return;
  found->amount += by;
  used_ += by;
}

void window_limit::forget_at(timestamp counted_until, timestamp reset_at,
                             timestamp now) {
  const auto sure = counted_until - latency_max_;
  for (auto& u : uses_) {
    if (timestamp{slot_length_ * (u.at + 1)} > sure)
      break;
    u.until = std::min(u.until, reset_at);
  }
  forget(now);
}

void window_limit::lower_to(std::int64_t available_max, timestamp now) {
  if (const auto over = available(now) - available_max; over > 0)
    charge(over, now);
}

} // namespace kestrion
