#pragma once

#include <kestrion/scheduler/call_limit.hpp>
#include <kestrion/scheduler/fair_queue.hpp>
#include <kestrion/scheduler/fetch.hpp>
#include <kestrion/scheduler/token_scheduler.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kestrion {

/// What a scheduler knows of one call, from its reservation to its end. There
/// may be very many, so it is kept small: four lines of a cache.
struct alignas(cache_line) call_record : fair_queue::item {
  enum class stage : std::uint8_t { budget, prefix, queued, granted };

  std::uint32_t route = 0;
  std::uint32_t agent = 0; ///< To the route's estimator.
  call_lane lane = call_lane::batch;
  stage at = stage::queued;
  call_cost needs; ///< To be reserved.
  std::int64_t input_bytes = 0;
  std::int64_t output_tokens_max = 0;
  timestamp reserved_at;
  timestamp granted_at;
  std::uint64_t tag = 0;
  std::vector<call_limit::hold> holds; ///< Of a permit.
  std::optional<timestamp> deadline;
  std::optional<budget_tree::node> budget;
  std::optional<budget_tree::node> waits_for_budget;
  budget_amount most;
  std::string prefix; ///< With its route; empty: none.
};

} // namespace kestrion
