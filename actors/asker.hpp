#pragma once

#include <kestrion/actors/embedding.hpp>

#include <caf/event_based_actor.hpp>

#include <functional>
#include <utility>

namespace kestrion {

/// Asks the front for somebody who is no actor. Lives until there is an answer.
/// @param done  Called once, on a thread of the actor system, unless the actor
///   is ended before: must not block or throw.
/// @returns The actor, which can be told to give up by ending it.
template <class Answer, class Message>
caf::actor spawn_asker(caf::actor_system& system, const front_actor& front,
                       Message question,
                       std::function<void(result<Answer>)> done) {
  return system.spawn([front, question = std::move(question),
                       done](caf::event_based_actor* self) mutable {
    self->request(front, caf::infinite, std::move(question))
      .then(
        [self, done](Answer& a) {
          done(std::move(a));
          self->quit();
        },
        [self, done](const caf::error& e) {
          done(from_caf(e));
          self->quit();
        });
  });
}

} // namespace kestrion
