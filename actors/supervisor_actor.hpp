#pragma once

#include <kestrion/actors/protocol.hpp>
#include <kestrion/actors/run_context.hpp>
#include <kestrion/scheduler/restart_policy.hpp>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <map>
#include <memory>
#include <unordered_map>

namespace kestrion {

/// Of runs that crashed. They outlive the supervisor, or its end would hide how
/// often a run crashed.
using restart_histories = std::unordered_map<run_id, restart_history>;

struct supervisor_state {
  static inline const char* name = "kestrion.supervisor";
  restart_spec spec;
  std::shared_ptr<const run_context> context;
  std::map<caf::actor_addr, run_id> watched;
  std::shared_ptr<restart_histories> histories;
};

supervisor_actor::behavior_type
supervisor(supervisor_actor::stateful_pointer<supervisor_state> self,
           restart_spec spec, std::shared_ptr<const run_context> context,
           std::shared_ptr<restart_histories> histories);

} // namespace kestrion
