#pragma once

#include <kestrion/actors/call_desk.hpp>
#include <kestrion/actors/permit_book.hpp>
#include <kestrion/actors/protocol.hpp>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>

namespace kestrion {

struct scheduler_state {
  static inline const char* name = "kestrion.scheduler";
  std::shared_ptr<call_desk> desk;
  std::shared_ptr<permit_book> book;
  std::function<timestamp()> now;
  std::unordered_map<caf::actor_addr, run_id> watched;
  std::optional<timestamp> alarm; ///< The next look that is under way.
};

/// Send it `look_at_calls` at its start, for what an earlier one left.
scheduler_actor::behavior_type
scheduler(scheduler_actor::stateful_pointer<scheduler_state> self,
          std::shared_ptr<call_desk> desk, std::shared_ptr<permit_book> book,
          std::function<timestamp()> now);

} // namespace kestrion
