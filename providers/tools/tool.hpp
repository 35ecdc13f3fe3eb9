#pragma once

#include <kestrion/messages/command.hpp>
#include <kestrion/messages/run_id.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>

namespace kestrion {

/// One call of a tool, as its code sees it.
struct tool_context {
  run_id run;
  std::string call;            ///< `c2.0`
  std::string idempotency_key; ///< `run_…/c2.0`; the same after every crash.
  std::int64_t attempt = 1;    ///< One that a crash cut short counts once.
  std::stop_token stop;        ///< Requested on cancel and on timeout.
};

/// What a tool throws if another attempt would fail as well: a call that may
/// be tried again is not.
class permanent_failure : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// A tool's code: arguments as JSON text that fits the schema, to its outcome.
/// Runs on a thread of the pool, may block; an exception is an error result.
using tool_function = std::function<tool_outcome(const std::string& arguments,
                                                 const tool_context& context)>;

/// Asks the world whether a call that was begun before happened: its outcome if
/// so, nothing if it did not.
using tool_probe = std::function<std::optional<tool_outcome>(
  const std::string& arguments, const tool_context& context)>;

/// What runs when a tool is called.
struct tool_code {
  tool_function run;
  tool_probe probe; ///< Only for effect_contract::probe.
};

} // namespace kestrion
