#pragma once

#include <kestrion/scheduler/token_scheduler.hpp>

#include <map>
#include <string>
#include <vector>

namespace kestrion {

/// What the scheduler of a runtime keeps to from its start.
struct call_rules {
  std::vector<limit_spec> limits = {};
  /// Shares of tenants; who is not named has 1.
  std::map<std::string, double> weights = {};
  /// What tenants may use, each as a whole.
  std::map<std::string, budget_limits> budgets = {};
  scheduler_options options = {};
};

} // namespace kestrion
