#pragma once

#include <cstddef>

namespace caf {
class actor_system;
} // namespace caf

namespace bench {

/// What malloc has given out, and what the process has in memory, both without
/// what SQLite uses: its caches are bounded, whatever the number of runs.
struct memory {
  double heap_bytes = 0;
  double resident_bytes = 0;
};

memory memory_now();

/// What each of `runs` runs took between two moments.
memory per_run(const memory& before, const memory& after, std::size_t runs);

/// Waits until passivated runs are gone: a run reports that it is at rest
/// before it leaves memory.
void wait_for_actors(caf::actor_system& system, std::size_t count_max);

} // namespace bench
