#pragma once

#include <kestrion/messages/call_lane.hpp>
#include <kestrion/messages/conversation.hpp>
#include <kestrion/messages/error.hpp>
#include <kestrion/messages/run_id.hpp>
#include <kestrion/messages/time.hpp>

#include <kestrion/scheduler/budget_tree.hpp>
#include <kestrion/scheduler/limit_spec.hpp>
#include <kestrion/scheduler/scheduler_figures.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// Who may call a model now: shared limits, fairly, without 429s. Pure policy:
/// time is a parameter, what happened is told, who may go on is asked for.
///
///     reserve -> waiting -> granted -> commit | release
///                   |-> refused           throttled, report: on the way
///                   |-> cancel
///
/// After each call, `poll` gives what was decided, and `next_event` says when
/// to poll again if nothing else happens. docs/scheduler.md says how it
/// decides.
namespace kestrion {

/// A call from its reservation to its end: waiting first, then a permit.
using call_ticket = std::uint64_t;

/// What a call wants.
struct call_request {
  std::string tenant;
  run_id run;
  std::string agent; ///< Its outputs are learnt from; may be empty.
  call_route route;
  std::int64_t input_bytes = 0; ///< Of the whole request; gives an estimate.
  /// If known (counted before): instead of the estimate from bytes.
  std::optional<std::int64_t> input_tokens{};
  std::int64_t output_tokens_max = 0; ///< As declared to the model.
  call_lane lane = call_lane::batch;
  /// Within its tenant: each step is a head start of so many tokens
  /// (`scheduler_options::priority_step_tokens`). -100 to 100.
  int priority = 0;
  /// If it can't have started by then it is refused, at once if that is known.
  std::optional<timestamp> deadline{};
  /// Same text, same beginning of the prompt in the server's cache; empty:
  /// none.
  std::string prefix{};
  /// Node of the budget tree; empty: none.
  std::string budget{};
  /// The most that the call can cost, for its budget.
  budget_amount most{};
  std::uint64_t tag = 0; ///< The caller's own; comes back with the outcome.
};

/// It may start now. Ends with `commit` or `release`, always.
struct call_granted {
  call_ticket ticket = 0;
  run_id run;
  duration waited{};
  std::int64_t input_tokens = 0;  ///< Reserved.
  std::int64_t output_tokens = 0; ///< Reserved; may be less than the maximum.
  std::uint64_t tag = 0;
};

/// It will not start; the ticket is gone.
/// @par Errors `timeout`: its deadline. `quota_exhausted`: the provider says
///             that nothing is left. `limit_exceeded`: a budget is used up;
///             `budget` says which.
struct call_refused {
  call_ticket ticket = 0;
  run_id run;
  error why;
  std::optional<budget_refusal> budget{};
  std::uint64_t tag = 0;
};

using call_outcome = std::variant<call_granted, call_refused>;

/// What a call really used.
struct call_usage {
  token_usage tokens;
  /// What of it counts for limits of input tokens, where the provider leaves
  /// out what came from its cache. Not set: all three kinds of input.
  std::optional<std::int64_t> limited_input_tokens{};
  std::int64_t cost_usd_micros = 0;
};

/// A server refused a call for a limit.
struct throttle {
  /// Nothing is left, and waiting for seconds is useless: fails who waits.
  bool quota_exhausted = false;
  /// The limit it named; not set: all calls of the route are paused.
  std::optional<limit_kind> kind{};
  std::optional<duration> retry_after{};
};

/// Why a call waits.
struct call_waiting {
  std::string reason; ///< The name of a limit, "prefix", "budget" or "turn".
  std::size_t before = 0; ///< About so many go before it.
  /// About; not set if it depends on calls that are in flight.
  std::optional<duration> wait{};
};

/// What bounds a scheduler.
struct scheduler_options {
  std::size_t waiting_max = 200'000;
  std::size_t tenant_waiting_max = 200'000;
  /// No server pauses a limit for longer, whatever it says.
  duration pause_max = std::chrono::minutes{5};
  /// A pause of which the server does not say how long; doubled each time it
  /// says so again.
  duration pause_first = std::chrono::seconds{1};
  /// So long calls fail fast after a server said that a quota is used up.
  duration quota_pause = std::chrono::minutes{1};
  /// So long, at most, a call waits for another one to warm the cache.
  duration prefix_wait_max = std::chrono::seconds{20};
  /// So long after its last use a prefix is believed to be in the cache.
  duration prefix_ttl = std::chrono::minutes{4};
  double interactive_share = 0.9; ///< The rest is left to batch.
  std::int64_t priority_step_tokens = 50'000;
  /// Learn limits that no one declared from what servers report.
  bool learn_limits = true;
};

class scheduler_core;

/// @par Threading Owner only.
class token_scheduler {
public:
  explicit token_scheduler(scheduler_options options = {});
  ~token_scheduler();
  token_scheduler(token_scheduler&&) noexcept;
  token_scheduler& operator=(token_scheduler&&) noexcept;

