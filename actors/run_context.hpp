#pragma once

#include <kestrion/actors/protocol.hpp>

#include <cstdint>
#include <functional>
#include <memory>

namespace kestrion {

/// What all runs of a runtime share.
struct run_context {
  std::shared_ptr<event_store> store; ///< For reading only.
  journal_actor journal;
  gateway_actor gateway;
  tool_pool_actor tools;
  caf::actor_addr directory; ///< Weak: the directory holds its runs.
  std::function<timestamp()> now;
  std::function<std::uint64_t()> random; ///< Any thread.
  bool passivates = true;                ///< Runs that wait leave memory.
};

/// The whole log of a run, decoded and folded.
/// @par Errors `corrupt`, naming the run and the seq; `io`
result<run_state> load_run(const event_store& store, const run_id& id);

/// The log as it was recorded. @par Errors as `load_run`
result<std::vector<recorded_event>> load_events(const event_store& store,
                                                const run_id& id,
                                                std::uint64_t after_seq = 0);

} // namespace kestrion
