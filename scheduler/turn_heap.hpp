#pragma once

#include <boost/align/aligned_allocator.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace kestrion {

/// One of those who share something, in a `fair_order`. Stays where it is in
/// memory while it wants something.
struct fair_member {
  static constexpr auto none = std::numeric_limits<std::uint32_t>::max();

  double tag = 0;            ///< What it has had so far, over its weight.
  double boost = 0;          ///< Head start, in cost.
  float weight = 1;          ///< As small as that, for there may be very many.
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
    /// Without branches, for nobody can guess who is less.
    bool operator<(const entry& other) const {
      const int less = turn < other.turn;
      const int equal = turn == other.turn;
      const int older = since < other.since;
      return (less | (equal & older)) != 0;
    }
  };

  bool empty() const { return size() == 0; }
  std::size_t size() const { return lines_.size() - skipped; }
  const entry& first() const { return lines_[skipped]; }
  std::span<const entry> entries() const {
    return {lines_.data() + skipped, size()};
  }
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
    lines_.emplace_back();
    fill(size() - 1, entry_of(m));
  }

  void erase(Member& m) {
    const auto hole = places_[m.slot];
    free_.push_back(m.slot);
    m.slot = fair_member::none;
    const auto last = lines_.back();
    lines_.pop_back();
    if (hole < size())
      fill(hole, last);
  }

  /// Its turn has changed.
  void update(Member& m) { fill(places_[m.slot], entry_of(m)); }

private:
  /// All branches of an entry lie in lines of the cache that are theirs alone.
  static constexpr std::size_t skipped = Branches - 1;
  using entries_in_lines = std::vector<
    entry,
    boost::alignment::aligned_allocator<entry, Branches * sizeof(entry)>>;

  static entry entry_of(Member& m) { return {m.turn(), m.since, m.slot}; }

  entry& at(std::size_t place) { return lines_[skipped + place]; }

  void put(std::size_t place, const entry& e) {
    at(place) = e;
    places_[e.slot] = static_cast<std::uint32_t>(place);
  }

  /// What is at `hole` is gone; `e` comes there, or where it has to be.
  void fill(std::size_t hole, const entry& e) {
    for (; hole > 0; hole = (hole - 1) / Branches) {
      const auto& parent = at((hole - 1) / Branches);
      if (!(e < parent))
        break;
      put(hole, parent);
    }
    for (;;) {
      const auto begin = hole * Branches + 1;
      if (begin >= size())
        break;
      const auto* first = &at(begin);
      const auto* least = first;
      for (std::size_t i = 1, n = std::min(Branches, size() - begin); i < n;
           ++i)
        least = first[i] < *least ? first + i : least;
      if (!(*least < e))
        break;
      put(hole, *least);
      hole = begin + static_cast<std::size_t>(least - first);
    }
    put(hole, e);
  }

  entries_in_lines lines_ = entries_in_lines(skipped);
  std::vector<Member*> members_;      ///< By slot.
  std::vector<std::uint32_t> places_; ///< Of entries, by slot.
  std::vector<std::uint32_t> free_;   ///< Slots.
};

} // namespace kestrion
