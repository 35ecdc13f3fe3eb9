#pragma once

#include <kestrion/messages/error.hpp>
#include <kestrion/messages/event.hpp>
#include <kestrion/messages/run_id.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Hearing of what happens to runs while it happens.
namespace kestrion {

/// Which events somebody wants to hear of; what is not set does not restrict.
///
/// Without `run`, these are the events of runs that live in this process. With
/// it, also those that another process appends over the same store.
struct event_filter {
  std::optional<run_id> run = {};
  std::optional<run_id> parent = {}; ///< Runs that this one started.
  std::optional<run_id> tree = {};   ///< This run and all below it.
  std::optional<std::string> agent = {};
  std::optional<std::string> tenant = {};
  /// Tags of events, `run_failed::tag` say; any of these; empty: all.
  std::vector<std::string> kinds = {};
  /// Only with `run`: from this event of its log on, 1 for all of it. Nothing:
  /// what is appended from now on.
  std::optional<std::uint64_t> from_seq = {};
};

/// An event, after it is durable. Those of one run come in their order, each
/// once.
struct run_event {
  run_id run;
  recorded_event event;
};

/// A subscriber was so slow that events were left out; the store has them. Who
/// watches a single run misses nothing, and lags behind instead.
struct events_missed {
  run_id run;                 ///< None (`!run`): nobody knows of which runs.
  std::uint64_t from_seq = 0; ///< The first that was left out.
  std::uint64_t count = 0;    ///< Of those that fit the filter; 0: unknown.
};

/// What a subscriber may have before it until it has dealt with some.
inline constexpr std::size_t events_in_flight_max = 1'024;

/// What a filter asks about a run.
struct run_facts {
  std::string agent;
  std::optional<std::string> tenant;
  std::vector<run_id> above; ///< Its parent first, then that one's.
};

/// Whether events of this run are wanted.
bool is_wanted(const event_filter& filter, const run_id& run,
               const run_facts& facts);

/// Whether events with this tag are wanted.
bool is_wanted(const event_filter& filter, std::string_view tag);

/// @par Errors `invalid_argument`: a kind that no event has; `from_seq` without
///   `run`, or 0.
result<void> check(const event_filter& filter);

/// Ends what `runtime::watch` began, when it goes: no call comes afterwards. It
/// may outlive its runtime, which has ended it then.
/// @par Threading One at a time. If the callback itself destroys it, it does
///   not wait for that.
class subscription {
public:
  subscription() = default; ///< Of nothing.
  explicit subscription(std::function<void()> end) : end_(std::move(end)) {}
  ~subscription() { reset(); }
  subscription(subscription&& other) noexcept
    : end_(std::exchange(other.end_, {})) {}
  subscription& operator=(subscription&& other) noexcept {
    if (this != &other) {
      reset();
      end_ = std::exchange(other.end_, {});
    }
    return *this;
  }

  /// Ends it now; waits for a call that is under way.
  void reset() {
    if (const auto end = std::exchange(end_, {}))
      end();
  }

  explicit operator bool() const { return static_cast<bool>(end_); }

private:
  std::function<void()> end_;
};

} // namespace kestrion
