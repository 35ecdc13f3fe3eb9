#pragma once

#include <kestrion/actors/embedding.hpp>
#include <kestrion/actors/run_context.hpp>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

namespace kestrion {

/// One who watches.
struct event_subscription {
  event_filter filter;
  event_subscriber_actor subscriber;
  std::size_t in_flight = 0; ///< Messages that it has not dealt with.

  /// Left out, by run, until it is told.
  std::map<run_id, events_missed> missed = {};

  // -- who watches a single run -----------------------------------------------

  std::uint64_t next_seq = 1;           ///< What it has to hear next.
  bool is_behind = false;               ///< There is more in the store.
  std::deque<recorded_event> read = {}; ///< From the store, and not sent yet.
};

/// They outlive the hub; the one that is started after it goes on with them.
using event_subscriptions = std::map<std::uint64_t, event_subscription>;

struct event_hub_state {
  static inline const char* name = "kestrion.event_hub";
  std::shared_ptr<const run_context> context;
  std::shared_ptr<event_subscriptions> subscriptions;
  /// Of runs that something was appended to while somebody watched.
  std::unordered_map<run_id, run_facts> facts;
};

event_hub_actor::behavior_type
event_hub(event_hub_actor::stateful_pointer<event_hub_state> self,
          std::shared_ptr<const run_context> context,
          std::shared_ptr<event_subscriptions> left);

} // namespace kestrion
