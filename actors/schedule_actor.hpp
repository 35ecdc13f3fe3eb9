#pragma once

#include <kestrion/actors/embedding.hpp>
#include <kestrion/actors/protocol.hpp>
#include <kestrion/actors/run_context.hpp>
#include <kestrion/actors/run_queries.hpp>
#include <kestrion/actors/schedule_book.hpp>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace kestrion {

struct schedule_watch_state {
  static inline const char* name = "kestrion.schedules";
  std::shared_ptr<const run_context> context;
  std::shared_ptr<const agent_registry> agents;
  front_actor front;
  std::uint64_t changes_seen = 0;     ///< The store's counter at the last look.
  std::optional<timestamp> next = {}; ///< When a tick will be due.
  std::uint64_t alarm = 0;            ///< The last that was set.
  std::vector<tick_outcome> outcomes; ///< Of the starts that are under way.
  std::size_t unanswered = 0;         ///< Of those.
  bool retries = false;     ///< When the alarm rings; something failed.
  bool looks_again = false; ///< When all have been answered.
};

/// Looks which schedules are due, starts their runs through the front, which
/// answers whatever crashes behind it, and notes them. A tick has a key, so
/// that its run is started once whoever crashes between the two, and however
/// many processes do so at a time. It waits for the disk: spawn it detached.
schedule_actor::behavior_type
schedule_watch(schedule_actor::stateful_pointer<schedule_watch_state> self,
               std::shared_ptr<const run_context> context,
               std::shared_ptr<const agent_registry> agents,
               front_actor starts);

} // namespace kestrion
