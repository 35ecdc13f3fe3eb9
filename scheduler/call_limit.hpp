#pragma once

#include <kestrion/scheduler/limit_spec.hpp>
#include <kestrion/scheduler/pause_gate.hpp>
#include <kestrion/scheduler/token_bucket.hpp>
#include <kestrion/scheduler/window_limit.hpp>

#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <variant>

namespace kestrion {

/// Tokens of one call.
struct call_cost {
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  bool operator==(const call_cost&) const = default;
};

/// One limit at work: what is used of it, what is reserved, and whether the
/// server has asked for a pause.
/// @par Threading Owner only.
class call_limit {
public:
  /// What one call holds of one limit.
  struct hold {
    call_limit* of = nullptr;
    std::int64_t amount = 0;
    window_limit::slot slot = 0;
  };

  call_limit(limit_spec spec, timestamp now);

  const limit_spec& spec() const { return spec_; }

  /// What a call takes: never more than the limit as a whole, so that whatever
  /// is estimated too high can still go, alone.
  std::int64_t need(const call_cost& cost) const;
  /// What it would take if the limit were large enough.
  std::int64_t wanted(const call_cost& cost) const;

  /// When so much may be taken, if nothing changes till then; the end of time
  /// if something has to be given back first.
  timestamp ready_at(std::int64_t amount, bool urgent, timestamp now);

  hold take(std::int64_t amount, bool urgent, timestamp now);

  /// The call used so much.
  void settle(const hold& held, const call_cost& used, timestamp now);
  /// The server never counted the call.
  void give_back(const hold& held, timestamp now);

  /// Corrects what we believe.
  void believe(const limit_report& report, timestamp now);
  /// Somebody declared another amount.
  void resize(std::int64_t amount, timestamp now);
  /// The server refused a call: nothing is there.
  void empty(timestamp now);

  /// Our part of one that processes share; before the first there is nothing.
  void set_slice(std::int64_t amount, timestamp until, timestamp now);
  /// @param waiting  What waits for it here.
  limit_need need_of_slice(std::int64_t waiting, timestamp now);
  bool is_shared() const { return spec_.across_processes; }

  std::int64_t available(timestamp now);
  std::int64_t in_flight() const { return in_flight_; }

  pause_gate gate;
  /// The pass in which a call has claimed it that waits for it.
  std::uint64_t claimed = 0;

private:
  std::int64_t whole() const;
  void set_amount(std::int64_t amount, timestamp now);
  void end(const hold& held, std::int64_t used, timestamp now);
  void note(std::int64_t amount, timestamp now);
  std::int64_t unseen(timestamp now);

  limit_spec spec_;
  std::int64_t total_; ///< Of one that is shared; its spec has our slice.
  timestamp slice_until_ = timestamp::min();
  std::int64_t slice_ = 0;
  bool at_end_;
  /// Concurrency has neither.
  std::variant<std::monostate, token_bucket, window_limit> meter_;
  /// Spreads batch over a window while urgent calls come, so that there is
  /// something left for them at any time.
  std::optional<token_bucket> pace_;
  timestamp urgent_at_ = timestamp::min();
  std::int64_t held_ = 0; ///< Reserved, to be charged at the end.
  std::int64_t in_flight_ = 0;
  /// Taken lately: the server may not have counted it when it answers.
  std::deque<std::pair<timestamp, std::int64_t>> recent_;
  std::int64_t recent_sum_ = 0;
};

} // namespace kestrion
