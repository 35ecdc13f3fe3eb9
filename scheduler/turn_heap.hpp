#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace kestrion {

/// One of those who share something, in a `fair_order`. Stays where it is in
/// memory while it wants something.
struct fair_member {
  static constexpr auto none = std::numeric_limits<std::uint32_t>::max();

  double tag = 0; ///< What it has had so far, over its weight.
  double weight = 1;
  double boost = 0;          ///< Head start, in cost.
  std::uint32_t since = 0;   ///< Of equal turns the one that was first.
  std::uint32_t slot = none; ///< Kept by the heap.

  bool wants() const { return slot != none; }
  /// Whose is lowest is next.
  double turn() const { return tag - boost; }
};

/// Members by turn. What decides lies side by side and not with the members, so
/// that the next one of many is found with few looks into memory; members are
/// looked at when something changes for them, not when they change places.
///
/// With more than one branch only the first one is in its place, and each step
/// is O(log n). With one branch all are in order, and each step is O(n).
/// @par Threading Owner only.
template <class Member, std::size_t Branches>
class turn_heap {
public:
  struct entry {
    double turn = 0;
    std::uint32_t since = 0;
    std::uint32_t slot = 0;
    bool operator<(const entry& other) const {
      return turn != other.turn ? turn < other.turn : since < other.since;
    }
  };

  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  const entry& first() const { return entries_.front(); }
  const std::vector<entry>& entries() const { return entries_; }
  Member& who(const entry& e) const { return *members_[e.slot]; }

  void insert(Member& m) {
    if (free_.empty()) {
      m.slot = static_cast<std::uint32_t>(members_.size());
      members_.push_back(&m);
      places_.emplace_back();
    } else {
      m.slot = free_.back();
      members_[m.slot] = &m;
      free_.pop_back();
    }
    entries_.emplace_back();
    place(entries_.size() - 1, entry_of(m));
  }

  void erase(Member& m) {
    const auto hole = places_[m.slot];
    free_.push_back(m.slot);
    m.slot = fair_member::none;
    const auto last = entries_.back();
    entries_.pop_back();
    if (hole < entries_.size())
      place(hole, last);
  }

  /// Its turn has changed.
  void update(Member& m) { place(places_[m.slot], entry_of(m)); }

private:
  static entry entry_of(Member& m) { return {m.turn(), m.since, m.slot}; }

  void put(std::size_t at, const entry& e) {
    entries_[at] = e;
    places_[e.slot] = static_cast<std::uint32_t>(at);
  }

  /// What is at `at` is gone; `e` comes there, or where it has to be.
  void place(std::size_t at, const entry& e) {
    for (; at > 0; at = (at - 1) / Branches) {
      const auto& parent = entries_[(at - 1) / Branches];
      if (!(e < parent))
        break;
      put(at, parent);
    }
    for (;;) {
      const auto begin = at * Branches + 1;
      if (begin >= entries_.size())
        break;
      const auto end = std::min(begin + Branches, entries_.size());
      auto least = begin;
      for (auto i = begin + 1; i < end; ++i)
        if (entries_[i] < entries_[least])
          least = i;
      if (!(entries_[least] < e))
        break;
      put(at, entries_[least]);
      at = least;
    }
    put(at, e);
  }

  std::vector<entry> entries_;
  std::vector<Member*> members_;      ///< By slot.
  std::vector<std::uint32_t> places_; ///< Of entries, by slot.
  std::vector<std::uint32_t> free_;   ///< Slots.
};

} // namespace kestrion
