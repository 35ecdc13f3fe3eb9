#pragma once

#include <kestrion/actors/protocol.hpp>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace kestrion {

/// Where tools run: threads in the runtime, at once in simulations.
struct tool_executor {
  std::function<void(std::function<void()>)> post;
  /// A job is given up on and may hold its thread for ever.
  std::function<void()> abandon;
};

/// Runs tools on threads. Each call gets one answer, the tool's or that its
/// time is up: who takes it out of the pool gives it.
/// @par Threading All members from any thread.
class tool_pool {
public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit tool_pool(tool_executor executor) : executor_(std::move(executor)) {}

  /// Runs one call; its outcome comes to the run as `tool_done`.
  /// @returns Whether nobody looks for calls whose time is up yet.
  bool start(tool_work work, time_point now);

  /// Gives up on the calls whose time is up.
  /// @returns When to look again; if never, the next `start` says so.
  std::optional<time_point> sweep(time_point now);

private:
  struct call {
    caf::actor_addr run;
    std::string id;
    std::int64_t attempt = 1;
    std::stop_source stop;
    time_point deadline;
    duration timeout{};
  };
  struct calls {
    std::mutex mutex;
    std::uint64_t last_ticket = 0;
    std::unordered_map<std::uint64_t, call> open; ///< By ticket.
    std::set<std::pair<time_point, std::uint64_t>> deadlines;
    bool is_watched = false;
  };

  static bool still_wanted(calls& all, std::uint64_t ticket,
                           const tool_work& work);
  static void work_on(calls& all, std::uint64_t ticket,
                      const std::stop_source& stop, const tool_work& work);
  static void answer(const call& x, tool_outcome outcome, duration took);

  tool_executor executor_;
  std::shared_ptr<calls> calls_ = std::make_shared<calls>(); ///< Jobs hold it.
};

struct tool_watch_state {
  static inline const char* name = "kestrion.tools";
  std::shared_ptr<tool_pool> pool;
};

tool_watch_actor::behavior_type
tool_watch(tool_watch_actor::stateful_pointer<tool_watch_state> self,
           std::shared_ptr<tool_pool> pool);

} // namespace kestrion
