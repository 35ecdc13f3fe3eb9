#pragma once

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
  timestamp not_before; ///< Backoff; the epoch means at once.
  bool operator==(const call_model&) const = default;
};

/// Run a tool whose start is durable.
struct run_tool {
  std::string call;
  std::string tool;
  std::string arguments; ///< Valid against the tool's schema.
  std::int64_t attempt = 1;
  bool interrupted = false; ///< An earlier life started it: maybe it happened.
  bool operator==(const run_tool&) const = default;
};

/// Send a `tick` at this time; a deadline or limit is due then.
struct wake_up {
  timestamp at;
  bool operator==(const wake_up&) const = default;
};

using effect = std::variant<call_model, run_tool, wake_up>;

} // namespace kestrion
