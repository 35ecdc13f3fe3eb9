#pragma once

#include <kestrion/scheduler/supervision.hpp>

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/stateful_actor.hpp>

#include <functional>
#include <string>
#include <vector>

namespace kestrion {

/// One child of a supervisor.
struct supervised_child {
  std::string name;
  /// Makes it, also anew. Whoever has to know the handle is told here.
  std::function<caf::actor(caf::actor_system&)> start;
  restart_type restart = restart_type::permanent;
  /// From being asked to end until it is killed.
  duration grace = std::chrono::seconds{10};
};

struct supervision_tree_state {
  static inline const char* name = "kestrion.supervision";

  struct child {
    supervised_child spec;
    caf::actor actor;    ///< None while it does not live.
    bool starts = false; ///< Once all of `to_stop` have ended.
  };

  supervision_spec spec;
  std::function<timestamp()> now;
  std::vector<child> children; ///< In the order of their start.
  std::deque<timestamp> restarts;
  std::vector<std::size_t> to_stop; ///< The next one is the last.
  duration delay{};                 ///< Before they start.
  bool is_starting_later = false;
  bool ends = false; ///< When all have ended, so does the supervisor.
  caf::error reason;
};

/// Starts the children in order and keeps them alive as `spec` says. Asked to
/// end, it stops them in reverse order: each is asked, and killed after its
/// grace. If restarts are too many, it does the same and fails with
/// `errc::unavailable`. Tells whom it looks after (`which_children`).
/// @param now  Any thread.
caf::behavior
supervision_tree(caf::stateful_actor<supervision_tree_state>* self,
                 supervision_spec spec, std::vector<supervised_child> children,
                 std::function<timestamp()> now);

} // namespace kestrion
