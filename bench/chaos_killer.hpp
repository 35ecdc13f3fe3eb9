#pragma once

#include <kestrion/actors/engine.hpp>

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace bench {

/// Whom the killer got; any thread.
class kill_counts {
public:
  void add(const std::string& kind) {
    const std::lock_guard lock{mutex_};
    ++counts_[kind];
  }
  std::map<std::string, std::size_t> get() const {
    const std::lock_guard lock{mutex_};
    return counts_;
  }

private:
  mutable std::mutex mutex_;
  std::map<std::string, std::size_t> counts_;
};

/// Kills actors of the engine at random, from now on until it is ended: ten of
/// the runs that live every 100 ms, and one of the actors that runs need every
/// 1.05 to 1.95 s, each kind as often as the others. Counts those that were
/// alive when their end came.
///
/// That is less than the supervisors' intensity: of infrastructure at most 10
/// restarts in 10 s; of one run at most 5 a minute, which many runs share.
/// @param seed  Of the choice; the schedule of threads is not in it.
caf::actor spawn_killer(caf::actor_system& system,
                        const kestrion::engine& engine, std::uint64_t seed,
                        std::shared_ptr<kill_counts> counts);

} // namespace bench
