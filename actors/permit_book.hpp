#pragma once

#include <kestrion/actors/call_rules.hpp>
#include <kestrion/actors/run_budget.hpp>
#include <kestrion/messages/run_id.hpp>

#include <kestrion/scheduler/fetch.hpp>
#include <kestrion/scheduler/slab_table.hpp>

#include <boost/container/small_vector.hpp>
#include <caf/actor_addr.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace kestrion {

/// What the scheduler knows. It outlives the actor: the one that is started
/// after it goes on with the same limits, so that what was used of them stays
/// used, and with the same waiters and permits.
/// @par Threading The scheduler's actor only.
struct permit_book {
  struct permit {
    std::uint64_t number = 0;
    call_ticket ticket = 0;
  };
  /// The life of a run that asked. As small as a line of a cache, for there may
  /// be very many.
  struct alignas(cache_line) holder {
    permit* find(std::uint64_t number);
    permit* find_ticket(call_ticket ticket);

    caf::actor_addr actor;
    std::uint32_t place = 0;                           ///< Of itself.
    boost::container::small_vector<permit, 1> permits; ///< In their order.
  };
  static_assert(sizeof(holder) == cache_line);

  explicit permit_book(scheduler_options options) : scheduler(options) {}

  token_scheduler scheduler;
  slab_table<run_id, holder> holders;
  /// Of limits that processes share: which slices are ours.
  std::map<std::string, std::uint64_t> leases;
};

/// Puts runs that belong together, those above first, into the tree of budgets:
/// below those that started them, the first below their tenant.
/// @returns The budget of the last one; without any, that of the tenant; empty:
///          none.
std::string place_budgets(token_scheduler& scheduler, const std::string& tenant,
                          const std::vector<run_budget>& runs, timestamp now);

/// @par Errors `invalid_argument`: a limit, weight or budget out of its range.
result<std::shared_ptr<permit_book>> open_permit_book(const call_rules& rules,
                                                      timestamp now);

} // namespace kestrion
