#include <kestrion/actors/directory_parts.hpp>
#include <kestrion/actors/run_permits.hpp>

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

namespace kestrion {

namespace {

using directory_parts::directory_self;
using directory_parts::receipt_promise;
using result_promise = caf::typed_response_promise<run_result>;

/// A command finds its run's actor gone so often before it is refused: it
/// crashes faster than it can be asked.
constexpr int forward_tries_max = 3;

/// How long after a failure to read a run's row it is tried again.
constexpr auto respawn_retry = std::chrono::seconds{1};

/// How long a supervisor may take to say what becomes of a run that crashed
/// while there was no directory.
constexpr auto respawn_anyway = std::chrono::milliseconds{100};

// -- lives --------------------------------------------------------------------

using directory_parts::admit;
using directory_parts::settle_waiters;
using directory_parts::wake;

/// A run says that nothing happens until somebody does something.
void on_settled(directory_self self, const run_settled& x) {
  auto& st = self->state;
  settle_waiters(self, x.result,
                 x.result.status == run_status::waiting_on_human);
  directory_parts::tell_parent(self, x);
  const auto live = st.live->find(x.result.id);
  if (live == st.live->end() || live->second.actor != self->current_sender())
    return; // The word of an earlier life says nothing of this one.
  if (is_terminal(x.result.status)) {
    st.live->erase(live);
    return;
  }
  if (!st.context->passivates || live->second.commands_sent != x.commands_taken)
    return; // A command is on its way to it: it will settle again.
  self->send(live->second.actor, passivate{});
  st.live->erase(live);
}

void watch(directory_self self, const run_id& id, const run_actor& actor) {
  // If it is being started anew, it asks for all of them.
  if (auto supervisor =
        strong<supervisor_actor>(self->state.context->supervisor))
    self->send(supervisor, watch_run{id, actor});
}

/// For who waits here for a run that came to rest without us.
void tell_rest(directory_self self, const run_row& row) {
  auto r = result_from_store(*self->state.context->store, row);
  settle_waiters(self, r, row.status == run_status::waiting_on_human);
  if (is_terminal(row.status))
    run_permits::leave(*self->state.context, row.id);
  if (row.status == run_status::waiting_on_child)
    directory_parts::tell_parent(self, {std::move(r)}); // It may need people.
}

/// The runs that an earlier directory left tell us what it knew. A supervisor
/// that was started while there was no directory has heard of none of them.
void meet_all(directory_self self) {
  for (const auto& [id, run] : *self->state.live) {
    watch(self, id, run.actor);
    self->request(run.actor, caf::infinite, meet_directory{})
      .then(
        [](bool) {
          // It told us already.
        },
        [self, id = id, gone = run.actor](const caf::error&) {
          auto& st = self->state;
          const auto i = st.live->find(id);
          if (i != st.live->end() && i->second.actor != gone)
            return; // It lives again.
          if (i != st.live->end())
            st.live->erase(i);
          // What it told went to the directory that died with it: to who has
          // asked us since, its rest; or that it crashed, unless its supervisor
          // comes to us with that.
          const auto row = find_row(*st.context->store, id);
          if (row && is_at_rest(row->status))
            tell_rest(self, *row);
          else
            self->delayed_send(self, respawn_anyway,
                               respawn_run{id, gone.address()});
        });
  }
}

/// A run's actor crashed, and its time has come again. If it crashed after its
/// last append was durable, or is parked, there is only its end to tell.
void respawn(directory_self self, const respawn_run& x) {
  auto& st = self->state;
  const auto& id = x.run;
  if (const auto live = st.live->find(id); live != st.live->end()) {
    if (!x.gone || live->second.actor != x.gone)
      return; // A command was faster: it lives again.
    st.live->erase(live);
  }
  const auto row = find_row(*st.context->store, id);
  if (!row) {
    if (row.error().code != errc::not_found)
      self->delayed_send(self, respawn_retry, x);
    return;
  }
  if (is_terminal(row->status) || row->status == run_status::parked)
    tell_rest(self, *row);
  else if (const auto run = wake(self, *row);
           !run && run.error().code == errc::io)
    self->delayed_send(self, respawn_retry, x);
  // If it went on in another process, that one will tell its end.
}

// -- other processes ----------------------------------------------------------

/// Runs that somebody waits for here may go on elsewhere.
void hear(directory_self self, const store_news& news) {
  auto& st = self->state;
  if (news.may_adopt && st.context->recovers) {
    self->send(self, recover_all{.rest = false});
    self->send(self, timers_due{});
  }
  directory_parts::look_at_inbox(self, news.may_take_over);
  std::vector<run_row> elsewhere;
  for (const auto& [id, waiters] : st.waiters)
    if (!st.live->contains(id))
      if (auto row = find_row(*st.context->store, id))
        elsewhere.push_back(std::move(*row));
  for (const auto& row : elsewhere)
    if (is_at_rest(row.status))
      tell_rest(self, row);
    else if (news.may_take_over)
      static_cast<void>(wake(self, row)); // Refused while its owner lives.
}

// -- requests -----------------------------------------------------------------

void forward_some(directory_self self, const run_command& c,
                  receipt_promise promise, int tries_left);

void ask_run(directory_self self, resident& run, const run_command& c,
             receipt_promise promise, int tries_left) {
  ++run.commands_sent;
  self->request(run.actor, caf::infinite, c)
    .then([promise](const run_receipt& r) mutable { promise.deliver(r); },
          [self, c, promise, tries_left,
           asked = run.actor](const caf::error& e) mutable {
            if (is_ours(e) || tries_left == 0) {
              promise.deliver(e);
              return;
            }
            // It ended or crashed before it read the command.
            auto& live = *self->state.live;
            const auto i = live.find(c.run);
            if (i != live.end() && i->second.actor == asked)
              live.erase(i);
            forward_some(self, c, promise, tries_left - 1);
          });
}

void forward_some(directory_self self, const run_command& c,
                  receipt_promise promise, int tries_left) {
  auto& st = self->state;
  if (const auto live = st.live->find(c.run); live != st.live->end()) {
    ask_run(self, live->second, c, std::move(promise), tries_left);
    return;
  }
  const auto row = find_row(*st.context->store, c.run);
  if (!row) {
    promise.deliver(to_caf(row.error()));
    return;
  }
  if (is_terminal(row->status)) {
    const auto repeated =
      repeat_on_ended(*st.context->store, *st.agents, *row, c.command);
    if (repeated)
      promise.deliver(run_receipt{c.run, row->last_seq});
    else
      promise.deliver(to_caf(repeated.error()));
    return;
  }
  const auto run = wake(self, *row);
  if (!run) {
    if (run.error().code == errc::conflict)
      directory_parts::post(self, c, promise);
    else
      promise.deliver(to_caf(run.error()));
    return;
  }
  ask_run(self, **run, c, std::move(promise), tries_left);
}

void await(directory_self self, const await_run& x, result_promise promise) {
  auto& st = self->state;
  if (const auto live = st.live->find(x.run); live != st.live->end()) {
    st.waiters[x.run].push_back({x.until, promise});
    self->send(live->second.actor, settle_query{});
    return;
  }
  const auto row = find_row(*st.context->store, x.run);
  if (!row) {
    promise.deliver(to_caf(row.error()));
    return;
  }
  const bool waits = row->status == run_status::waiting_on_human;
  const bool is_parked = row->status == run_status::parked;
  if (is_terminal(row->status) || (is_parked && x.until != wait_until::over)
      || (waits && x.until == wait_until::at_rest)) {
    promise.deliver(result_from_store(*st.context->store, *row));
    return;
  }
  if (waits || is_parked) { // It wakes up when somebody decides.
    st.waiters[x.run].push_back({x.until, promise});
    return;
  }
  const auto run = wake(self, *row);
  // If it goes on elsewhere, or might, we hear of it later.
  if (run || run.error().code == errc::conflict || x.until == wait_until::over)
    st.waiters[x.run].push_back({x.until, promise});
  else
    promise.deliver(to_caf(run.error()));
}

using started_fn = std::function<void(result<run_receipt>)>;

/// The run that was started with this key, if there is one.
std::optional<result<run_receipt>> find_started(const event_store& store,
                                                const start_request& x) {
  if (!x.options.key && !x.id)
    return std::nullopt;
  auto row =
    x.id ? store.find(*x.id) : result<std::optional<run_row>>{std::nullopt};
  if (row && !*row && x.options.key)
    row = store.find_by_key(x.agent, *x.options.key);
  if (!row)
    return result<run_receipt>{row.error()};
  if (!*row)
    return std::nullopt;
  return result<run_receipt>{run_receipt{(*row)->id, (*row)->last_seq}};
}

void start(directory_self self, const start_request& x,
           const started_fn& done) {
  auto& st = self->state;
  auto agent = find_agent(*st.agents, x.agent);
  if (!agent)
    return done(agent.error());
  if (auto existing = find_started(*st.context->store, x))
    return done(std::move(*existing));
  const auto& definition = *(*agent)->definition;
  start_run command{x.options, x.input, {}};
  command.header.agent = definition.name;
  command.header.definition = definition.digest;
  command.header.limits = definition.limits;
  const auto id =
    x.id ? *x.id
         : run_id::make(st.context->now(),
                        static_cast<std::uint16_t>(st.context->random()),
                        st.context->random());
  if (const auto begun = st.live->find(id); begun != st.live->end()) {
    // An earlier directory began it; that it answers is its receipt.
    self->request(begun->second.actor, caf::infinite, meet_directory{})
      .then(
        [done, id](bool) {
          done(run_receipt{id, 0});
        },
        [done](const caf::error& e) { done(from_caf(e)); });
    return;
  }
  auto& run = admit(self, id, std::move(*agent), true);
  ++run.commands_sent;
  self->request(run.actor, caf::infinite, run_command{id, std::move(command)})
    .then([done](const run_receipt& r) { done(r); },
          [self, id, done, x](const caf::error& e) {
            auto& state = self->state;
            state.live->erase(id);
            // Somebody else used the key at the same time: theirs it is.
            auto existing = find_started(*state.context->store, x);
            done(existing ? *existing : result<run_receipt>{from_caf(e)});
          });
}

template <class Answer>
void deliver(caf::typed_response_promise<Answer>& promise,
             const result<Answer>& r) {
  if (r)
    promise.deliver(*r);
  else
    promise.deliver(to_caf(r.error()));
}

/// Ends the runs, and itself when the last of them has ended.
void shut_down(directory_self self, const caf::error& reason) {
  auto& st = self->state;
  if (st.live->empty()) {
    self->quit(reason);
    return;
  }
  auto left = std::make_shared<std::size_t>(st.live->size());
  self->set_down_handler([self, reason, left](const caf::down_msg&) {
    if (--*left == 0)
      self->quit(reason);
  });
  for (const auto& [id, run] : *st.live) {
    self->monitor(run.actor);
    caf::anon_send_exit(run.actor, caf::exit_reason::user_shutdown);
  }
}

} // namespace

resident& directory_parts::admit(directory_self self, const run_id& id,
                                 std::shared_ptr<const agent_code> agent,
                                 bool fresh) {
  auto& st = self->state;
  auto actor = self->spawn(run_agent, id, st.context, std::move(agent), fresh);
  watch(self, id, actor);
  return (*st.live)[id] = {std::move(actor), 0};
}

void directory_parts::settle_waiters(directory_self self, const run_result& r,
                                     bool needs_person) {
  auto& st = self->state;
  const auto i = st.waiters.find(r.id);
  if (i == st.waiters.end())
    return;
  const bool is_over = is_terminal(r.status);
  const bool is_parked = r.status == run_status::parked;
  std::erase_if(i->second, [&](directory_state::waiter& w) {
    if (!is_over && !(is_parked && w.until != wait_until::over)
        && !(needs_person && w.until == wait_until::at_rest))
      return false;
    w.answer.deliver(r);
    return true;
  });
  if (i->second.empty())
    st.waiters.erase(i);
}

result<resident*> directory_parts::wake(directory_self self,
                                        const run_row& row) {
  auto& st = self->state;
  if (const auto i = st.live->find(row.id); i != st.live->end())
    return &i->second;
  auto agent = find_agent(*st.agents, row.agent);
  if (!agent)
    return error{agent.error().code,
                 "run " + row.id.str() + ": " + agent.error().detail};
  // Effects may start as soon as it is loaded, so it has to be ours before. A
  // run at rest owes none, and its next append makes it ours.
  if (!is_at_rest(row.status)) {
    const auto ours = st.context->store->claim(row.id);
    if (!ours)
      return ours.error();
    if (!*ours)
      return error{errc::conflict,
                   "run " + row.id.str() + " is running in another process"};
  }
  return &admit(self, row.id, std::move(*agent), false);
}

void directory_parts::forward(directory_self self, const run_command& c,
                              receipt_promise promise) {
  forward_some(self, c, std::move(promise), forward_tries_max);
}

directory_actor::behavior_type
directory(directory_self self, std::shared_ptr<const run_context> context,
          std::shared_ptr<const agent_registry> agents,
          std::shared_ptr<residents> live) {
  self->state.context = std::move(context);
  self->state.agents = std::move(agents);
  self->state.live = std::move(live);
  meet_all(self);
  self->set_exit_handler(
    [self](const caf::exit_msg& x) { shut_down(self, x.reason); });
  if (!self->state.context->recovers)
    self->send(self, timers_due{});
  if (self->state.context->store_is_shared)
    self->send(self, store_news{.may_take_over = true});
  return {
    [self](const start_request& x) -> caf::result<run_receipt> {
      auto promise = self->make_response_promise<run_receipt>();
      start(self, x, [promise](const result<run_receipt>& r) mutable {
        deliver(promise, r);
      });
      return promise;
    },
    [self](const run_to_end& x) -> caf::result<run_result> {
      auto promise = self->make_response_promise<run_result>();
      start(self, x.start,
            [self, promise](const result<run_receipt>& r) mutable {
              if (r)
                await(self, {r->run, wait_until::ended}, promise);
              else
                promise.deliver(to_caf(r.error()));
            });
      return promise;
    },
    [self](const await_run& x) -> caf::result<run_result> {
      auto promise = self->make_response_promise<run_result>();
      await(self, x, promise);
      return promise;
    },
    [self](const run_command& c) -> caf::result<run_receipt> {
      auto promise = self->make_response_promise<run_receipt>();
      directory_parts::forward(self, c, promise);
      return promise;
    },
    [self](const run_settled& x) { on_settled(self, x); },
    [self](const meet_supervisor&) {
      for (const auto& [id, run] : *self->state.live)
        watch(self, id, run.actor);
    },
    [self](const child_request& x) {
      directory_parts::start_child_run(self, x);
    },
    [self](const tell_run& x) { directory_parts::tell_again(self, x); },
    [self](const cancel_children& x) { directory_parts::cancel_all(self, x); },
    [self](const wake_run_at& x) { directory_parts::set_alarm(self, x.at); },
    [self](const timers_due&) { directory_parts::ring(self); },
    [self](const recover_all& x) { directory_parts::recover_some(self, x); },
    [self](const store_news& x) { hear(self, x); },
    [self](const respawn_run& x) { respawn(self, x); },
  };
}

} // namespace kestrion
