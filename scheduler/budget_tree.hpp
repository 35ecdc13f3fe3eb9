#pragma once

#include <kestrion/messages/error.hpp>
#include <kestrion/messages/time.hpp>

#include <kestrion/scheduler/text_hash.hpp>

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kestrion {

/// What a call takes from budgets. Never negative.
struct budget_amount {
  std::int64_t usd_micros = 0;
  std::int64_t tokens = 0;
  std::int64_t calls = 0;
  budget_amount& operator+=(const budget_amount& other);
  budget_amount& operator-=(const budget_amount& other);
  bool operator==(const budget_amount&) const = default;
};

/// What one node may use, itself and all below it together. Not set: no limit.
struct budget_limits {
  std::optional<std::int64_t> usd_micros_max{};
  std::optional<std::int64_t> tokens_max{};
  std::optional<std::int64_t> calls_max{};
  std::optional<timestamp> ends_at{}; ///< The end of its wall time.
  /// As long as anything is left, one call at a time may want more than that:
  /// the last one is over it, and no others with it. Else none is, and what is
  /// left may be too little for any.
  bool last_may_exceed = false;
};

/// Why a node gave nothing.
struct budget_refusal {
  std::string node;      ///< The one that is used up; maybe an ancestor.
  std::string_view what; ///< "usd_micros", "tokens", "calls" or "wall time".
  /// It would fit if what others reserved and have not settled came back.
  bool only_reserved = false;
  std::int64_t limit = 0;
  std::int64_t used = 0;
  std::int64_t reserved = 0;
  std::int64_t wanted = 0;
};

/// Budgets along parents, children and tenants: a node's use counts for all
/// above it. Reserve before the call, settle after it, so children that work at
/// the same time can't overrun together. What is reserved has to be the most
/// that the call can cost; a call that costs more is counted in full, and what
/// it is over shows in `overdrawn`.
/// @par Threading Owner only.
class budget_tree {
public:
  using node = std::size_t;

  /// Adds a node, or changes the limits of the one of that name; its use stays.
  /// @param parent  Empty for a root; of an existing node it is not changed.
  /// @par Errors `not_found`: no such parent. `conflict`: it has another one.
  result<node> set(std::string_view name, std::string_view parent,
                   const budget_limits& limits);

  /// At least so much was used, known here or not: what is missing is counted,
  /// at the node and all above it.
  void raise_to(node at, const budget_amount& used);

  /// Forgets a node: as soon as it has no children and no open reservations and
  /// nobody keeps it, unless it is set again. What it used stays counted above.
  void remove(std::string_view name);

  /// Keeps a node, until `unkeep`, once for each time.
  void keep(node at) { ++nodes_[at].open; }
  void unkeep(node at);

  std::optional<node> find(std::string_view name) const;
  bool empty() const { return names_.empty(); }

  /// Takes `most` from the node and all above it, or from none of them.
  /// @returns Why not, or nothing: taken.
  std::optional<budget_refusal> reserve(node at, const budget_amount& most,
                                        timestamp now);

  /// Ends a reservation: `actual` was used, the rest is given back.
  void settle(node at, const budget_amount& reserved,
              const budget_amount& actual);

  const budget_amount& used(node at) const { return nodes_[at].used; }
  const budget_amount& reserved(node at) const { return nodes_[at].reserved; }
  /// How far it is above its limits, because calls cost more than reserved.
  budget_amount overdrawn(node at) const;
  std::optional<node> parent(node at) const { return nodes_[at].parent; }
  /// Empty: none.
  std::string parent_name(node at) const;
  /// The node and all above it, the root last.
  std::vector<node> path(node at) const;

private:
  struct entry {
    std::string name;
    std::optional<node> parent;
    budget_limits limits;
    budget_amount used;
    budget_amount reserved;
    std::size_t children = 0;
    std::size_t open = 0; ///< Reservations at this very node, and keepers.
    bool leaves = false;
  };

  void forget_if_free(node at);

  std::vector<entry> nodes_;
  std::vector<node> free_;
  boost::unordered_flat_map<std::string, node, text_hash, std::equal_to<>>
    names_;
};

} // namespace kestrion
