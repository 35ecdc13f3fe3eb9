#include <kestrion/actors/directory_parts.hpp>

/// Runs that belong to runs: their start, and how their ends get around.
namespace kestrion::directory_parts {

namespace {

void tell(directory_self self, const run_id& run, command c) {
  forward(self, {run, std::move(c)}, receipt_promise{}); // Nobody asks.
}

void tell_end(directory_self self, const run_id& parent,
              const std::string& call, const run_result& r,
              std::int64_t descendants) {
  child_done done;
  done.call = call;
  done.status = r.status;
  done.content = r.status == run_status::completed ? r.output : r.reason;
  done.usage = r.usage;
  done.cost_usd_micros = r.cost_usd_micros;
  done.descendants = descendants;
  tell(self, parent, std::move(done));
}

void refuse(directory_self self, const child_request& x, const error& why) {
  child_done done;
  done.call = x.child.call;
  done.status = run_status::failed;
  done.content = to_string(why);
  tell(self, x.parent, std::move(done));
}

/// It exists: go on with it, or tell how it ended.
void meet(directory_self self, const child_request& x, const run_row& row) {
  if (is_at_rest(row.status) && !is_terminal(row.status))
    return; // It will be heard of.
  if (!is_terminal(row.status)) {
    static_cast<void>(ensure(self, row)); // Or its owner tells.
    return;
  }
  const auto& store = *self->state.context->store;
  const auto state = load_run(store, row.id);
  if (!state)
    return refuse(self, x, state.error());
  tell_end(self, x.parent, x.child.call, result_of(row.id, *state),
           state->progress.descendants);
}

start_run start_of(const child_request& x, const agent_definition& definition) {
  start_run out;
  out.header.agent = definition.name;
  out.header.definition = definition.digest;
  out.header.limits = within(definition.limits, x.child.left);
  out.header.parent = x.parent;
  out.header.parent_call = x.child.call;
  out.header.tenant = x.tenant;
  out.header.depth = x.child.depth;
  out.input = user_message(x.child.prompt);
  return out;
}

/// Those above `run` in its tree, from the parent on.
std::vector<run_id> ancestors_of(const event_store& store,
                                 std::optional<run_id> parent) {
  std::vector<run_id> out;
  while (parent) {
    out.push_back(*parent);
    const auto row = store.find(*parent);
    parent = row && *row ? (*row)->parent : std::nullopt;
  }
  return out;
}

} // namespace

void start_child_run(directory_self self, const child_request& x) {
  auto& st = self->state;
  const auto id = child_id(x.parent, x.child.call);
  if (st.live.contains(id))
    return; // Its end will be told.
  const auto row = st.context->store->find(id);
  if (!row)
    return refuse(self, x, row.error());
  if (*row)
    return meet(self, x, **row);
  auto agent = find_agent(*st.agents, x.child.agent);
  if (!agent)
    return refuse(self, x, agent.error());
  auto start = start_of(x, *(*agent)->definition);
  auto& run = admit(self, id, std::move(*agent), true);
  ++run.commands_sent;
  self->request(run.actor, caf::infinite, run_command{id, std::move(start)})
    .then(
      [](const run_receipt&) {
        // Its end will be told.
      },
      [self, id, x](const caf::error& e) {
        self->state.live.erase(id);
        // Another process may have started it: then it exists.
        const auto there = self->state.context->store->find(id);
        if (there && *there)
          meet(self, x, **there);
        else
          refuse(self, x, from_caf(e));
      });
}

void tell_parent(directory_self self, const run_settled& x) {
  if (!x.parent)
    return;
  if (is_terminal(x.result.status)) {
    tell_end(self, *x.parent, x.parent_call, x.result, x.descendants);
    return;
  }
  if (x.result.status != run_status::waiting_on_human)
    return;
  // Who waits for a run above wants to know that it needs a person.
  const auto& store = *self->state.context->store;
  for (const auto& above : ancestors_of(store, x.parent)) {
    if (!self->state.waiters.contains(above))
      continue;
    const auto row = store.find(above);
    if (!row || !*row)
      continue;
    auto result = result_from_store(store, **row);
    result.approvals.insert(result.approvals.end(), x.result.approvals.begin(),
                            x.result.approvals.end());
    result.in_doubt.insert(result.in_doubt.end(), x.result.in_doubt.begin(),
                           x.result.in_doubt.end());
    settle_waiters(self, result, true);
  }
}

void cancel_all(directory_self self, const cancel_children& x) {
  for (const auto& run : x.runs)
    tell(self, run, cancel_run{x.by, "it has ended", {}});
}

void cancel_if_orphan(directory_self self, const run_row& row) {
  if (!row.parent)
    return;
  const auto parent = self->state.context->store->find(*row.parent);
  if (parent && *parent && is_terminal((*parent)->status))
    cancel_all(self, {{row.id}, "run " + row.parent->str()});
}

} // namespace kestrion::directory_parts
