#pragma once

#include <kestrion/messages/time.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <algorithm>

namespace kestrion::test {

/// An actor system without threads whose time belongs to the test.
class schedule {
public:
  explicit schedule(timestamp begin = timestamp{std::chrono::hours{500'000}})
    : begin_(begin) {}

  caf::actor_system& system() { return system_; }

  caf::scheduler::test_coordinator& coordinator() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
  }

  /// Lets everybody act until nobody can.
  void settle() { coordinator().run(); }

  /// Lets time pass: whatever becomes due happens at its time, in order.
  void advance(duration d) {
    const auto& clock = coordinator().clock();
    const auto end = clock.now() + d;
    settle();
    while (clock.has_pending_timeout()
           && clock.schedule().begin()->first <= end) {
      const auto due = clock.schedule().begin()->first;
      coordinator().advance_time(due - std::min(due, clock.now()));
      settle();
    }
    coordinator().advance_time(end - clock.now());
    settle();
  }

  timestamp now() {
    return begin_
           + std::chrono::duration_cast<duration>(
             coordinator().clock().now().time_since_epoch());
  }

private:
  struct config : caf::actor_system_config {
    config() { set("scheduler.policy", caf::atom("testing")); }
  };

  config config_;
  caf::actor_system system_{config_};
  timestamp begin_;
};

} // namespace kestrion::test
