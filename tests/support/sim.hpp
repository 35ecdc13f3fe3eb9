#pragma once

#include <kestrion/actors/agent.hpp>
#include <kestrion/actors/engine.hpp>

#include <boost/test/unit_test.hpp>

#include <caf/abstract_actor.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/resumable.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <algorithm>
#include <functional>
#include <limits>
#include <memory>
#include <random>
#include <vector>

namespace kestrion::test {

/// One process without threads: time and schedule belong to the test. The
/// actors are those of the runtime, wired by the same code; tools run inside
/// the schedule.
class sim {
public:
  /// @param seed  Of the order in which actors get their turns.
  sim(std::shared_ptr<event_store> store, const std::vector<agent>& agents,
      std::uint32_t seed, timestamp begin, engine_options options = {})
    : rng_(seed), begin_(begin), store_(store) {
    auto registry = std::make_shared<agent_registry>();
    for (const auto& a : agents)
      registry->emplace(a.name(), a.build().value());
    options.detached = false;
    engine_ = start_engine(system_,
                           {std::move(store),
                            {[this](std::function<void()> job) {
                               tool_jobs_.push_back(std::move(job));
                             },
                             [] {
                             }},
                            [this] { return now(); },
                            [this] {
                              return rng_();
                            }},
                           options, std::move(registry));
    while (!engine_.directory())
      schedule().run_once();
  }

  /// The process ends; whatever it still does finds the store dead if the test
  /// killed that first.
  ~sim() {
    engine_.stop();
    settle();
    // Who waits for an actor that does not come back is given up on.
    for (int graces = 0; graces < 5; ++graces) {
      stall(std::chrono::minutes{1});
      settle();
    }
  }

  sim(const sim&) = delete;
  sim& operator=(const sim&) = delete;

  /// Lets everybody act until nobody can, in a seeded order.
  /// @param steps  But no more than so many turns.
  void settle(int steps = std::numeric_limits<int>::max()) {
    for (int turn = 0; turn < steps; ++turn) {
      if (on_turn_)
        on_turn_();
      std::shuffle(schedule().jobs.begin(), schedule().jobs.end(), rng_);
      if (schedule().try_run_once())
        continue;
      if (holds_tools_ || !run_tool())
        return;
    }
  }

  /// One turn of an actor, chosen by the seed.
  /// @param held  Gets no turn: its thread is slow.
  /// @returns False if nobody else has anything to do.
  bool turn(const caf::abstract_actor* held = nullptr) {
    auto& jobs = schedule().jobs;
    const auto is_held = [&](const caf::resumable* job) {
      return held && dynamic_cast<const caf::abstract_actor*>(job) == held;
    };
    const auto rest = std::partition(jobs.begin(), jobs.end(),
                                     [&](auto* job) { return !is_held(job); });
    const auto ready = static_cast<std::size_t>(rest - jobs.begin());
    if (ready == 0)
      return false;
    std::swap(jobs.front(), jobs[rng_() % ready]);
    schedule().run_once();
    return true;
  }

  /// A tool that has been started gets on, to its end.
  /// @returns False if there is none.
  bool run_tool() {
    if (tool_jobs_.empty())
      return false;
    const auto i = rng_() % tool_jobs_.size();
    auto job = std::move(tool_jobs_[i]);
    tool_jobs_.erase(tool_jobs_.begin() + static_cast<std::ptrdiff_t>(i));
    job();
    return true;
  }

  /// Time passes while nobody gets a turn: what became due meanwhile is late.
  void stall(duration d) { schedule().advance_time(d); }

  /// Lets time pass: whatever becomes due happens at its time, in order.
  void advance(duration d) {
    const auto& clock = schedule().clock();
    const auto end = clock.now() + d;
    settle();
    while (clock.has_pending_timeout()
           && clock.schedule().begin()->first <= end) {
      const auto due = clock.schedule().begin()->first;
      schedule().advance_time(due - std::min(due, clock.now()));
      settle();
    }
    schedule().advance_time(end - clock.now());
    settle();
  }

  /// Somebody sets the clock; timeouts that were set stay where they are.
  void set_clock(timestamp to) { begin_ += to - now(); }

  /// Is called before each turn of an actor.
  void on_turn(std::function<void()> f) { on_turn_ = std::move(f); }

  /// While held, no thread is free for tools: they have been started, and wait.
  void hold_tools(bool hold) { holds_tools_ = hold; }

  /// Calls that have a thread; only while held there are some.
  std::size_t tools_at_work() const { return tool_jobs_.size(); }

  timestamp now() {
    return begin_
           + std::chrono::duration_cast<duration>(
             schedule().clock().now().time_since_epoch());
  }

  /// Nothing while it is started anew.
  directory_actor directory() const { return engine_.directory(); }
  const engine& actors() const { return engine_; }
  caf::actor_system& system() { return system_; }
  std::uint64_t random() { return rng_(); }

  /// The run as the store has it.
  run_state load(const run_id& id) const {
    return load_run(*store_, id).value();
  }

private:
  struct config : caf::actor_system_config {
    config() { set("scheduler.policy", caf::atom("testing")); }
  };

  caf::scheduler::test_coordinator& schedule() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
  }

  config config_;
  caf::actor_system system_{config_};
  std::mt19937_64 rng_;
  timestamp begin_;
  std::shared_ptr<event_store> store_;
  std::vector<std::function<void()>> tool_jobs_;
  bool holds_tools_ = false;
  std::function<void()> on_turn_;
  engine engine_;
};

} // namespace kestrion::test
