#include <kestrion/actors/journal_actor.hpp>

#include <kestrion/actors/limit_leases.hpp>

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

/// @param write  Writes a batch in one transaction; one result for each.
template <class Request, class Write>
void commit(journal_self self, journal_backlog::group<Request>& group,
            const Write& write) {
  if (group.batch.empty())
    return;
  // Moved out first: if an answer throws, nothing is committed twice.
  const auto batch = std::exchange(group.batch, {});
  const auto askers = std::exchange(group.askers, {});
  group.batch.reserve(batch.size()); // The next group is about as large.
  group.askers.reserve(batch.size());
  std::vector<result<std::uint64_t>> outcomes;
  try {
    outcomes = write(batch);
    ensure(outcomes.size() == batch.size(), "one result for each request");
  } catch (const std::exception& e) {
    // Out of memory, say. Nobody may be left without an answer.
    outcomes.assign(batch.size(), error{errc::io, e.what()});
  }
  for (std::size_t i = 0; i < askers.size(); ++i)
    answer(self, askers[i],
           outcomes[i] ? caf::make_message(*outcomes[i])
                       : caf::make_message(to_caf(outcomes[i].error())));
}

/// For who watches, now that it is durable.
void publish(journal_self self, const std::vector<append_request>& batch,
             const std::vector<result<std::uint64_t>>& outcomes) {
  auto& tap = *self->state.events;
  appended_events out{{}, tap.take_place()};
  if (!out.place)
    return;
  for (std::size_t i = 0; i < batch.size(); ++i)
    if (outcomes[i])
      out.parts.push_back({batch[i].run, batch[i].expected_seq + 1,
                           batch[i].events, batch[i].status});
    else if (outcomes[i].error().code == errc::io)
      tap.note_loss(); // It may be durable nevertheless.
  self->send(tap.hub(), std::move(out));
}

void commit_appends(journal_self self) {
  commit(self, self->state.backlog->appends, [&](const auto& batch) {
    auto outcomes = self->state.store->append(batch);
    if (self->state.events->is_open())
      publish(self, batch, outcomes);
    return outcomes;
  });
}

void commit_all(journal_self self) {
  auto& store = *self->state.store;
  auto& backlog = *self->state.backlog;
  commit_appends(self);
  commit(self, backlog.posts,
         [&](const auto& batch) { return store.post_all(batch); });
  // If these fail the messages stay, and are taken up again.
  if (const auto answers = std::exchange(backlog.answers, {}); !answers.empty())
    static_cast<void>(store.answer(answers));
  if (const auto ids = std::exchange(backlog.answers_read, {}); !ids.empty())
    static_cast<void>(store.remove(ids));
  // If this fails the next one takes its place.
  if (const auto kept = std::exchange(backlog.snapshots, {}); !kept.empty())
    static_cast<void>(store.put_snapshots(kept));
}

/// The flush queues up behind all that has arrived by now: that is the group.
void flush_soon(journal_self self) {
  if (self->state.backlog->empty())
    self->send(self, flush_journal{});
}

/// `answer` keeps the promise.
template <class Request>
caf::result<std::uint64_t> enqueue(journal_self self,
                                   journal_backlog::group<Request>& group,
                                   Request& request) {
  flush_soon(self);
  group.batch.push_back(std::move(request));
  group.askers.push_back({self->current_sender(), self->current_message_id()});
  return self->make_response_promise<std::uint64_t>();
}

} // namespace

void give_up(journal_backlog& left) {
  const auto tell = [](auto& group) {
    group.batch.clear();
    for (const auto& x : std::exchange(group.askers, {}))
      if (x.actor)
        x.actor->enqueue(nullptr, x.request.response_id(),
                         caf::make_message(to_caf(
                           {errc::unavailable, "the runtime has ended"})),
                         nullptr);
  };
  tell(left.appends);
  tell(left.posts);
}

journal_actor::behavior_type journal(journal_self self,
                                     std::shared_ptr<event_store> store,
                                     std::shared_ptr<journal_backlog> left,
                                     std::shared_ptr<event_tap> events) {
  self->state.store = std::move(store);
  self->state.events = std::move(events);
  self->state.backlog = std::move(left);
  if (!self->state.backlog->empty())
    self->send(self, flush_journal{});
  return {
    [self](append_request& request) {
      auto& appends = self->state.backlog->appends;
      auto reply = enqueue(self, appends, request);
      if (appends.batch.size() >= batch_requests_max)
        commit_appends(self);
      return reply;
    },
    [self](const flush_journal&) { commit_all(self); },
    [self](inbox_post& post) {
      return enqueue(self, self->state.backlog->posts, post);
    },
    [self](const take_back_message& x) -> caf::result<bool> {
      return to_caf(self->state.store->take_back(x.id));
    },
    [self](inbox_answer& x) {
      flush_soon(self);
      self->state.backlog->answers.push_back(std::move(x));
    },
    [self](const renew_lease&) {
      // If it fails, the next one is in time.
      static_cast<void>(self->state.store->renew());
    },
    [self](const lease_limits& x) -> caf::result<limit_leases> {
      auto leases = renew_leases(*self->state.store, x);
      if (!leases)
        return to_caf(leases.error());
      return limit_leases{std::move(*leases)};
    },
    [self](const forget_messages& x) {
      flush_soon(self);
      auto& ids = self->state.backlog->answers_read;
      ids.insert(ids.end(), x.ids.begin(), x.ids.end());
    },
    [self](run_snapshot& x) {
      flush_soon(self);
      self->state.backlog->snapshots.push_back(std::move(x));
    },
  };
}

} // namespace kestrion
