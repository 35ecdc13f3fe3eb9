#pragma once

#include <kestrion/actors/event_tap.hpp>
#include <kestrion/actors/protocol.hpp>

#include <caf/message_id.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstdint>
#include <memory>
#include <vector>

namespace kestrion {

/// What is not committed yet. It outlives the actor: the one that is started
/// after it commits and answers. So no response promises, which need the actor
/// that made them.
struct journal_backlog {
  struct asker {
    caf::strong_actor_ptr actor;
    caf::message_id request;
  };
  /// Becomes one transaction.
  template <class Request>
  struct group {
    std::vector<Request> batch;
    std::vector<asker> askers;
  };

  group<append_request> appends;
  group<inbox_post> posts;
  std::vector<inbox_answer> answers;
  std::vector<std::uint64_t> answers_read; ///< Messages to be forgotten.
  std::vector<run_snapshot> snapshots;

  bool empty() const {
    return appends.batch.empty() && posts.batch.empty() && answers.empty()
           && answers_read.empty() && snapshots.empty();
  }
};

/// No journal comes after the last one: who waits for it is told so.
void give_up(journal_backlog& left);

struct journal_state {
  static inline const char* name = "kestrion.journal";
  std::shared_ptr<event_store> store;
  std::shared_ptr<journal_backlog> backlog;
  std::shared_ptr<event_tap> events;
};

/// Spawn it detached: a commit blocks its thread until the disk has it.
journal_actor::behavior_type
journal(journal_actor::stateful_pointer<journal_state> self,
        std::shared_ptr<event_store> store,
        std::shared_ptr<journal_backlog> backlog,
        std::shared_ptr<event_tap> events);

} // namespace kestrion
