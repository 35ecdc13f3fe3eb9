#pragma once

#include <kestrion/scheduler/call_limit.hpp>
#include <kestrion/scheduler/fair_queue.hpp>
#include <kestrion/scheduler/token_scheduler.hpp>

#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_map.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace kestrion {

/// What a scheduler knows of one call, from its reservation to its end.
struct call_record : fair_queue::item {
  enum class stage : std::uint8_t { budget, prefix, queued, granted };

  std::size_t route = 0;
  call_lane lane = call_lane::batch;
  stage at = stage::queued;
  call_cost needs; ///< To be reserved.
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
  boost::container::small_vector<call_limit::hold, 4> holds;
};

/// Records stay where they are.
using call_map = boost::unordered_map<call_ticket, call_record>;

} // namespace kestrion