  /// Adds a limit, or changes the one of that name; what was used of it stays
  /// used. A limit of the same name keeps kind, period and shape.
  /// @par Errors `invalid_argument`: a part is out of its range.
  result<void> declare(const limit_spec& limit, timestamp now);

  /// The share of a tenant; 1 if never said. @param weight  0.001 to 1,000.
  void set_weight(std::string_view tenant, double weight);

  /// See `budget_tree::set`. Calls that wait for more may go on.
  /// @param used  At least so much was; see `budget_tree::raise_to`.
  result<void> set_budget(std::string_view name, std::string_view parent,
                          const budget_limits& limits, timestamp now,
                          const budget_amount& used = {});
  /// See `budget_tree::remove`.
  void remove_budget(std::string_view name);
  const budget_tree& budgets() const;

  /// Asks for a permit. What becomes of it comes from `poll`, maybe at once.
  /// @par Errors `unavailable`: too many wait. `timeout`: its deadline can't be
  ///             met. `quota_exhausted`: see `throttle`. `not_found`: no such
  ///             budget. `invalid_argument`: a negative amount, or a priority
  ///             out of its range. A budget that is used up refuses in `poll`.
  result<call_ticket> reserve(const call_request& request, timestamp now);

  /// Takes a waiting call out. Of a permit: as `release` with `sent`.
  /// @returns Whether there was such a ticket.
  bool cancel(call_ticket ticket, timestamp now);

  /// The call was answered, and used this. Unknown tickets are ignored, here
  /// and below: late and repeated messages do no harm.
  void commit(call_ticket ticket, const call_usage& actual, timestamp now);

  /// The call has no answer: it failed, or its holder died. A waiting one is
  /// taken out.
  /// @param sent  Whether the server may have got it. Then what such a call
  ///              uses on average stays charged.
  /// @param may_cost  Of one that was sent: nobody knows whether it has to be
  ///              paid for. Then what it reserved of its budget counts as used.
  void release(call_ticket ticket, bool sent, timestamp now,
               bool may_cost = true);

  /// The server refused the call; ends the permit, nothing was used. Pauses
  /// once for everyone, however many calls of one burst are refused.
  void throttled(call_ticket ticket, const throttle& how, timestamp now);

  /// What an answer says of limits. Before the `commit` of its call.
  void report(call_ticket ticket, const limit_report& what, timestamp now);

  /// Decides what can be decided now.
  /// @returns Each outcome once; there until the next `poll`.
  const std::vector<call_outcome>& poll(timestamp now);

  /// When to poll again if nothing else is told before; not set: never.
  std::optional<timestamp> next_event(timestamp now) const;

  /// Why a call waits; not set if it does not.
  std::optional<call_waiting> waiting(call_ticket ticket, timestamp now) const;

  std::size_t calls_waiting() const;

  /// What the limits need that are shared across processes: for who gets us
  /// slices of them.
  std::vector<limit_need> limit_needs(timestamp now) const;

  /// Our slice of such a limit; ignored if there is no such.
  void set_slice(const limit_slice& slice, timestamp now);

  /// Counts since the start, and of now.
  scheduler_figures figures(timestamp now) const;

private:
  std::unique_ptr<scheduler_core> core_;
};

} // namespace kestrion
