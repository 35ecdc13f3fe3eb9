#pragma once

#include <kestrion/messages/run_id.hpp>
#include <kestrion/messages/time.hpp>

#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace kestrion {

/// When which run has to be woken up; at most one time a run.
/// @par Threading Owner only.
class wake_table {
public:
  /// Replaces the run's earlier time.
  void set(const run_id& run, timestamp at);

  void forget(const run_id& run);

  /// Removes and returns those whose time has come, earliest first.
  std::vector<run_id> take_due(timestamp now);

  std::optional<timestamp> next() const;

private:
  std::unordered_map<run_id, timestamp> by_run_;
  std::set<std::pair<timestamp, run_id>> by_time_;
};

} // namespace kestrion
