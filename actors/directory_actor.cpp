#include <kestrion/actors/directory_actor.hpp>

#include <kestrion/actors/run_actor.hpp>
#include <kestrion/actors/run_machine.hpp>

#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

namespace kestrion {

namespace {

using directory_self = directory_actor::stateful_pointer<directory_state>;
using receipt_promise = caf::typed_response_promise<run_receipt>;
using result_promise = caf::typed_response_promise<run_result>;

/// Runs that one `recover_all` resumes before others get their turn.
constexpr std::size_t recover_page = 256;

// -- finding runs -------------------------------------------------------------

result<std::shared_ptr<const agent_code>> find_agent(const directory_state& st,
                                                     std::string_view name) {
  if (const auto i = st.agents->find(name); i != st.agents->end())
    return i->second;
  std::string known;
  for (const auto& [each, ignored] : *st.agents)
    known += (known.empty() ? "" : ", ") + each;
  return error{errc::not_found, "agent \"" + std::string{name}
                                  + "\" is not known to this runtime; it knows "
                                  + (known.empty() ? "none" : known)};
}

result<run_row> find_row(const directory_state& st, const run_id& id) {
  auto row = st.context->store->find(id);
  if (!row)
    return row.error();
  if (!*row)
    return error{errc::not_found,
                 "there is no run " + id.str() + " in this store"};
  return std::move(**row);
}

/// Of a run that is not live. A log that can't be read is a result too: its row
/// says where the run is, the reason says what is wrong.
run_result result_from_store(const directory_state& st, const run_row& row) {
  auto loaded = load_run(*st.context->store, row.id);
  if (loaded)
    return result_of(row.id, *loaded);
  run_result r;
  r.id = row.id;
  r.agent = row.agent;
  r.status = row.status;
  r.code = to_string(loaded.error().code);
  r.reason = loaded.error().detail;
  return r;
}

directory_state::resident& admit(directory_self self, const run_id& id,
                                 std::shared_ptr<const agent_code> agent,
                                 bool fresh) {
  auto& st = self->state;
  auto actor = self->spawn(run_agent, id, st.context, std::move(agent), fresh);
  self->send(st.supervisor, watch_run{id, actor});
  return st.live[id] = {std::move(actor), 0};
}

/// The live actor of a run that has not ended; wakes it up if need be.
result<directory_state::resident*> ensure(directory_self self,
                                          const run_row& row) {
  auto& st = self->state;
  if (const auto i = st.live.find(row.id); i != st.live.end())
    return &i->second;
  auto agent = find_agent(st, row.agent);
  if (!agent)
    return error{agent.error().code,
                 "run " + row.id.str() + ": " + agent.error().detail};
  return &admit(self, row.id, std::move(*agent), false);
}

// -- timers -------------------------------------------------------------------

void forget_wake(directory_state& st, const run_id& id) {
  if (const auto i = st.wakes.find(id); i != st.wakes.end()) {
    st.timers.erase({i->second, id});
    st.wakes.erase(i);
  }
}

void set_alarm(directory_self self) {
  auto& st = self->state;
  if (st.timers.empty())
    return;
  const auto at = st.timers.begin()->first;
  if (st.alarm && *st.alarm <= at)
    return;
  st.alarm = at;
  const auto now = st.context->now();
  if (at <= now)
    self->send(self, timers_due{});
  else
    self->delayed_send(self, at - now, timers_due{});
}

void ring(directory_self self) {
  auto& st = self->state;
  st.alarm.reset();
  const auto now = st.context->now();
  while (!st.timers.empty() && st.timers.begin()->first <= now) {
    const auto id = st.timers.begin()->second;
    forget_wake(st, id);
    auto row = find_row(st, id);
    if (!row || is_terminal(row->status))
      continue;
    if (auto run = ensure(self, *row)) {
      ++(*run)->commands_sent;
      self->send((*run)->actor, run_due{});
    }
  }
  set_alarm(self);
}

// -- commands -----------------------------------------------------------------

/// A run that has ended takes no command, but repeating one that it took is
/// fine; its machine knows.
void answer_ended(const directory_state& st, const run_row& row,
                  const command& c, receipt_promise promise) {
  auto agent = find_agent(st, row.agent);
  const agent_definition unknown;
  auto state = load_run(*st.context->store, row.id);
  if (!state) {
    promise.deliver(to_caf(state.error()));
    return;
  }
  auto decided = decide(*state, agent ? *(*agent)->definition : unknown, c);
  if (!decided)
    promise.deliver(to_caf({decided.error().code, "run " + row.id.str() + ": "
                                                    + decided.error().detail}));
  else
    promise.deliver(run_receipt{row.id, row.last_seq});
}

void forward(directory_self self, const run_command& c, receipt_promise promise,
             int tries_left) {
  auto& st = self->state;
  auto row = find_row(st, c.run);
  if (!row) {
    promise.deliver(to_caf(row.error()));
    return;
  }
  if (is_terminal(row->status)) {
    answer_ended(st, *row, c.command, promise);
    return;
  }
  auto run = ensure(self, *row);
  if (!run) {
    promise.deliver(to_caf(run.error()));
    return;
  }
  ++(*run)->commands_sent;
  self->request((*run)->actor, caf::infinite, c)
    .then([promise](const run_receipt& r) mutable { promise.deliver(r); },
          [self, c, promise, tries_left,
           actor = (*run)->actor.address()](const caf::error& e) mutable {
            if (is_ours(e) || tries_left == 0) {
              promise.deliver(e);
              return;
            }
            // It ended or crashed before it read the command.
            auto& live = self->state.live;
            const auto i = live.find(c.run);
            if (i != live.end() && i->second.actor.address() == actor)
              live.erase(i);
            forward(self, c, promise, tries_left - 1);
          });
}

// -- waiting ------------------------------------------------------------------

void settle_waiters(directory_state& st, const run_result& r) {
  const auto i = st.waiters.find(r.id);
  if (i == st.waiters.end())
    return;
  std::erase_if(i->second, [&](directory_state::waiter& w) {
    if (w.until == wait_until::ended && !is_terminal(r.status))
      return false;
    w.answer.deliver(r);
    return true;
  });
  if (i->second.empty())
    st.waiters.erase(i);
}

void await_end(directory_self self, const await_run& x,
               result_promise promise) {
  auto& st = self->state;
  const auto live = st.live.find(x.run);
  if (live != st.live.end()) {
    st.waiters[x.run].push_back({x.until, promise});
    self->send(live->second.actor, settle_query{});
    return;
  }
  auto row = find_row(st, x.run);
  if (!row) {
    promise.deliver(to_caf(row.error()));
    return;
  }
  if (is_terminal(row->status) || row->status == run_status::parked) {
    promise.deliver(result_from_store(st, *row));
    return;
  }
  if (auto run = ensure(self, *row))
    st.waiters[x.run].push_back({x.until, promise});
  else
    promise.deliver(to_caf(run.error()));
}

// -- starting -----------------------------------------------------------------

using started_fn = std::function<void(result<run_receipt>)>;

void start(directory_self self, const start_request& x, started_fn done) {
  auto& st = self->state;
  auto agent = find_agent(st, x.agent);
  if (!agent)
    return done(agent.error());
  const auto by_key =
    [self, name = x.agent,
     key = x.options.key]() -> std::optional<result<run_receipt>> {
    if (!key)
      return std::nullopt;
    auto row = self->state.context->store->find_by_key(name, *key);
    if (!row)
      return result<run_receipt>{row.error()};
    if (!*row)
      return std::nullopt;
    return result<run_receipt>{run_receipt{(*row)->id, (*row)->last_seq}};
  };
  if (auto existing = by_key())
    return done(std::move(*existing));
  const auto& definition = *(*agent)->definition;
  start_run command{x.options, x.input, {}};
  command.header.agent = definition.name;
  command.header.definition = definition.digest;
  command.header.limits = definition.limits;
  const auto id = run_id::make(st.context->now(),
                               static_cast<std::uint16_t>(st.context->random()),
                               st.context->random());
  auto& run = admit(self, id, std::move(*agent), true);
  ++run.commands_sent;
  self->request(run.actor, caf::infinite, run_command{id, std::move(command)})
    .then([done](const run_receipt& r) { done(r); },
          [self, id, done, by_key](const caf::error& e) {
            self->state.live.erase(id);
            const auto why = from_caf(e);
            // Somebody else used the key at the same time: theirs it is.
            auto existing = why.code == errc::conflict
                              ? by_key()
                              : std::optional<result<run_receipt>>{};
            done(existing ? *existing : result<run_receipt>{why});
          });
}

// -- the rest -----------------------------------------------------------------

void on_settled(directory_self self, const run_settled& x) {
  auto& st = self->state;
  settle_waiters(st, x.result);
  const auto live = st.live.find(x.result.id);
  if (is_terminal(x.result.status)) {
    forget_wake(st, x.result.id);
    if (live != st.live.end())
      st.live.erase(live);
    return;
  }
  if (!st.context->passivates || live == st.live.end()
      || live->second.commands_sent != x.commands_taken)
    return; // A command is on its way to it: it will settle again.
  self->send(live->second.actor, passivate{});
  st.live.erase(live);
}

/// A run's actor crashed, and its time has come again. If it crashed after its
/// last append was durable, or is parked, there is only its end to tell.
void respawn(directory_self self, const run_id& id) {
  auto& st = self->state;
  st.live.erase(id);
  auto row = find_row(st, id);
  if (!row)
    return;
  if (is_terminal(row->status) || row->status == run_status::parked) {
    forget_wake(st, id);
    settle_waiters(st, result_from_store(st, *row));
  } else {
    (void)ensure(self, *row);
  }
}

void recover_some(directory_self self) {
  auto& st = self->state;
  run_query query;
  query.statuses = {run_status::pending, run_status::running,
                    run_status::waiting_on_human};
  query.after = st.recovered_up_to;
  query.limit = recover_page;
  auto rows = st.context->store->list(query);
  if (!rows || rows->empty())
    return;
  for (const auto& row : *rows)
    if (st.agents->contains(row.agent))
      (void)ensure(self, row);
  st.recovered_up_to = rows->back().id;
  self->send(self, recover_all{});
}

void shut_down(directory_self self, const caf::error& reason) {
  for (auto& [id, run] : self->state.live)
    caf::anon_send_exit(run.actor, caf::exit_reason::user_shutdown);
  self->quit(reason);
}

} // namespace

directory_actor::behavior_type
directory(directory_self self, std::shared_ptr<const run_context> context,
          std::shared_ptr<const agent_registry> agents,
          supervisor_actor supervisor) {
  auto& state = self->state;
  state.context = std::move(context);
  state.agents = std::move(agents);
  state.supervisor = std::move(supervisor);
  self->set_exit_handler(
    [self](const caf::exit_msg& x) { shut_down(self, x.reason); });
  return {
    [self](const start_request& x) -> caf::result<run_receipt> {
      auto promise = self->make_response_promise<run_receipt>();
      start(self, x, [promise](result<run_receipt> r) mutable {
        if (r)
          promise.deliver(*r);
        else
          promise.deliver(to_caf(r.error()));
      });
      return promise;
    },
    [self](const run_to_end& x) -> caf::result<run_result> {
      auto promise = self->make_response_promise<run_result>();
      start(self, x.start, [self, promise](result<run_receipt> r) mutable {
        if (r)
          await_end(self, {r->run, wait_until::ended}, promise);
        else
          promise.deliver(to_caf(r.error()));
      });
      return promise;
    },
    [self](const await_run& x) -> caf::result<run_result> {
      auto promise = self->make_response_promise<run_result>();
      await_end(self, x, promise);
      return promise;
    },
    [self](const run_command& c) -> caf::result<run_receipt> {
      auto promise = self->make_response_promise<run_receipt>();
      forward(self, c, promise, 3);
      return promise;
    },
    [self](const run_settled& x) { on_settled(self, x); },
    [self](const wake_run_at& x) {
      auto& st = self->state;
      forget_wake(st, x.run);
      st.wakes.emplace(x.run, x.at);
      st.timers.emplace(x.at, x.run);
      set_alarm(self);
    },
    [self](const timers_due&) { ring(self); },
    [self](const recover_all&) { recover_some(self); },
    [](const look_at_store&) {},
    [self](const respawn_run& x) { respawn(self, x.run); },
  };
}

} // namespace kestrion
