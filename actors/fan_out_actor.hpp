#pragma once

#include <kestrion/actors/embedding.hpp>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <functional>
#include <optional>
#include <vector>

namespace kestrion {

/// Carries out one fan-out.
using fan_out_actor = caf::typed_actor<
  // Replies when all have ended, and ends.
  caf::replies_to<start_all_of>::with<fan_out_results>,
  // Replies when one has ended and the others are cancelled, and ends.
  caf::replies_to<start_first_of>::with<run_result>>;

struct fan_out_state {
  static inline const char* name = "kestrion.fan_out";
  std::vector<start_request> starts;
  front_actor front; // Not the first, or CAF would make the state of it.
  std::optional<fan_out_plan> plan;
  std::vector<std::optional<run_id>> runs; ///< Those that have started.
  std::size_t under_way = 0;  ///< Starts and cancels without an answer.
  bool ends = false;          ///< What is left is being cancelled.
  std::function<void()> done; ///< Answers; the plan is over.
  std::function<void(const error&)> fail;
};

/// It ends with who asked; what has started then goes on.
fan_out_actor::behavior_type
fan_out(fan_out_actor::stateful_pointer<fan_out_state> self, front_actor front);

} // namespace kestrion
