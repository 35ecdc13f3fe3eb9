#pragma once

#include <kestrion/messages/agent.hpp>
#include <kestrion/messages/time.hpp>

#include <cstdint>
#include <string>
#include <variant>

/// What a run's state owes the world.
namespace kestrion {

/// Call the model with the conversation as it stands.
struct call_model {
  std::string call;
  std::int64_t attempt = 1;
  timestamp not_before;   ///< Backoff; the epoch means at once.
  std::int64_t place = 0; ///< Of the model in the agent's list.
  bool operator==(const call_model&) const = default;
};

/// Run a tool whose start is durable.
struct run_tool {
  std::string call;
  std::string tool;
  std::string arguments; ///< Valid against the tool's schema.
  std::int64_t attempt = 1;
  bool interrupted = false; ///< Begun before: maybe it happened.
  timestamp not_before{};   ///< As in `call_model`.
  bool operator==(const run_tool&) const = default;
};

/// What a run leaves to one that it starts.
struct child_allowance {
  std::int64_t tokens_max = 0;
  std::int64_t cost_usd_micros_max = 0;
  std::int64_t depth_max = 0;
  std::int64_t descendants_max = 0;
  bool operator==(const child_allowance&) const = default;
};

/// The limits of a child: its agent's own, cut to what is left for it.
run_limits within(run_limits own, const child_allowance& left);

/// Start the run `child_id(this run, call)` unless it exists, and answer with
/// `child_done`: when it has ended, or, for a handoff, as soon as it exists.
struct start_child {
  std::string call;
  std::string agent;
  std::string prompt; ///< Of a handoff the reason.
  child_allowance left;
  std::int64_t depth = 1; ///< Of the child.
  bool handoff = false;   ///< It starts with `handoff_history`, not a prompt.
  bool operator==(const start_child&) const = default;
};

/// Send a `tick` at this time; a deadline or limit is due then.
struct wake_up {
  timestamp at;
  bool operator==(const wake_up&) const = default;
};

using effect = std::variant<call_model, run_tool, wake_up, start_child>;

} // namespace kestrion
