#pragma once

#include <kestrion/actors/protocol.hpp>
#include <kestrion/actors/run_context.hpp>
#include <kestrion/actors/run_state.hpp>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

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
  bool delayed = false;     ///< Backoff: starts when `resume_owed` comes.
  std::uint64_t permit = 0; ///< Of a model call; 0: it needs none.
  bool waits = false;       ///< For that permit.
};

struct run_actor_state {
  run_actor_state() = default;
  ~run_actor_state(); ///< Asks what is in flight to stop.
  run_actor_state(const run_actor_state&) = delete;
  run_actor_state& operator=(const run_actor_state&) = delete;

  static inline const char* name = "kestrion.run";
  run_id id;
  std::shared_ptr<const run_context> context;
  std::shared_ptr<const agent_code> agent;
  run_state run;
  std::vector<effect_in_flight> in_flight;
  std::optional<timestamp> wake; ///< What the directory was told last.
  std::uint64_t commands_taken = 0;
};

/// @param fresh  A new run: there is no log to load yet.
run_actor::behavior_type
run_agent(run_actor::stateful_pointer<run_actor_state> self, run_id id,
          std::shared_ptr<const run_context> context,
          std::shared_ptr<const agent_code> agent, bool fresh);

} // namespace kestrion
