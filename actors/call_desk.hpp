#pragma once

#include <kestrion/actors/run_budget.hpp>
#include <kestrion/scheduler/token_scheduler.hpp>

#include <caf/actor_addr.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

namespace kestrion {

/// A run wants to call a model.
struct reserve_call {
  std::uint64_t permit = 0; ///< Its number, unique in this process.
  caf::actor_addr holder;   ///< A run; its death gives the permit back.
  call_request request;
  /// Of a run that belongs with others: those above that are not known yet, and
  /// itself.
  std::vector<run_budget> budgets = {};
};

/// Nobody waits for the call any more.
struct call_released {
  bool sent = false; ///< The server may have got it.
  /// Then: nobody knows whether it has to be paid for.
  bool may_cost = true;
};
using call_end = std::variant<call_usage, call_released, throttle>;

/// A call that waited or was made has ended.
struct end_call {
  run_id run;
  std::uint64_t permit = 0;
  call_end how;
  std::vector<limit_report> limits = {}; ///< What the server said of them.
};

/// A run needs its budget no more, or not before it asks again.
struct leave_budget {
  run_id run;
};
using call_note = std::variant<reserve_call, end_call, leave_budget>;

/// What runs tell the scheduler. It lies here, not in a mailbox, until it is
/// taken up, so that nothing is lost when the actor ends and another one goes
/// on: a lost reservation would make a run wait for ever, a lost end would keep
/// its permit.
/// @par Threading All members from any thread.
class call_desk {
public:
  /// @param note  What a `call_note` may be.
  /// @returns Whether the scheduler has to be told: before, nothing lay here.
  template <class Note>
  bool put(Note&& note) {
    const std::lock_guard lock{mutex_};
    notes_.emplace_back(std::forward<Note>(note));
    return notes_.size() == 1;
  }

  /// @param into  Gets them, in the order in which they came; what it had is
  ///              gone. Use the same one again: its memory goes round, but for
  ///              that of a rush.
  void take(std::vector<call_note>& into) {
    constexpr std::size_t kept_max = 1'024;
    into.clear();
    if (into.capacity() > kept_max)
      into = {};
    const std::lock_guard lock{mutex_};
    notes_.swap(into);
  }

  /// Whether a run has a budget with the scheduler. It has one from the moment
  /// when it, or one below it, asked for the first time.
  bool has_budget(const run_id& run) const {
    const std::lock_guard lock{mutex_};
    return budgets_.contains(run);
  }

  /// From now on it has, or has not.
  void set_budget(const run_id& run, bool has) {
    const std::lock_guard lock{mutex_};
    if (has)
      budgets_.insert(run);
    else
      budgets_.erase(run);
  }

  /// Numbers permits.
  std::uint64_t next_permit() { return ++last_permit_; }

  /// Something is declared, so that each call has to ask.
  std::atomic<bool> has_rules{false};
  /// Calls that wait, as the scheduler last saw it.
  std::atomic<std::size_t> waiting{0};

private:
  mutable std::mutex mutex_;
  std::vector<call_note> notes_;
  std::unordered_set<run_id> budgets_;
  std::atomic<std::uint64_t> last_permit_{0};
};

} // namespace kestrion
