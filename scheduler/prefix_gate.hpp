#pragma once

#include <kestrion/messages/time.hpp>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace kestrion {

/// Calls that share the beginning of their prompt: the first one puts it in the
/// server's cache, the others wait till it was answered, and then read from it.
/// Each step is O(log n).
/// @par Threading Owner only.
class prefix_gate {
public:
  /// @param wait_max  So long a call waits here, at most.
  /// @param ttl       So long after its last use a prefix is in the cache.
  prefix_gate(duration wait_max, duration ttl)
    : wait_max_(wait_max), ttl_(ttl) {}

  /// @returns Whether the call may go on: the prefix is warm, or it is the one
  ///          that warms it. Else it waits here.
  bool arrive(const std::string& prefix, std::uint64_t ticket, timestamp now);

  /// A call was answered: the prefix is warm. @returns Who may go on, in order.
  std::vector<std::uint64_t> answered(const std::string& prefix, timestamp now);

  /// A call is gone without an answer, here or later. @returns Who warms the
  /// prefix in its place.
  std::optional<std::uint64_t> gone(const std::string& prefix,
                                    std::uint64_t ticket);

  /// Who waited long enough, in order. They go on as they are.
  std::vector<std::uint64_t> overdue(timestamp now);

  /// When there is an overdue one, if nothing else happens.
  std::optional<timestamp> next_event() const;

private:
  struct state {
    std::uint64_t warmer = 0;
    timestamp warm_until = timestamp::min();
    std::set<std::pair<std::uint64_t, timestamp>> waiting;
  };

  void sweep(timestamp now);

  duration wait_max_;
  duration ttl_;
  std::unordered_map<std::string, state> prefixes_;
  std::set<std::pair<timestamp, std::uint64_t>> due_;
  std::unordered_map<std::uint64_t, std::string> where_; ///< Who waits here.
  /// When to look whether a warm prefix has cooled down and can be forgotten.
  std::set<std::pair<timestamp, std::string>> cooling_;
};

} // namespace kestrion
