#pragma once

#include <kestrion/actors/run_state.hpp>
#include <kestrion/scheduler/budget_tree.hpp>
#include <kestrion/store/event_store.hpp>

#include <optional>
#include <string>
#include <vector>

namespace kestrion {

/// A run in the tree of budgets. Runs that belong together have their places
/// there, so that those that work at the same time can't overrun together what
/// one above them may use.
struct run_budget {
  run_id run;
  std::optional<run_id> parent;
  budget_limits limits;
  budget_amount used; ///< By it, and by those below it that have ended.
};

/// The name of its node.
std::string budget_name(const run_id& run);

/// @param run  Has a header.
run_budget budget_of(const run_id& run, const run_state& state);

/// All of a run's tree that has not ended, those above first: for a process
/// that knows nothing of it. What can't be read is left out.
std::vector<run_budget> budgets_around(const event_store& store,
                                       const run_id& run);

} // namespace kestrion
