#pragma once

#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>
#include <functional>
#include <set>
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
/// Each step is O(log n).
/// @par Threading Owner only.
/// @par Source    Goyal, Vin, Cheng: Start-time Fair Queueing (1996).
template <class Key>
class fair_order {
public:
  using entry = std::pair<double, Key>;

  /// From now on it wants something. @param boost  Head start, in cost.
  void add(const Key& key, double weight, double boost = 0) {
    auto& m = members_[key];
    if (m.wants)
      return;
    leaving_.erase({m.tag, key});
    m.weight = weight;
    m.boost = boost;
    m.tag = std::max(m.tag, virtual_time_);
    m.wants = true;
    weights_ += weight;
    order_.emplace(m.tag - boost, key);
  }

  /// It wants nothing more for now.
  void remove(const Key& key) {
    const auto found = members_.find(key);
    if (found == members_.end() || !found->second.wants)
      return;
    auto& m = found->second;
    order_.erase({m.tag - m.boost, key});
    m.wants = false;
    weights_ = order_.empty() ? 0 : weights_ - m.weight;
    if (m.tag <= virtual_time_)
      members_.erase(found);
    else
      leaving_.emplace(m.tag, key);
  }

  void reweigh(const Key& key, double weight) {
    const auto found = members_.find(key);
    if (found == members_.end() || found->second.weight == weight)
      return;
    if (found->second.wants)
      weights_ += weight - found->second.weight;
    found->second.weight = weight;
  }

  void boost(const Key& key, double boost) {
    const auto found = members_.find(key);
    if (found == members_.end() || found->second.boost == boost)
      return;
    auto& m = found->second;
    if (m.wants) {
      order_.erase({m.tag - m.boost, key});
      order_.emplace(m.tag - boost, key);
    }
    m.boost = boost;
  }

  /// It got so much, or gave so much back.
  void charge(const Key& key, double weight, double cost) {
    auto found = members_.find(key);
    if (found == members_.end()) {
      // Forgotten, for the time had passed its tag.
      if (cost <= 0)
        return;
      found = members_.emplace(key, member{virtual_time_, weight, 0}).first;
      leaving_.emplace(virtual_time_, key);
    }
    auto& m = found->second;
    virtual_time_ += cost / (m.wants ? weights_ : weights_ + m.weight);
    const auto tag = m.tag + cost / m.weight;
    if (m.wants) {
      order_.erase({m.tag - m.boost, key});
      order_.emplace(tag - m.boost, key);
    } else {
      // Where it is entered for being forgotten holds its tag too.
      leaving_.erase({m.tag, key});
      leaving_.emplace(tag, key);
    }
    m.tag = tag;
    if (!order_.empty())
      virtual_time_ = std::max(virtual_time_, order_.begin()->first);
    forget();
  }

  bool empty() const { return order_.empty(); }
  std::size_t size() const { return order_.size(); }
  double weights() const { return weights_; } ///< Of all that want something.
  const Key& first() const { return order_.begin()->second; }
  /// In their order; changed by all of the above.
  const std::set<entry>& order() const { return order_; }
  /// How many members it remembers, with those that want nothing.
  std::size_t remembered() const { return members_.size(); }

private:
  struct member {
    double tag = 0;
    double weight = 1;
    double boost = 0;
    bool wants = false;
  };

  /// Members that want nothing, and that the time has passed, save nothing.
  void forget() {
    while (!leaving_.empty() && leaving_.begin()->first <= virtual_time_) {
      const auto found = members_.find(leaving_.begin()->second);
      if (found != members_.end() && !found->second.wants
          && found->second.tag <= virtual_time_)
        members_.erase(found);
      leaving_.erase(leaving_.begin());
    }
  }

  double virtual_time_ = 0;
  double weights_ = 0;
  boost::unordered_flat_map<Key, member, std::hash<Key>> members_;
  std::set<entry> order_;
  std::set<entry> leaving_; ///< By tag: those that want nothing.
};

} // namespace kestrion
