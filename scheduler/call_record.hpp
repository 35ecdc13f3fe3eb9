#pragma once

#include <kestrion/scheduler/call_limit.hpp>
#include <kestrion/scheduler/fair_queue.hpp>
#include <kestrion/scheduler/token_scheduler.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace kestrion {

/// What a scheduler knows of one call, from its reservation to its end.
struct call_record {
  enum class stage : std::uint8_t { budget, prefix, queued, granted };

  fair_queue::item item; ///< Its place in the queue of its route and lane.
  std::size_t route = 0;
  call_lane lane = call_lane::batch;
  stage at = stage::queued;
  call_cost cost; ///< To be reserved.
  std::string agent;
  std::int64_t input_bytes = 0;
  std::int64_t output_tokens_max = 0;
  std::optional<timestamp> deadline;
  std::string prefix; ///< With its route; empty: none.
  std::optional<budget_tree::node> budget;
  std::optional<budget_tree::node> waits_for_budget;
  budget_amount most;
  timestamp reserved_at;
  timestamp granted_at;
  std::uint64_t tag = 0;
  std::vector<call_limit::hold> holds;
};

using call_map = std::unordered_map<call_ticket, call_record>;

} // namespace kestrion
