#pragma once

#include <kestrion/actors/agent.hpp>
#include <kestrion/actors/run_result.hpp>
#include <kestrion/actors/runtime.hpp>
#include <kestrion/messages/time.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace kestrion {

/// A place where the process dies.
struct crash_point {
  enum class moment : std::uint8_t {
    before, ///< What was to be appended is lost, though effects happened.
    after,  ///< It is durable, but nobody heard so.
  };
  std::uint64_t append = 0; ///< Which commit of the process, from 1.
  moment when = moment::before;
  bool operator==(const crash_point&) const = default;
};

/// "before append 3"
std::string to_string(const crash_point& p);

/// What happens to an agent, and what has to be true in the end.
struct crash_scenario {
  std::string prompt = "Begin.";
  /// What people do about a run that waits for them, each time that something
  /// has happened; may be asked again before it took effect. Unset: they
  /// approve everything, in each role, and answer with the first choice, or
  /// "yes". Calls in doubt are seen to: people look whether they happened.
  std::function<void(runtime&, const run_result&)> people = {};
  /// Looks at the world after the last life, also after that without a crash.
  /// What it throws is the failure of the point.
  std::function<void(const run_result&)> check = {};
  /// How long one life may take. @par Unit  Real time.
  duration life_max = std::chrono::seconds{30};
  /// Only this point, to look at it alone.
  std::optional<crash_point> only = {};
};

/// What `crash_everywhere` saw.
struct [[nodiscard]] crash_report {
  run_result undisturbed;         ///< How the run ended without a crash.
  std::vector<crash_point> tried; ///< In order; ends with the first failure.
  /// Which point failed, and why, in a sentence; empty if none did.
  std::string failure;
};

/// Makes the agents anew, the one to start first; and the world that they work
/// on, as it is before the run: called for each crash point.
using agent_maker = std::function<std::vector<agent>()>;

/// Runs an agent once as it is, then once for each commit of that run with the
/// process dying there, before it is durable and after; a new process then
/// finds the store as the dead one left it, and goes on to the end. Each time
///  - the run has to end as it did without a crash: same status, same answer;
///  - no call of a tool that may not be repeated (`effect_contract::once`, as
///    all that need an approval) may have been made twice;
///  - `check` has to be content.
///
/// Tools see a crash as the world does: what they did stays done. The model
/// must answer alike when it is asked again, so it can't be a script that is
/// used up: `model_by_turn`, or a function of the conversation.
///
/// Each process is a runtime of its own, over a store in memory; a crash is an
/// append that fails, after which nothing of that process reaches the store.
/// @throws failure  The run does not even end without a crash.
crash_report crash_everywhere(const agent_maker& make,
                              const crash_scenario& scenario);

/// For an agent whose world needs nothing.
crash_report crash_everywhere(const agent& subject,
                              const crash_scenario& scenario);

} // namespace kestrion
