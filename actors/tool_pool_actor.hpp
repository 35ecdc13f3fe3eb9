#pragma once

#include <kestrion/actors/protocol.hpp>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <functional>
#include <set>
#include <unordered_map>

namespace kestrion {

/// Where tools run: threads in the runtime, at once in simulations.
struct tool_executor {
  std::function<void(std::function<void()>)> post;
  /// A job is given up on and may hold its thread for ever.
  std::function<void()> abandon;
};

struct tool_pool_state {
  static inline const char* name = "kestrion.tools";

  struct running {
    caf::actor_addr run;
    std::string call;
    std::stop_source stop;
    std::chrono::steady_clock::time_point deadline;
    kestrion::duration timeout{};
  };

  tool_executor executor;
  std::uint64_t last_ticket = 0;
  std::unordered_map<std::uint64_t, running> calls; ///< By ticket.
  std::set<std::pair<std::chrono::steady_clock::time_point, std::uint64_t>>
    deadlines;
  bool sweep_is_due = false; ///< A sweep is under way to ourselves.
};

tool_pool_actor::behavior_type
tool_pool(tool_pool_actor::stateful_pointer<tool_pool_state> self,
          tool_executor executor);

} // namespace kestrion
