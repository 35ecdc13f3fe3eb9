#pragma once

#include <kestrion/actors/protocol.hpp>
#include <kestrion/actors/run_context.hpp>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

namespace kestrion {

struct store_watch_state {
  using time_point = std::chrono::steady_clock::time_point;

  static inline const char* name = "kestrion.store_watch";
  std::shared_ptr<const run_context> context;
  std::uint64_t changes_seen = 0; ///< The store's counter at the last look.
  /// How far the wall clock is ahead of the one that nobody sets.
  std::optional<duration> wall_ahead;
  time_point renews; ///< When each is to be done next.
  time_point leases;
  time_point takes_over;
  time_point adopts;
};

/// Looks whether other processes have changed the store, and says that this one
/// lives. Spawn it detached: it looks so often that CAF's threads would never
/// come to rest.
store_watch_actor::behavior_type
store_watch(store_watch_actor::stateful_pointer<store_watch_state> self,
            std::shared_ptr<const run_context> context);

} // namespace kestrion
