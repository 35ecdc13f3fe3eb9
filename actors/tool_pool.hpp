#pragma once

#include <kestrion/actors/protocol.hpp>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

namespace kestrion {

/// Where tools run: threads in the runtime, at once in simulations.
struct tool_executor {
  std::function<void(std::function<void()>)> post;
  /// A job is given up on and may hold its thread for ever.
  std::function<void()> abandon;
};

/// The clock of timeouts, and who sees to them. Called from any thread.
struct tool_timekeeper {
  std::function<std::chrono::steady_clock::time_point()> now;
  std::function<void()> watch; ///< Somebody has to `sweep` from now on.
};

/// Runs tools on threads. Each call gets one answer, the tool's or that its
/// time is up: who takes it out of the pool gives it. A call whose run asks it
/// to stop before it began gets none.
///
/// Calls of a tool with a `concurrency_max` go through a lane: so many are in
/// it, the others wait in order. A call is in it until its code has returned,
/// also if its time was up before; so the limit holds whatever the code does.
/// @par Threading All members from any thread.
class tool_pool {
public:
  using time_point = std::chrono::steady_clock::time_point;

  tool_pool(tool_executor executor, tool_timekeeper time);

  /// Runs one call, or lets it wait; its outcome comes to the run as
  /// `tool_done`.
  void start(tool_work work);

  /// From now on no call begins. Those that run go on.
  void close();

  /// Gives up on the calls whose time is up.
  /// @returns When to look again; if never, `watch` is called when to.
  std::optional<time_point> sweep(time_point now);

private:
  struct shared;
  std::shared_ptr<shared> shared_; ///< Jobs hold it.
};

struct tool_watch_state {
  static inline const char* name = "kestrion.tools";
  std::shared_ptr<tool_pool> pool;
};

tool_watch_actor::behavior_type
tool_watch(tool_watch_actor::stateful_pointer<tool_watch_state> self,
           std::shared_ptr<tool_pool> pool);

} // namespace kestrion
