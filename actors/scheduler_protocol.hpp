#pragma once

#include <kestrion/scheduler/token_scheduler.hpp>

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// The scheduler of model calls and its messages. What runs tell it lies on its
/// desk (call_desk.hpp).
namespace kestrion {

/// Something lies on the scheduler's desk, or its time has come.
struct look_at_calls {};

/// Add limits, or change those of the same names.
struct declare_limits {
  std::vector<limit_spec> limits;
};

struct waiting_query {
  run_id run;
};

struct waiting_answer {
  std::optional<call_waiting> why; ///< Nothing: its model call does not wait.
};

struct figures_query {};

/// The leases of limits that processes share have to be renewed.
struct renew_slices {};

/// Give this process its slices of limits that processes share.
struct lease_limits {
  std::string process;
  std::vector<limit_need> needs;
  std::map<std::string, std::uint64_t> kept; ///< By limit: `limit_lease::epoch`
  timestamp now;
};

/// A slice, and which one: who keeps to it says so by that.
struct limit_lease {
  limit_slice slice;
  std::uint64_t epoch = 0;
};

struct limit_leases {
  std::vector<limit_lease> leases;
};

/// Grants model calls, so that limits hold and are shared fairly.
using scheduler_actor = caf::typed_actor<
  // Takes up what lies on its desk, and grants what can be granted.
  caf::reacts_to<look_at_calls>,
  // Adds or changes limits; replies when they hold.
  caf::replies_to<declare_limits>::with<bool>,
  // INTERNAL: about once a second, where processes share the store.
  caf::reacts_to<renew_slices>,
  // Replies why the model call of a run waits.
  caf::replies_to<waiting_query>::with<waiting_answer>,
  // Replies with its counters.
  caf::replies_to<figures_query>::with<scheduler_figures>>;

} // namespace kestrion

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::look_at_calls)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::declare_limits)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::waiting_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::waiting_answer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::figures_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::renew_slices)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::lease_limits)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::limit_leases)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kestrion::scheduler_figures)
