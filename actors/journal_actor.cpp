#include <kestrion/actors/journal_actor.hpp>

#include <caf/make_message.hpp>

namespace kestrion {

namespace {

/// One transaction's worth; bounds memory and the time of one commit.
constexpr std::size_t batch_requests_max = 4'096;

using journal_self = journal_actor::stateful_pointer<journal_state>;

void answer(journal_self self, const journal_backlog::asker& x,
            caf::message m) {
  if (x.actor)
    x.actor->enqueue(self->ctrl(), x.request.response_id(), std::move(m),
                     self->context());
}

void commit(journal_self self) {
  auto& st = self->state;
  auto& backlog = *st.backlog;
  if (backlog.batch.empty())
    return;
  // Moved out first: if an answer throws, nothing is committed twice.
  const auto batch = std::exchange(backlog.batch, {});
  const auto askers = std::exchange(backlog.askers, {});
  backlog.batch.reserve(batch.size()); // The next group is about as large.
  backlog.askers.reserve(batch.size());
  std::vector<result<std::uint64_t>> lengths;
  try {
    lengths = st.store->append(batch);
    ensure(lengths.size() == batch.size(), "one result for each append");
  } catch (const std::exception& e) {
    // Out of memory, say. Nobody may be left without an answer.
    lengths.assign(batch.size(), error{errc::io, e.what()});
  }
  for (std::size_t i = 0; i < askers.size(); ++i)
    answer(self, askers[i],
           lengths[i] ? caf::make_message(*lengths[i])
                      : caf::make_message(to_caf(lengths[i].error())));
}

} // namespace

journal_actor::behavior_type journal(journal_self self,
                                     std::shared_ptr<event_store> store,
                                     std::shared_ptr<journal_backlog> left) {
  self->state.store = std::move(store);
  self->state.backlog = std::move(left);
  if (!self->state.backlog->batch.empty())
    self->send(self, flush_journal{});
  return {
    [self](append_request& request) -> caf::result<std::uint64_t> {
      auto& backlog = *self->state.backlog;
      journal_backlog::asker asker{self->current_sender(),
                                   self->current_message_id()};
      // The flush queues up behind all that has arrived by now: that is the
      // group.
      if (backlog.batch.empty())
        self->send(self, flush_journal{});
      backlog.batch.push_back(std::move(request));
      backlog.askers.push_back(std::move(asker));
      if (backlog.batch.size() >= batch_requests_max)
        commit(self);
      return self->make_response_promise<std::uint64_t>(); // `answer` does it.
    },
    [self](const flush_journal&) { commit(self); },
    [self](const post_message& x) -> caf::result<std::uint64_t> {
      return to_caf(self->state.store->post(x.run, x.data));
    },
    [self](const take_back_message& x) -> caf::result<bool> {
      return to_caf(self->state.store->take_back(x.id));
    },
    [self](const inbox_answer& x) {
      // If it fails the message stays, and is taken up again.
      static_cast<void>(self->state.store->answer({&x, 1}));
    },
    [self](const renew_lease&) {
      // If it fails, the next one is in time.
      static_cast<void>(self->state.store->renew());
    },
    [self](const forget_messages& x) {
      static_cast<void>(self->state.store->remove(x.ids));
    },
  };
}

} // namespace kestrion
