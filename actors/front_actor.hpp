#pragma once

#include <kestrion/actors/embedding.hpp>
#include <kestrion/actors/run_context.hpp>

#include <caf/actor_clock.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>

namespace kestrion {

/// How long a request waits in vain for an actor to be there again.
inline constexpr auto front_patience = std::chrono::seconds{5};

/// Whether a command that was heard or not may be given again: twice is once.
bool may_repeat(const command& c);

struct front_state {
  static inline const char* name = "kestrion.front";

  using time_point = caf::actor_clock::time_point;

  /// A request without an answer.
  struct pending {
    /// Asks whoever is there now. @returns Who; nothing if nobody is.
    std::function<caf::actor_addr(std::uint64_t round)> ask;
    std::function<void(const error&)> fail;
    bool may_repeat = true;
    caf::actor_addr asked = {}; ///< Nobody: it waits for somebody.
    std::uint64_t round = 0;    ///< Answers to earlier ones are late.
    std::optional<time_point> last_asked = {};
    std::optional<time_point> gives_up = {};
  };

  std::shared_ptr<const run_context> context;
  std::map<std::uint64_t, pending> open;
  std::uint64_t last = 0;
  caf::actor_addr directory; ///< The one that is monitored.
  bool asks_again = false;   ///< `ask_again` is under way.
  std::unordered_map<run_id, run_handle_actor> handles;
  std::map<caf::actor_addr, run_id> attached; ///< Whose handle it is.
};

/// Passes on, and asks again; knows nothing of runs itself.
front_actor::behavior_type
front(front_actor::stateful_pointer<front_state> self,
      std::shared_ptr<const run_context> context);

} // namespace kestrion
