#pragma once

#include <kestrion/actors/protocol.hpp>
#include <kestrion/actors/run_context.hpp>
#include <kestrion/actors/run_state.hpp>
#include <kestrion/actors/snapshot_rule.hpp>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace kestrion {

/// An effect that this life of the run has started.
struct effect_in_flight {
  std::string call;
  std::int64_t attempt = 1;
  std::stop_source stop;
  bool delayed = false;     ///< Backoff: starts when its `resume_owed` comes.
  std::int64_t place = 0;   ///< Of a model call: that of its model.
  std::uint64_t permit = 0; ///< Of a model call; 0: it needs none.
  bool waits = false;       ///< For that permit.
  /// Of a model call whose answer is seen while it is made; else null.
  std::shared_ptr<draft_pen> draft = {};
};

struct run_actor_state {
  run_actor_state() = default;
  /// Asks what is in flight to stop; who waits for an answer gets none.
  ~run_actor_state();
  run_actor_state(const run_actor_state&) = delete;
  run_actor_state& operator=(const run_actor_state&) = delete;

  static inline const char* name = "kestrion.run";
  run_id id;
  std::shared_ptr<const run_context> context;
  std::shared_ptr<const agent_code> agent;
  run_state run;
  snapshot_meter meter;
  std::size_t looked_at = 0; ///< Messages, for what is a blob in them.
  bool shows_blobs = false;
  std::vector<effect_in_flight> in_flight;
  std::optional<timestamp> wake; ///< What the directory was told last.
  std::uint64_t commands_taken = 0;
  /// Of the command whose append is under way.
  std::function<void(const std::optional<error>&)> unanswered;
};

/// @param fresh  A new run: there is no log to load yet.
run_actor::behavior_type
run_agent(run_actor::stateful_pointer<run_actor_state> self, run_id id,
          std::shared_ptr<const run_context> context,
          std::shared_ptr<const agent_code> agent, bool fresh);

} // namespace kestrion
