#pragma once

#include <kestrion/actors/call_rules.hpp>
#include <kestrion/messages/run_id.hpp>

#include <caf/actor_addr.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace kestrion {

/// What the scheduler knows. It outlives the actor: the one that is started
/// after it goes on with the same limits, so that what was used of them stays
/// used, and with the same waiters and permits.
/// @par Threading The scheduler's actor only.
struct permit_book {
  struct permit {
    call_ticket ticket = 0;
    run_id run;
    bool is_granted = false;
  };
  /// The life of a run that asked.
  struct holder {
    caf::actor_addr actor;
    std::vector<std::uint64_t> permits;
  };

  explicit permit_book(scheduler_options options) : scheduler(options) {}

  token_scheduler scheduler;
  std::unordered_map<std::uint64_t, permit> permits; ///< By number.
  std::unordered_map<call_ticket, std::uint64_t> numbers;
  std::unordered_map<run_id, holder> holders;
  std::size_t waiting = 0;
  std::string process; ///< What we are called where processes share limits.
  /// Of such limits: which slices are ours.
  std::map<std::string, std::uint64_t> leases;
};

/// The node of the budget tree that is a tenant's.
std::string tenant_budget(const std::string& tenant);

/// @par Errors `invalid_argument`: a limit, weight or budget out of its range.
result<std::shared_ptr<permit_book>> open_permit_book(const call_rules& rules,
                                                      timestamp now);

} // namespace kestrion
