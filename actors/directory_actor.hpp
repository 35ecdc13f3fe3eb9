#pragma once

#include <kestrion/actors/protocol.hpp>
#include <kestrion/actors/run_context.hpp>
#include <kestrion/actors/run_queries.hpp>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace kestrion {

/// A run that has an actor.
struct resident {
  run_actor actor;
  std::uint64_t commands_sent = 0; ///< To this life of the run.
};

/// They outlive the directory; the one that is started after it goes on with
/// them.
using residents = std::unordered_map<run_id, resident>;

struct directory_state {
  static inline const char* name = "kestrion.directory";

  /// A command that another process has to carry out.
  struct posted {
    run_command command;
    caf::typed_response_promise<run_receipt> promise;
  };
  struct waiter {
    wait_until until;
    caf::typed_response_promise<run_result> answer;
  };

  std::shared_ptr<const run_context> context;
  std::shared_ptr<const agent_registry> agents;
  std::shared_ptr<residents> live;
  std::unordered_map<run_id, std::vector<waiter>> waiters;
  std::optional<timestamp> alarm; ///< The `timers_due` that is under way.
  bool rings = false;             ///< Runs that are due are being woken up.
  std::map<std::uint64_t, posted> posted_commands;  ///< By message.
  std::set<std::pair<run_id, std::string>> telling; ///< `tell_run`s under way.
  std::set<std::uint64_t> inbox_under_way; ///< Messages being acted on.
};

/// @param live  What an earlier directory left.
directory_actor::behavior_type
directory(directory_actor::stateful_pointer<directory_state> self,
          std::shared_ptr<const run_context> context,
          std::shared_ptr<const agent_registry> agents,
          std::shared_ptr<residents> live);

} // namespace kestrion
