#include <kestrion/scheduler/budget_tree.hpp>

#include <algorithm>

namespace kestrion {

namespace {

struct dimension {
  std::string_view name;
  std::int64_t budget_amount::*amount;
  std::optional<std::int64_t> budget_limits::*limit;
};

constexpr dimension dimensions[]{
  {"usd_micros", &budget_amount::usd_micros, &budget_limits::usd_micros_max},
  {"tokens", &budget_amount::tokens, &budget_limits::tokens_max},
  {"calls", &budget_amount::calls, &budget_limits::calls_max}};

} // namespace

budget_amount& budget_amount::operator+=(const budget_amount& other) {
  usd_micros += other.usd_micros;
  tokens += other.tokens;
  calls += other.calls;
  return *this;
}

budget_amount& budget_amount::operator-=(const budget_amount& other) {
  usd_micros -= other.usd_micros;
  tokens -= other.tokens;
  calls -= other.calls;
  return *this;
}

std::optional<budget_tree::node>
budget_tree::find(std::string_view name) const {
  const auto found = names_.find(name);
  return found == names_.end() ? std::nullopt : std::optional{found->second};
}

result<budget_tree::node> budget_tree::set(std::string_view name,
                                           std::string_view parent,
                                           const budget_limits& limits) {
  std::optional<node> above;
  if (!parent.empty() && !(above = find(parent)))
    return error{errc::not_found, "budget " + std::string{name}
                                    + ": its parent " + std::string{parent}
                                    + " does not exist"};
  if (const auto known = find(name)) {
    if (nodes_[*known].parent != above)
      return error{errc::conflict, "budget " + std::string{name}
                                     + " has another parent than "
                                     + std::string{parent}};
    nodes_[*known].limits = limits;
    nodes_[*known].leaves = false;
    return *known;
  }
  node made = nodes_.size();
  if (free_.empty()) {
    nodes_.emplace_back();
  } else {
    made = free_.back();
    free_.pop_back();
  }
  nodes_[made] = entry{};
  nodes_[made].name = name;
  nodes_[made].parent = above;
  nodes_[made].limits = limits;
  if (above)
    ++nodes_[*above].children;
  names_.emplace(name, made);
  return made;
}

void budget_tree::raise_to(node at, const budget_amount& used) {
  budget_amount missing;
  for (const auto& d : dimensions)
    missing.*d.amount =
      std::max<std::int64_t>(used.*d.amount - nodes_[at].used.*d.amount, 0);
  for (std::optional<node> i = at; i; i = nodes_[*i].parent)
    nodes_[*i].used += missing;
}

void budget_tree::remove(std::string_view name) {
  if (const auto at = find(name)) {
    nodes_[*at].leaves = true;
    forget_if_free(*at);
  }
}

void budget_tree::unkeep(node at) {
  --nodes_[at].open;
  forget_if_free(at);
}

void budget_tree::forget_if_free(node at) {
  const auto& n = nodes_[at];
  if (!n.leaves || n.children != 0 || n.open != 0)
    return;
  const auto above = n.parent;
  names_.erase(n.name);
  free_.push_back(at);
  if (!above)
    return;
  --nodes_[*above].children;
  forget_if_free(*above);
}

std::string budget_tree::parent_name(node at) const {
  const auto above = nodes_[at].parent;
  return above ? nodes_[*above].name : "";
}

std::vector<budget_tree::node> budget_tree::path(node at) const {
  std::vector<node> out;
  for (std::optional<node> i = at; i; i = nodes_[*i].parent)
    out.push_back(*i);
  return out;
}

std::optional<budget_refusal>
budget_tree::reserve(node at, const budget_amount& most, timestamp now) {
  std::optional<budget_refusal> waits;
  for (std::optional<node> i = at; i; i = nodes_[*i].parent) {
    const auto& n = nodes_[*i];
    if (n.limits.ends_at && now >= *n.limits.ends_at)
      return budget_refusal{n.name, "wall time"};
    for (const auto& d : dimensions) {
      const auto limit = n.limits.*d.limit;
      const auto wanted = most.*d.amount;
      const auto used = n.used.*d.amount;
      const auto reserved = n.reserved.*d.amount;
      // What wants nothing of it is not stopped by it.
      if (!limit || wanted == 0 || wanted <= *limit - used - reserved)
        continue;
      const bool would_fit =
        wanted <= *limit - used || (n.limits.last_may_exceed && used < *limit);
      if (would_fit && reserved == 0)
        continue; // The last one.
      budget_refusal why{n.name, d.name,   would_fit, *limit,
                         used,   reserved, wanted};
      if (!why.only_reserved)
        return why; // No use to wait for the others.
      if (!waits)
        waits = std::move(why);
    }
  }
  if (waits)
    return waits;
  for (std::optional<node> i = at; i; i = nodes_[*i].parent)
    nodes_[*i].reserved += most;
  ++nodes_[at].open;
  return std::nullopt;
}

void budget_tree::settle(node at, const budget_amount& reserved,
                         const budget_amount& actual) {
  ensure(nodes_[at].open > 0, "settled what was not reserved");
  --nodes_[at].open;
  for (std::optional<node> i = at; i; i = nodes_[*i].parent) {
    nodes_[*i].reserved -= reserved;
    nodes_[*i].used += actual;
  }
  forget_if_free(at);
}

budget_amount budget_tree::overdrawn(node at) const {
  const auto& n = nodes_[at];
  budget_amount out;
  for (const auto& d : dimensions)
    if (const auto limit = n.limits.*d.limit)
      out.*d.amount = std::max<std::int64_t>(n.used.*d.amount - *limit, 0);
  return out;
}

} // namespace kestrion
