#include <kestrion/actors/draft_reader_actor.hpp>

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include <utility>

namespace kestrion {

namespace {

using reader_self = draft_reader_actor::stateful_pointer<draft_reader_state>;

void go_on(reader_self self);

/// Its answer, which is the end of its handler, asks for the next. Until then
/// we take nothing, so nothing wakes us.
void send(reader_self self, draft_update update) {
  self->request(self->state.subscriber, caf::infinite, std::move(update))
    .then([self] { go_on(self); }, [self](const caf::error&) { go_on(self); });
}

void go_on(reader_self self) {
  auto& st = self->state;
  // Weak: who may wake us outlives us.
  auto update = st.watch->take([weak = caf::actor_cast<caf::actor_addr>(self)] {
    if (auto hdl = caf::actor_cast<caf::strong_actor_ptr>(weak))
      caf::anon_send(caf::actor_cast<draft_reader_actor>(hdl), look_at_draft{});
  });
  if (update)
    send(self, std::move(*update));
}

} // namespace

draft_reader_actor::behavior_type
draft_reader(reader_self self, std::shared_ptr<draft_watch> watch,
             draft_subscriber_actor subscriber, const front_actor& front) {
  self->state.watch = std::move(watch);
  self->state.subscriber = std::move(subscriber);
  self->state.itself = self;
  self->set_down_handler([self](const caf::down_msg&) { self->quit(); });
  self->monitor(self->state.subscriber);
  self->monitor(front);
  go_on(self);
  return {
    [self](const look_at_draft&) { go_on(self); },
  };
}

} // namespace kestrion
