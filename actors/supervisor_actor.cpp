#include <kestrion/actors/supervisor_actor.hpp>

#include <kestrion/actors/run_queries.hpp>
#include <kestrion/messages/match.hpp>

#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>
#include <caf/sec.hpp>
#include <caf/send.hpp>

namespace kestrion {

namespace {

using supervisor_self = supervisor_actor::stateful_pointer<supervisor_state>;

bool is_crash(const caf::error& reason) {
  return reason && reason != caf::exit_reason::normal
         && reason != caf::exit_reason::user_shutdown;
}

template <class Message>
void tell_directory(const run_context& context, Message m, supervisor_self self,
                    duration delay = {}) {
  auto directory = strong<directory_actor>(context.directory);
  if (!directory)
    return; // The next one looks for all that has to go on.
  if (delay == duration::zero())
    self->send(directory, std::move(m));
  else
    self->delayed_send(directory, delay, std::move(m));
}

/// Puts the reason in the run's log, where its people will look for it.
void park_in_log(supervisor_self self, const run_row& row,
                 const caf::actor_addr& gone, const std::string& reason) {
  const auto& context = self->state.context;
  const auto now = context->now();
  append_request append;
  append.run = row.id;
  append.expected_seq = row.last_seq;
  append.status = run_status::parked;
  event parked = run_parked{reason};
  if (context->redaction)
    context->redaction->apply(parked);
  append.events.push_back(encode(parked, now));
  self->request(context->journal.get(), caf::infinite, std::move(append))
    .then(
      [self, gone, id = row.id](std::uint64_t) {
        tell_directory(*self->state.context, respawn_run{id, gone}, self);
      },
      [self, gone, id = row.id](const caf::error&) {
        // The store is in trouble too: come back when it may have recovered.
        tell_directory(*self->state.context, respawn_run{id, gone}, self,
                       self->state.spec.backoff.cap);
      });
}

void on_crash_of(supervisor_self self, const run_id& id,
                 const caf::down_msg& down) {
  auto& st = self->state;
  const auto why = from_caf(down.reason);
  const auto row = st.context->store->find(id);
  if (row && !*row)
    return; // Its first append failed: the run never was.
  if (!row || why.code == errc::conflict
      || down.reason == caf::sec::request_receiver_down) {
    // No fault of the run: the store is in trouble, another process was faster,
    // or the journal ended. It has to be read again.
    tell_directory(*st.context, respawn_run{id, down.source}, self,
                   row ? st.spec.backoff.first : st.spec.backoff.cap);
    return;
  }
  const auto state = load_run(*st.context->store, id);
  const auto steps = state ? state->progress.steps : 0;
  auto verdict =
    on_crash(st.spec, (*st.histories)[id], steps, st.context->now());
  if (why.code == errc::corrupt)
    verdict = park{1}; // Reading it again changes nothing.
  match(
    verdict,
    [&](const restart_after& x) {
      tell_directory(*st.context, respawn_run{id, down.source}, self, x.delay);
    },
    [&](const park& x) {
      st.histories->erase(id);
      park_in_log(self, **row, down.source,
                  "crashed " + std::to_string(x.crashes)
                    + " times; the last time: " + to_string(why));
    });
}

} // namespace

supervisor_actor::behavior_type
supervisor(supervisor_self self, restart_spec spec,
           std::shared_ptr<const run_context> context,
           std::shared_ptr<restart_histories> histories) {
  self->state.spec = spec;
  self->state.context = std::move(context);
  self->state.histories = std::move(histories);
  self->set_down_handler([self](const caf::down_msg& down) {
    auto& st = self->state;
    const auto watched = st.watched.find(down.source);
    if (watched == st.watched.end())
      return;
    const auto id = watched->second;
    st.watched.erase(watched);
    if (is_crash(down.reason))
      on_crash_of(self, id, down);
  });
  return {
    [self](const watch_run& x) {
      if (self->state.watched.emplace(x.actor.address(), x.run).second)
        self->monitor(x.actor);
    },
    [self](const which_children&) {
      children_there out;
      out.children.reserve(self->state.watched.size());
      for (const auto& [actor, run] : self->state.watched)
        out.children.push_back({run.str(), actor});
      return out;
    },
  };
}

} // namespace kestrion
