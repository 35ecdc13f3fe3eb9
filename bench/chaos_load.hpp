#pragma once

#include "chaos_world.hpp"

#include <kestrion/actors/engine.hpp>

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>

#include <atomic>
#include <future>
#include <memory>
#include <string>

namespace bench {

/// What the keeper of a load has seen; any thread.
struct load_counts {
  std::atomic<std::size_t> started{0};
  std::atomic<std::size_t> completed{0};
  std::atomic<std::size_t> resolved{0}; ///< Calls in doubt that were decided.
  std::atomic<std::size_t> unparked{0};
  std::atomic<bool> ends{false}; ///< No run is started any more.
};

/// A load that is under way.
struct load {
  /// To be held: while a directory is dead, nobody else does.
  caf::actor keeper;
  /// When all have completed. An exception says what a run did instead.
  std::future<void> done;
};

/// Keeps `runs` runs of the agent "chaos" busy until told to end: when one has
/// completed, the next starts. It is their operator, too: it looks up in the
/// ledger what happened to calls in doubt, and unparks what was parked. If the
/// directory dies it asks the next one.
load keep_busy(caf::actor_system& system, const kestrion::engine& engine,
               std::shared_ptr<ledger> world,
               std::shared_ptr<load_counts> counts, std::size_t runs);

} // namespace bench
