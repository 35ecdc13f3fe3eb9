#include <kestrion/actors/wake_table.hpp>

namespace kestrion {

void wake_table::set(const run_id& run, timestamp at) {
  forget(run);
  by_run_.emplace(run, at);
  by_time_.emplace(at, run);
}

void wake_table::forget(const run_id& run) {
  const auto i = by_run_.find(run);
  if (i == by_run_.end())
    return;
  by_time_.erase({i->second, run});
  by_run_.erase(i);
}

std::vector<run_id> wake_table::take_due(timestamp now) {
  std::vector<run_id> due;
  while (!by_time_.empty() && by_time_.begin()->first <= now) {
    due.push_back(by_time_.begin()->second);
    forget(due.back());
  }
  return due;
}

std::optional<timestamp> wake_table::next() const {
  if (by_time_.empty())
    return std::nullopt;
  return by_time_.begin()->first;
}

} // namespace kestrion
