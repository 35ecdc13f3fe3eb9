#include <kestrion/scheduler/prefix_gate.hpp>

namespace kestrion {

void prefix_gate::sweep(timestamp now) {
  while (!cooling_.empty() && cooling_.begin()->first <= now) {
    const auto prefix = cooling_.begin()->second;
    cooling_.erase(cooling_.begin());
    const auto found = prefixes_.find(prefix);
    if (found == prefixes_.end())
      continue;
    const auto& s = found->second;
    if (s.warm_until > now)
      cooling_.emplace(s.warm_until, prefix); // Used again since.
    else if (s.warmer == 0 && s.waiting.empty())
      prefixes_.erase(found);
  }
}

bool prefix_gate::arrive(const std::string& prefix, std::uint64_t ticket,
                         timestamp now) {
  sweep(now);
  auto& s = prefixes_[prefix];
  if (now < s.warm_until)
    return true;
  if (s.warmer == 0) {
    s.warmer = ticket;
    return true;
  }
  const auto due = later(now, wait_max_);
  s.waiting.emplace(ticket, due);
  due_.emplace(due, ticket);
  where_.emplace(ticket, prefix);
  return false;
}

std::vector<std::uint64_t> prefix_gate::answered(const std::string& prefix,
                                                 timestamp now) {
  sweep(now);
  auto& s = prefixes_[prefix];
  if (s.warm_until <= now)
    cooling_.emplace(later(now, ttl_), prefix);
  s.warm_until = later(now, ttl_);
  s.warmer = 0;
  std::vector<std::uint64_t> out;
  for (const auto& [ticket, due] : s.waiting) {
    out.push_back(ticket);
    due_.erase({due, ticket});
    where_.erase(ticket);
  }
  s.waiting.clear();
  return out;
}

std::optional<std::uint64_t> prefix_gate::gone(const std::string& prefix,
                                               std::uint64_t ticket) {
  const auto found = prefixes_.find(prefix);
  if (found == prefixes_.end())
    return std::nullopt;
  auto& s = found->second;
  const auto waits = s.waiting.lower_bound({ticket, timestamp::min()});
  if (waits != s.waiting.end() && waits->first == ticket) {
    due_.erase({waits->second, ticket});
    where_.erase(ticket);
    s.waiting.erase(waits);
    return std::nullopt;
  }
  if (s.warmer != ticket)
    return std::nullopt;
  s.warmer = 0;
  if (s.waiting.empty()) {
    if (s.warm_until == timestamp::min())
      prefixes_.erase(found);
    return std::nullopt;
  }
  const auto [next, due] = *s.waiting.begin();
  s.waiting.erase(s.waiting.begin());
  due_.erase({due, next});
  where_.erase(next);
  s.warmer = next;
  return next;
}

std::vector<std::uint64_t> prefix_gate::overdue(timestamp now) {
  std::vector<std::uint64_t> out;
  while (!due_.empty() && due_.begin()->first <= now) {
    const auto [due, ticket] = *due_.begin();
    due_.erase(due_.begin());
    const auto where = where_.find(ticket);
    prefixes_[where->second].waiting.erase({ticket, due});
    where_.erase(where);
    out.push_back(ticket);
  }
  return out;
}

std::optional<timestamp> prefix_gate::next_event() const {
  if (due_.empty())
    return std::nullopt;
  return due_.begin()->first;
}

} // namespace kestrion
