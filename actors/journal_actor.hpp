#pragma once

#include <kestrion/actors/protocol.hpp>

#include <caf/message_id.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <memory>
#include <vector>

namespace kestrion {

/// Appends that are not committed yet. They outlive the actor: the one that is
/// started after it commits and answers them. So no response promises, which
/// need the actor that made them.
struct journal_backlog {
  struct asker {
    caf::strong_actor_ptr actor;
    caf::message_id request;
  };
  std::vector<append_request> batch;
  std::vector<asker> askers;
};

struct journal_state {
  static inline const char* name = "kestrion.journal";
  std::shared_ptr<event_store> store;
  std::shared_ptr<journal_backlog> backlog;
};

/// Spawn it detached: a commit blocks its thread until the disk has it.
journal_actor::behavior_type
journal(journal_actor::stateful_pointer<journal_state> self,
        std::shared_ptr<event_store> store,
        std::shared_ptr<journal_backlog> backlog);

} // namespace kestrion
