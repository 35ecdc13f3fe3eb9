#include <kestrion/actors/directory_parts.hpp>

#include <caf/actor_cast.hpp>

/// Runs that belong to runs: their start, and how their ends get around.
namespace kestrion::directory_parts {

namespace {

/// How long after an actor was missing it is tried again.
constexpr auto retry_after = std::chrono::milliseconds{20};

/// The store or an actor had trouble: nothing is known of the run that was
/// meant, and it is tried again.
bool is_passing(const error& e) {
  return e.code == errc::io || e.code == errc::unavailable
         || e.code == errc::conflict;
}

void tell(directory_self self, const run_id& run, command c,
          std::string about) {
  // Once at a time: each life of a run asks anew.
  if (self->state.telling.emplace(run, about).second)
    tell_again(self, {{run, std::move(c)}, std::move(about)});
}

void forget(directory_self self, const tell_run& x) {
  self->state.telling.erase({x.what.run, x.about});
}

/// What they used who handed their conversation on to this run.
void add_handed(const event_store& store, child_done& done,
                std::optional<run_id> from) {
  while (from) {
    const auto state = load_run(store, *from);
    if (!state)
      return; // What is known of it is lost; the run's end is not.
    done.usage += state->progress.usage;
    done.cost_usd_micros += state->progress.cost_usd_micros;
    done.descendants += state->progress.descendants;
    from = state->header->handed_from;
  }
}

void tell_end(directory_self self, const run_settled& x) {
  const auto& r = x.result;
  child_done done;
  done.call = x.parent_call;
  done.status = r.status;
  done.content = r.status == run_status::completed ? r.output : r.reason;
  done.usage = r.usage;
  done.cost_usd_micros = r.cost_usd_micros;
  done.descendants = x.descendants;
  add_handed(*self->state.context->store, done, x.handed_from);
  tell(self, *x.parent, std::move(done), x.parent_call);
}

void refuse(directory_self self, const child_request& x, const error& why) {
  child_done done;
  done.call = x.child.call;
  done.status = run_status::failed;
  done.content = to_string(why);
  tell(self, x.from, std::move(done), x.child.call);
}

/// The run that was asked for is failed only if it is certain that it is not
/// there.
void refuse_or_retry(directory_self self, const child_request& x,
                     const error& why) {
  if (is_passing(why))
    self->delayed_send(self, retry_after, x);
  else
    refuse(self, x, why);
}

/// The conversation goes on there: all that who handed it over wants to know.
void tell_handed(directory_self self, const child_request& x) {
  child_done done;
  done.call = x.child.call;
  done.status = run_status::running;
  tell(self, x.from, std::move(done), x.child.call);
}

/// Tells the end of a run, or of who has its conversation by now, if it has
/// ended; else its actor will.
/// @returns Who has to end yet.
result<std::optional<run_row>> tell_if_ended(directory_self self,
                                             const run_id& parent,
                                             const std::string& call,
                                             run_id run) {
  const auto& store = *self->state.context->store;
  for (;;) {
    auto row = find_row(store, run);
    if (!row)
      return row.error();
    if (!is_terminal(row->status))
      return std::optional{std::move(*row)};
    const auto state = load_run(store, run);
    if (!state)
      return state.error();
    const auto r = result_of(run, *state);
    if (!r.handed_to) {
      tell_end(self, {r, 0, parent, call, state->progress.descendants,
                      state->header->handed_from});
      return std::optional<run_row>{};
    }
    run = *r.handed_to;
  }
}

/// It exists: go on with it, or tell how it ended.
void meet(directory_self self, const child_request& x, const run_row& row) {
  auto open = result<std::optional<run_row>>{row};
  if (x.child.handoff)
    tell_handed(self, x);
  else
    open = tell_if_ended(self, x.from, x.child.call, row.id);
  if (!open)
    refuse_or_retry(self, x, open.error());
  else if (*open && !is_at_rest((*open)->status))
    static_cast<void>(wake(self, **open)); // Or its owner goes on with it.
}

start_run start_of(const child_request& x, const agent_definition& definition) {
  start_run out;
  out.header = x.header;
  out.header.agent = definition.name;
  out.header.definition = definition.digest;
  out.header.limits = within(definition.limits, x.child.left);
  if (x.child.handoff)
    out.history = x.history;
  else
    out.input = user_message(x.child.prompt);
  return out;
}

/// Those above a run in its tree, from `parent` on.
std::vector<run_id> ancestors_from(const event_store& store,
                                   std::optional<run_id> parent) {
  std::vector<run_id> out;
  while (parent) {
    out.push_back(*parent);
    const auto row = store.find(*parent);
    parent = row && *row ? (*row)->parent : std::nullopt;
  }
  return out;
}

/// Where the conversation of `run` goes on by now.
run_id last_holder(const event_store& store, run_id run) {
  for (;;) {
    const auto row = store.find(run);
    if (!row || !*row || (*row)->status != run_status::completed)
      return run;
    const auto next = result_from_store(store, **row).handed_to;
    if (!next)
      return run;
    run = *next;
  }
}

template <class T>
void append(std::vector<T>& to, const std::vector<T>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

/// What runs ask of people.
void add_needs(run_result& to, const run_result& from) {
  append(to.approvals, from.approvals);
  append(to.in_doubt, from.in_doubt);
  append(to.questions, from.questions);
}

bool has_needs(const run_result& r) {
  return !r.approvals.empty() || !r.in_doubt.empty() || !r.questions.empty();
}

/// What the runs at rest below this one ask of people.
run_result needs_below(const event_store& store, const run_id& top) {
  run_result out;
  std::vector<run_id> above{top};
  run_query below;
  below.statuses = {run_status::waiting_on_human, run_status::waiting_on_child};
  while (!above.empty()) {
    below.parent = above.back();
    const auto rows = store.list(below);
    const bool is_page = rows && rows->size() == below.limit;
    below.after = is_page ? std::optional{rows->back().id} : std::nullopt;
    if (!is_page)
      above.pop_back();
    if (!rows)
      continue; // Their needs show when they are asked themselves.
    for (const auto& row : *rows) {
      if (row.status == run_status::waiting_on_human)
        add_needs(out, result_from_store(store, row));
      above.insert(above.begin(), row.id);
    }
  }
  return out;
}

/// A run came to rest: who waits for it, or for one above it, wants to know
/// that there is something to decide.
void tell_needs(directory_self self, const run_settled& x) {
  const auto& store = *self->state.context->store;
  const bool is_above = x.result.status == run_status::waiting_on_child;
  if (!is_above && x.result.status != run_status::waiting_on_human)
    return;
  auto awaited =
    ancestors_from(store, is_above ? std::optional{x.result.id} : x.parent);
  std::erase_if(awaited, [&](const run_id& each) {
    return !self->state.waiters.contains(each);
  });
  if (awaited.empty())
    return;
  const auto needs = is_above ? needs_below(store, x.result.id) : x.result;
  if (!has_needs(needs))
    return;
  for (const auto& each : awaited) {
    const auto row = store.find(each);
    if (!row || !*row)
      continue;
    auto result = result_from_store(store, **row);
    add_needs(result, needs);
    settle_waiters(self, result, true);
  }
}

} // namespace

void tell_again(directory_self self, const tell_run& x) {
  self->request(caf::actor_cast<directory_actor>(self), caf::infinite, x.what)
    .then([self, x](const run_receipt&) { forget(self, x); },
          [self, x](const caf::error& e) {
            // Refused by the run is heard, too.
            if (is_passing(from_caf(e)))
              self->delayed_send(self, retry_after, x);
            else
              forget(self, x);
          });
}

void start_child_run(directory_self self, const child_request& x) {
  auto& st = self->state;
  const auto id = child_id(x.from, x.child.call);
  const auto row = st.context->store->find(id);
  if (!row)
    return refuse_or_retry(self, x, row.error());
  if (*row)
    return meet(self, x, **row);
  if (st.live->contains(id)) {
    // It is starting already. Who asked for that may have been a directory that
    // is no more, so we look how it went.
    self->delayed_send(self, retry_after, x);
    return;
  }
  // Tried again, it may come after the end of who asked.
  if (const auto from = find_row(*st.context->store, x.from);
      from && is_terminal(from->status))
    return;
  auto agent = find_agent(*st.agents, x.child.agent);
  if (!agent)
    return refuse(self, x, agent.error());
  auto start = start_of(x, *(*agent)->definition);
  auto& run = admit(self, id, std::move(*agent), true);
  ++run.commands_sent;
  self->request(run.actor, caf::infinite, run_command{id, std::move(start)})
    .then(
      [self, x](const run_receipt&) {
        if (x.child.handoff)
          tell_handed(self, x);
      },
      [self, id, x](const caf::error& e) {
        self->state.live->erase(id);
        // It may exist: the append was durable, or another process was faster.
        const auto there = self->state.context->store->find(id);
        if (there && *there)
          meet(self, x, **there);
        else
          refuse_or_retry(self, x, there ? from_caf(e) : there.error());
      });
}

void tell_parent(directory_self self, const run_settled& x) {
  if (!is_terminal(x.result.status))
    return tell_needs(self, x);
  if (!x.parent)
    return;
  if (!x.result.handed_to)
    tell_end(self, x);
  else if (const auto open = // That one will tell, unless it was faster.
           tell_if_ended(self, *x.parent, x.parent_call, *x.result.handed_to);
           !open && is_passing(open.error()))
    self->delayed_send(self, retry_after, x);
}

void cancel_all(directory_self self, const cancel_children& x) {
  for (const auto& run : x.runs)
    tell(self, last_holder(*self->state.context->store, run),
         cancel_run{x.by, "it has ended", {}}, "cancel");
}

void cancel_if_orphan(directory_self self, const run_row& row) {
  if (!row.parent)
    return;
  const auto parent = self->state.context->store->find(*row.parent);
  if (parent && *parent && is_terminal((*parent)->status))
    cancel_all(self, {{row.id}, "run " + row.parent->str()});
}

} // namespace kestrion::directory_parts
