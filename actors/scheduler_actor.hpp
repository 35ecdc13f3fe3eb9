#pragma once

#include <kestrion/actors/permit_book.hpp>
#include <kestrion/actors/run_context.hpp>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

namespace kestrion {

struct scheduler_state {
  static inline const char* name = "kestrion.scheduler";
  std::shared_ptr<const run_context> context;
  std::shared_ptr<call_desk> desk;
  std::shared_ptr<permit_book> book;
  timestamp now() const { return context->now(); }
  std::unordered_map<caf::actor_addr, run_id> watched;
  std::optional<timestamp> alarm; ///< The next look that is under way.
  std::vector<call_note> notes;   ///< Taken up.
};

/// Send it `look_at_calls` at its start, for what an earlier one left.
scheduler_actor::behavior_type
scheduler(scheduler_actor::stateful_pointer<scheduler_state> self,
          std::shared_ptr<const run_context> context,
          std::shared_ptr<permit_book> book);

} // namespace kestrion
