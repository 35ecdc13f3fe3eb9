#pragma once

#include <kestrion/actors/call_rules.hpp>
#include <kestrion/actors/directory_actor.hpp>
#include <kestrion/actors/embedding.hpp>
#include <kestrion/actors/run_context.hpp>
#include <kestrion/actors/snapshot_rule.hpp>
#include <kestrion/actors/tool_pool.hpp>
#include <kestrion/scheduler/restart_policy.hpp>
#include <kestrion/scheduler/supervision.hpp>

#include <caf/actor_system.hpp>

#include <functional>
#include <memory>

namespace kestrion {

/// What the actors need from the world; a simulation gives them its own.
struct engine_world {
  std::shared_ptr<event_store> store;
  tool_executor executor;
  std::function<timestamp()> now;
  std::function<std::uint64_t()> random; ///< Any thread.
};

struct engine_options {
  restart_spec restarts = {};     ///< Of runs.
  supervision_spec supervision{}; ///< Of the actors that runs need.
  call_rules calls = {};          ///< Of models.
  bool passivates = true;
  bool recover = true;
  std::shared_ptr<const redactor> redaction = {}; ///< The agents' too.
  snapshot_rule snapshots{};                      ///< When runs take one.
  bool store_is_shared = false; ///< Other processes may append to it.
  /// Where schedules wait for a time, the clock is looked at as often as this:
  /// it may be set, or stand still while the machine sleeps. Likewise for what
  /// other processes do with schedules.
  duration clock_check = std::chrono::seconds{30};
  /// The journal and the watch of a shared store have threads of their own.
  /// Only a simulation goes without.
  bool detached = true;
};

/// All actors of one runtime, wired.
struct engine {
  std::shared_ptr<run_context> context;
  caf::actor root;   ///< Supervises all others but the runs.
  front_actor front; ///< For who is none of them.

  /// Nothing while it is started anew.
  directory_actor directory() const;

  /// Asks everything to end, in the reverse order of need; returns at once.
  void stop() const;
};

/// @throws failure  `invalid_argument`: what `options.calls` says makes no
///   sense.
engine start_engine(caf::actor_system& system, engine_world world,
                    engine_options options,
                    std::shared_ptr<const agent_registry> agents);

} // namespace kestrion
