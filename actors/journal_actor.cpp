#include <kestrion/actors/journal_actor.hpp>

namespace kestrion {

namespace {

/// One transaction's worth; bounds memory and the time of one commit.
constexpr std::size_t batch_requests_max = 4'096;

using journal_self = journal_actor::stateful_pointer<journal_state>;

void commit(journal_self self) {
  auto& st = self->state;
  if (st.batch.empty())
    return;
  // Moved out first: if an answer throws, nothing is committed twice.
  const auto batch = std::exchange(st.batch, {});
  auto answers = std::exchange(st.answers, {});
  st.batch.reserve(batch.size()); // The next group is about as large.
  st.answers.reserve(batch.size());
  std::vector<result<std::uint64_t>> lengths;
  try {
    lengths = st.store->append(batch);
    ensure(lengths.size() == batch.size(), "one result for each append");
  } catch (const std::exception& e) {
    // Out of memory, say. Nobody may be left without an answer.
    lengths.assign(batch.size(), error{errc::io, e.what()});
  }
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (lengths[i])
      answers[i].deliver(*lengths[i]);
    else
      answers[i].deliver(to_caf(lengths[i].error()));
  }
}

} // namespace

journal_actor::behavior_type journal(journal_self self,
                                     std::shared_ptr<event_store> store) {
  self->state.store = std::move(store);
  return {
    [self](append_request& request) -> caf::result<std::uint64_t> {
      auto& st = self->state;
      auto answer = self->make_response_promise<std::uint64_t>();
      // The flush queues up behind all that has arrived by now: that is the
      // group.
      if (st.batch.empty())
        self->send(self, flush_journal{});
      st.batch.push_back(std::move(request));
      st.answers.push_back(answer);
      if (st.batch.size() >= batch_requests_max)
        commit(self);
      return answer;
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
