#pragma once

#include <kestrion/messages/event.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace kestrion {

/// What a run was started with. Immutable; runs that were started alike may
/// share it, and a copy costs nothing.
class run_header {
public:
  run_header();                  ///< Of a run that has no log yet.
  run_header(run_started value); ///< Implicit: it stands for its value.

  const run_started& operator*() const { return *value_; }
  const run_started* operator->() const { return value_.get(); }

  bool operator==(const run_header& other) const {
    return value_ == other.value_ || *value_ == *other.value_;
  }

private:
  std::shared_ptr<const run_started> value_; ///< Never nothing.
};

/// Remembers the last header of each agent, so that runs in memory that were
/// started alike hold one: it is most of what a waiting run would take.
/// @par Threading All members from any thread.
class header_pool {
public:
  /// @returns The remembered one if it says the same, else `x`, remembered.
  run_header share(const run_header& x);

private:
  std::mutex mutex_;
  std::map<std::string, run_header, std::less<>> last_; ///< By agent.
};

} // namespace kestrion
