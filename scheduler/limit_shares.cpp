#include <kestrion/scheduler/limit_shares.hpp>

#include <algorithm>
#include <cstdlib>
#include <numeric>

namespace kestrion {

std::vector<std::int64_t>
split_limit(std::int64_t amount, const std::vector<std::int64_t>& demands) {
  std::vector<std::int64_t> out(demands.size());
  if (demands.empty())
    return out;
  std::vector<std::size_t> order(demands.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](auto a, auto b) { return demands[a] < demands[b]; });
  // The least demand first: what it leaves is for the others.
  auto left = amount;
  auto heads = static_cast<std::int64_t>(demands.size());
  for (const auto i : order) {
    out[i] = std::min(demands[i], left / heads);
    left -= out[i];
    --heads;
  }
  // The last one got all that was left if it wanted it; else all are content.
  heads = static_cast<std::int64_t>(demands.size());
  for (const auto i : order) {
    const auto each = left / heads;
    out[i] += each;
    left -= each;
    --heads;
  }
  return out;
}

void limit_shares::restore(std::map<std::string, slice> slices,
                           std::uint64_t epoch) {
  slices_ = std::move(slices);
  epoch_ = epoch;
}

void limit_shares::expire(timestamp now) {
  const auto is_over = [&](const auto& s) {
    return s.second.leased_until <= now && s.second.target != 0;
  };
  const bool shrinks = std::any_of(slices_.begin(), slices_.end(), is_over);
  std::erase_if(slices_, [&](const auto& s) {
    return later(s.second.leased_until, linger_) <= now;
  });
  if (shrinks)
    split(now);
}

void limit_shares::split(timestamp now) {
  std::vector<std::int64_t> demands;
  for (const auto& [name, s] : slices_)
    if (s.leased_until > now)
      demands.push_back(s.demand);
  const auto parts = split_limit(amount_, demands);
  std::size_t i = 0;
  for (auto& [name, s] : slices_) {
    const auto amount = s.leased_until > now ? parts[i++] : 0;
    if (s.target != amount) {
      s.target = amount;
      s.epoch = ++epoch_;
    }
  }
}

/// Hands out what nobody may be using.
void limit_shares::grow() {
  auto in_use = std::accumulate(
    slices_.begin(), slices_.end(), std::int64_t{0},
    [](std::int64_t sum, const auto& s) { return sum + s.second.amount; });
  for (auto& [name, s] : slices_) {
    const auto more = std::min(s.target - s.amount,
                               std::max<std::int64_t>(amount_ - in_use, 0));
    if (more > 0) {
      s.amount += more;
      in_use += more;
    }
  }
}

limit_shares::slice limit_shares::renew(const std::string& process,
                                        std::int64_t demand, std::uint64_t kept,
                                        timestamp now) {
  expire(now);
  const auto [at, made] = slices_.try_emplace(process);
  auto& s = at->second;
  const bool lapsed = s.leased_until <= now;
  s.leased_until = later(now, lease_);
  // Small changes are not worth that everybody has to change.
  const auto changed = std::abs(demand - s.demand) * 8 > s.demand;
  if (changed)
    s.demand = std::max<std::int64_t>(demand, 0);
  if (made || changed || lapsed)
    split(now);
  if (kept == s.epoch && s.amount > s.target)
    s.amount = s.target;
  grow();
  return s;
}

void limit_shares::leave(const std::string& process, timestamp now) {
  expire(now);
  const auto at = slices_.find(process);
  if (at == slices_.end())
    return;
  at->second.leased_until = std::min(at->second.leased_until, now);
  expire(now);
  split(now);
}

void limit_shares::resize(std::int64_t amount, timestamp now) {
  expire(now);
  amount_ = amount;
  split(now);
}

} // namespace kestrion
