#pragma once

#include <kestrion/actors/draft_board.hpp>
#include <kestrion/actors/embedding.hpp>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <memory>

namespace kestrion {

struct draft_reader_state {
  static inline const char* name = "kestrion.draft_reader";
  std::shared_ptr<draft_watch> watch;
  draft_subscriber_actor subscriber;
  draft_reader_actor itself; ///< Nobody else keeps it alive.
};

/// Ends with the subscriber, and with the front.
draft_reader_actor::behavior_type
draft_reader(draft_reader_actor::stateful_pointer<draft_reader_state> self,
             std::shared_ptr<draft_watch> watch,
             draft_subscriber_actor subscriber, const front_actor& front);

} // namespace kestrion
