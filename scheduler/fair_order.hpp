#pragma once

#include <kestrion/scheduler/turn_heap.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace kestrion {

/// Weighted fair order of members that want the same thing: start-time fair
/// queueing. A member's tag is what it has had so far, over its weight; the
/// lowest tag is next. Members that want nothing save nothing: their tag is
/// raised to the virtual time when they want something again.
///
/// The virtual time moves on with all that is handed out, over the weights of
/// all that want something. So a stream of newcomers can't hold back those
/// who had something before.
///
/// @tparam Member    A `fair_member`; kept by others.
/// @tparam Branches  See `turn_heap`, which says what a step costs.
/// @par Threading Owner only.
/// @par Source    Goyal, Vin, Cheng: Start-time Fair Queueing (1996).
template <class Member, std::size_t Branches>
class fair_order {
public:
  /// From now on it wants something. @param boost  Head start, in cost.
  void add(Member& m, double weight, double boost = 0) {
    if (m.wants())
      return;
    m.weight = static_cast<float>(weight);
    m.boost = boost;
    m.tag = std::max(m.tag, virtual_time_);
    m.since = ++added_;
    weights_ += m.weight;
    turns_.insert(m);
  }

  /// It wants nothing more for now. @param cost  It gets so much at last.
  void remove(Member& m, double cost = 0) {
    if (!m.wants())
      return;
    turns_.erase(m);
    if (cost != 0) {
      virtual_time_ += cost / weights_;
      m.tag += cost / m.weight;
      const auto next =
        turns_.empty() ? m.turn() : std::min(m.turn(), turns_.first().turn);
      virtual_time_ = std::max(virtual_time_, next);
    }
    weights_ = turns_.empty() ? 0 : weights_ - m.weight;
  }

  void reweigh(Member& m, double weight) {
    const auto before = std::exchange(m.weight, static_cast<float>(weight));
    if (m.wants())
      weights_ += static_cast<double>(m.weight) - before;
  }

  void boost(Member& m, double boost) {
    if (m.boost == boost)
      return;
    m.boost = boost;
    if (m.wants())
      turns_.update(m);
  }

  /// It got so much, or gave so much back.
  void charge(Member& m, double cost) {
    if (cost == 0)
      return;
    if (has_passed(m)) {
      if (cost < 0)
        return; // It saved nothing.
      m.tag = virtual_time_;
    }
    virtual_time_ += cost / (m.wants() ? weights_ : weights_ + m.weight);
    m.tag += cost / m.weight;
    if (m.wants())
      turns_.update(m);
    if (!turns_.empty())
      virtual_time_ = std::max(virtual_time_, turns_.first().turn);
  }

  /// It wants nothing, and the others have had as much: what it had can be
  /// forgotten.
  bool has_passed(const Member& m) const {
    return !m.wants() && m.tag <= virtual_time_;
  }

  bool empty() const { return turns_.empty(); }
  double weights() const { return weights_; } ///< Of all that want something.
  double virtual_time() const { return virtual_time_; }
  Member& first() const { return turns_.who(turns_.first()); }
  /// In their order; changed by all of the above.
  auto order() const requires(Branches == 1) { return turns_.entries(); }
  Member& who(const typename turn_heap<Member, Branches>::entry& e) const {
    return turns_.who(e);
  }

private:
  double virtual_time_ = 0;
  double weights_ = 0;
  std::uint32_t added_ = 0;
  turn_heap<Member, Branches> turns_;
};

} // namespace kestrion
