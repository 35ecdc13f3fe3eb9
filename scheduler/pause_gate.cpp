#include <kestrion/scheduler/pause_gate.hpp>

#include <algorithm>

namespace kestrion {

void pause_gate::granted(std::uint64_t ticket) {
  if (probing_ && probe_ == 0)
    probe_ = ticket;
}

bool pause_gate::refused(std::uint64_t ticket, timestamp granted_at,
                         std::optional<duration> retry_after, duration first,
                         duration max, timestamp now) {
  ended(ticket);
  const auto same_burst = granted_at <= began_;
  if (!same_burst) {
    ++streak_;
    began_ = now;
  }
  auto pause =
    std::max(retry_after.value_or(duration::zero()), duration::zero());
  // Did the server say nothing, or is it not to be believed?
  if (!retry_after || streak_ > 1)
    for (auto own = first, i = duration{1};; own *= 2, ++i) {
      pause = std::max(pause, std::min(own, max));
      if (i.count() >= streak_ || own >= max)
        break;
    }
  until_ = std::max(until_, now + std::min(pause, max));
  probing_ = true;
  return !same_burst;
}

void pause_gate::used_up(std::uint64_t ticket, duration pause, timestamp now) {
  ended(ticket);
  began_ = now;
  until_ = std::max(until_, now + pause);
  exhausted_until_ = until_;
  probing_ = true;
}

void pause_gate::answered(timestamp granted_at) {
  if (granted_at <= began_)
    return; // From before the pause: says nothing about now.
  streak_ = 0;
  probing_ = false;
  probe_ = 0;
}

void pause_gate::ended(std::uint64_t ticket) {
  if (probe_ == ticket)
    probe_ = 0;
}

} // namespace kestrion
