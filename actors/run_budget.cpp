#include <kestrion/actors/run_budget.hpp>

#include <kestrion/actors/run_queries.hpp>

namespace kestrion {

namespace {

budget_amount used_by(const run_progress& p) {
  return {p.cost_usd_micros, p.usage.total() + p.lost_tokens_estimate, p.turns};
}

/// The one at the top of its tree, as far as it has not ended.
run_id top_of(const event_store& store, run_id run) {
  for (;;) {
    const auto row = store.find(run);
    if (!row || !*row || !(*row)->parent)
      return run;
    const auto above = store.find(*(*row)->parent);
    if (!above || !*above || is_terminal((*above)->status))
      return run;
    run = (*above)->id;
  }
}

void add_tree(std::vector<run_budget>& out, const event_store& store,
              const run_id& run);

/// The run of a call and those that its conversation moved on to. What the
/// ended ones used counts for `above`, which has not heard of it.
void add_child(std::vector<run_budget>& out, const event_store& store,
               std::size_t above, run_id child) {
  for (;;) {
    const auto row = store.find(child);
    if (!row || !*row)
      return; // It has yet to be started.
    if (!is_terminal((*row)->status))
      return add_tree(out, store, child);
    const auto state = load_run(store, child);
    if (!state)
      return;
    out[above].used += used_by(state->progress);
    const auto& moved = state->progress.handed_over;
    if (!moved)
      return;
    child = child_id(child, moved->call);
  }
}

void add_tree(std::vector<run_budget>& out, const event_store& store,
              const run_id& run) {
  const auto state = load_run(store, run);
  if (!state || state->progress.seq == 0)
    return;
  const auto at = out.size();
  out.push_back(budget_of(run, *state));
  for (const auto& call : open_children(*state))
    add_child(out, store, at, child_id(run, call));
}

} // namespace

std::string budget_name(const run_id& run) {
  return "run " + run.str();
}

run_budget budget_of(const run_id& run, const run_state& state) {
  const auto limits = limits_of(state);
  run_budget out;
  out.run = run;
  out.parent = state.header->parent;
  out.limits.tokens_max = limits.tokens_max;
  out.limits.usd_micros_max = limits.cost_usd_micros_max;
  out.limits.ends_at = later(state.progress.started_at, limits.wall_time_max);
  out.limits.last_may_exceed = true; // As of a run alone.
  out.used = used_by(state.progress);
  return out;
}

std::vector<run_budget> budgets_around(const event_store& store,
                                       const run_id& run) {
  std::vector<run_budget> out;
  add_tree(out, store, top_of(store, run));
  return out;
}

} // namespace kestrion
