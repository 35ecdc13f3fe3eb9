#pragma once

#include <kestrion/actors/run_queries.hpp>
#include <kestrion/actors/run_result.hpp>
#include <kestrion/messages/command.hpp>

#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace kestrion {

/// What tools did, whichever process called them: a person could look it up.
/// Outlives the code that it watches only if that holds it.
/// @par Threading Any thread.
class crash_world : public std::enable_shared_from_this<crash_world> {
public:
  /// From now on sees each call of a tool of these agents.
  void watch(agent_registry& agents);

  /// What an honest person says about a call in doubt.
  doubt_resolution answer(const doubtful_call& call) const;

  /// A sentence about a call that was made twice and may not; else empty.
  std::string repeated() const;

private:
  struct deed {
    std::string tool;
    bool may_repeat = true;
    int times = 0;
    std::optional<tool_outcome> outcome; ///< Nothing: it threw.
  };

  void begin(const std::string& key, const std::string& tool, bool may_repeat);
  void end(const std::string& key, const tool_outcome& outcome);

  mutable std::mutex mutex_;
  std::map<std::string, deed> done_; ///< By idempotency key.
};

} // namespace kestrion
