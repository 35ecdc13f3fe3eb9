#pragma once

#include <kestrion/actors/engine.hpp>
#include <kestrion/actors/run_state.hpp>
#include <kestrion/messages/model_call.hpp>
#include <kestrion/providers/tools/tool.hpp>
#include <kestrion/store/event_store.hpp>

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace kestrion::test {

/// One life of a process: from a boot to its death. Never used twice.
using life_id = int;

/// How much happened in one storm or in many.
struct storm_counts {
  std::uint64_t seeds = 0;
  std::uint64_t steps = 0;
  std::uint64_t turns = 0;
  std::uint64_t runs = 0;
  std::uint64_t events = 0;
  std::uint64_t effects = 0;
  std::uint64_t faults = 0;
  std::uint64_t crashes = 0;
  std::uint64_t hangs = 0;
  std::uint64_t kills = 0;
  std::uint64_t takeovers = 0; ///< From a process that lives.
  std::uint64_t commands = 0;
  std::uint64_t looks = 0; ///< At live states beside the log.
  std::uint64_t forks = 0;
  std::uint64_t naps = 0; ///< Sleeps that were over.
  storm_counts& operator+=(const storm_counts& x);
};

/// The actors of runs that the directory knows, in the order of their ids;
/// none while it is started anew.
std::map<run_id, run_actor> live_runs(const engine& actors);

/// Sees all that processes write and do, and knows what may not happen. Keeps
/// its own copy of each log and its own fold; the first violation stays.
/// @par Threading One thread.
class storm_witness {
public:
  /// @param lease  Of every process.
  explicit storm_witness(duration lease) : lease_(lease) {}

  duration now{}; ///< The time of the world; set by the storm.
  storm_counts counts;

  // -- the report -------------------------------------------------------------

  void note(std::string what);
  /// @returns `holds`.
  bool expect(bool holds, const std::string& what);
  bool is_violated() const { return violation_.has_value(); }
  /// The violation and the last notes before it.
  std::string report() const;
  /// Of all notes: two storms with the same one took the same course.
  std::size_t course() const { return course_; }

  // -- processes --------------------------------------------------------------

  life_id born();
  void died(life_id life);

  // -- the store --------------------------------------------------------------

  /// The request is on disk, whatever its writer was told.
  void committed(life_id life, const append_request& request);
  void claimed(life_id life, const run_id& run);
  void renewed(life_id life) { lives_[life] = now; }

  // -- effects ----------------------------------------------------------------

  void model_began(life_id life, const model_request& request);
  void tool_began(life_id life, effect_contract contract,
                  const std::string& tool, const std::string& arguments,
                  const tool_context& context);
  bool has_happened(const std::string& key) const {
    return executions_.contains(key);
  }

  // -- people -----------------------------------------------------------------

  /// @param mark  Who gave the command; no other one has it.
  /// @param adds  It is in the log once; else it may have been said before.
  void acknowledged(const std::string& mark, bool adds, const run_id& run,
                    std::uint64_t seq);
  void started(const std::string& key, const run_id& run);

  // -- looks ------------------------------------------------------------------

  /// No actor of this life has anything to do: what it has in memory is what is
  /// on disk.
  void look_at(life_id life, const engine& actors);
  /// What was durable is there, unchanged, and rows say what logs say.
  void look_at(const event_store& disk);
  /// All have ended.
  void look_at_end();
  /// Logs that nobody changed, and that today's machine would decide again.
  /// @param agent  Gives the definition of a name.
  void look_back(
    const event_store& disk,
    const std::function<const agent_definition&(const std::string&)>& agent);

  // -- observations -----------------------------------------------------------

  struct run_log {
    run_state state;
    std::vector<std::pair<std::string, std::string>> raw; ///< Tags and data.
    std::optional<life_id> owner;
    life_id writer = -1;                     ///< Of the last append.
    std::map<std::string, int> starts;       ///< `tool_call_started`, by call.
    std::set<std::string> children;          ///< Calls that are runs.
    std::optional<std::string> handed;       ///< The call that is its heir.
    std::map<std::string, int> ends;         ///< `child_ended`, by call.
    std::map<std::string, life_id> answered; ///< Model calls, by whom.
    int takeovers = 0;                       ///< From lives that went on.
    /// Started in the log that this one is a fork of: no starts of its own.
    std::set<std::string> copied;
    bool is_fork = false;
    bool is_armed = false; ///< If it is one.
  };
  const std::map<run_id, run_log>& logs() const { return logs_; }
  std::string name_of(const run_id& run) const;
  bool all_ended() const;

private:
  struct execution {
    std::string tool;
    std::string arguments;
    int times = 0;
  };

  void check_owner(life_id life, const run_id& run, run_log& log);
  void observe(life_id life, const run_id& run, run_log& log, const event& e);
  /// What a fork took over: it happened elsewhere.
  void observe_copy(run_log& log, const event& e);
  void check_nap(const run_id& run, const run_log& log,
                 const tool_call_completed& e, timestamp at);
  void check_birth(const run_id& run, const run_started& e);
  void check_end_of_child(const run_id& run, const child_ended& e);
  bool ended_as(run_id run, run_status status) const;
  void check_effect(life_id life, const run_id& run, const std::string& what);
  void check_live(life_id life, const run_id& run, const run_state& live);

  duration lease_;
  std::deque<std::string> notes_;
  std::size_t course_ = 0;
  std::optional<std::string> violation_;
  life_id last_life_ = 0;
  std::map<life_id, duration> lives_; ///< When they last said so.
  std::map<run_id, run_log> logs_;
  std::map<run_id, int> names_;
  std::map<std::string, execution> executions_; ///< By idempotency key.
  std::map<std::string, int> marks_;            ///< Events that name them.
  std::map<std::string, run_id> keys_;
};

} // namespace kestrion::test
