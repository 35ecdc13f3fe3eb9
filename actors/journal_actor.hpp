#pragma once

#include <kestrion/actors/protocol.hpp>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <memory>
#include <vector>

namespace kestrion {

struct journal_state {
  static inline const char* name = "kestrion.journal";
  std::shared_ptr<event_store> store;
  std::vector<append_request> batch;
  std::vector<caf::typed_response_promise<std::uint64_t>> answers;
};

/// Spawn it detached: a commit blocks its thread until the disk has it.
journal_actor::behavior_type
journal(journal_actor::stateful_pointer<journal_state> self,
        std::shared_ptr<event_store> store);

} // namespace kestrion
