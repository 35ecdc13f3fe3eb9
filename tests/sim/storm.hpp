#pragma once

#include <kestrion/tests/sim/storm_agents.hpp>
#include <kestrion/tests/sim/storm_store.hpp>
#include <kestrion/tests/sim/storm_witness.hpp>
#include <kestrion/tests/support/shared_disk.hpp>
#include <kestrion/tests/support/sim.hpp>

#include <array>
#include <memory>
#include <optional>
#include <random>
#include <string>

namespace kestrion::test {

/// Where the processes of a storm meet.
enum class storm_disk : std::uint8_t {
  memory, ///< The shared twin.
  sqlite, ///< A real file, its locks and leases.
};

/// Processes, runs, people and faults, all chosen by one seed: first a storm,
/// then a calm in which everything has to come to an end. Virtual time.
class storm {
public:
  storm(std::uint64_t seed, storm_disk disk);
  ~storm();
  storm(const storm&) = delete;
  storm& operator=(const storm&) = delete;

  /// Until all have ended, or something happened that may not.
  void play();

  const storm_witness& witness() const { return witness_; }
  const storm_counts& counts() const { return witness_.counts; }

private:
  /// One of the two processes; between its lives there is nothing of it.
  struct process {
    life_id life = 0;
    std::shared_ptr<storm_store> store;
    std::shared_ptr<storm_stage> stage;
    std::unique_ptr<sim> world;
    bool hangs = false;   ///< Gets no turns, and its clock is not looked at.
    bool is_slow = false; ///< Its journal gets no turns.
    duration behind{};    ///< What it has hung so far.
    explicit operator bool() const { return world != nullptr; }
  };

  // -- the world --------------------------------------------------------------

  std::shared_ptr<event_store> open();
  void boot(process& p);
  void crash(process& p);
  void pass(duration d);
  void hang(process& p);
  void wake(process& p);
  bool has_stopped(const process& p) const;
  /// @returns False if nobody in it has anything to do.
  bool take_turns(process& p, std::size_t n);
  void drain(process& p);
  void kill_actor(process& p);

  // -- people -----------------------------------------------------------------

  void start(process& p);
  void give(process& p, const run_id& run, command c, const std::string& mark);
  /// Something that fits the run's state, or almost.
  void meddle(process& p);
  /// A fork of a run at some place in its log.
  void branch(process& p, const run_id& run);
  /// Whatever the run waits for gets an answer.
  /// @returns False if it waits for nobody.
  bool decide(process& p, const run_id& run);
  void approve(process& p, const pending_approval& a);
  std::string next_mark() { return "p" + std::to_string(++marks_); }
  void await_all(process& p);

  // -- the course -------------------------------------------------------------

  void step();
  void calm_down();
  void look_back();
  bool one_in(unsigned n) { return random_() % n == 0; }
  std::size_t below(std::size_t n) { return random_() % n; }

  static constexpr timestamp begin{std::chrono::hours{500'000}};

  std::mt19937_64 random_;
  duration lease_;
  storm_witness witness_;
  storm_weather weather_{};
  bool is_calm_ = false;
  std::function<std::shared_ptr<event_store>()> open_;
  std::shared_ptr<event_store> eye_; ///< Reads the disk as it is.
  std::array<process, 2> processes_;
  bool is_alone_; ///< There is only one process, on a store of its own.
  std::size_t starts_ = 0;
  std::size_t marks_ = 0;
  std::size_t waits_ = 0; ///< For runs, in the calm.
  std::size_t waits_over_ = 0;
};

} // namespace kestrion::test
