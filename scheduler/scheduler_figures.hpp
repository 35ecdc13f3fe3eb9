#pragma once

#include <kestrion/messages/time.hpp>

#include <kestrion/scheduler/limit_spec.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/// What a scheduler counts, as plain values; names are those of the metrics.
namespace kestrion {

/// Durations, counted by upper bounds; the last slot counts what is longer.
struct wait_histogram {
  static constexpr std::array<duration, 10> bounds{
    std::chrono::milliseconds{1},   std::chrono::milliseconds{10},
    std::chrono::milliseconds{100}, std::chrono::milliseconds{500},
    std::chrono::seconds{1},        std::chrono::seconds{5},
    std::chrono::seconds{15},       std::chrono::minutes{1},
    std::chrono::minutes{5},        std::chrono::minutes{15}};
  std::array<std::uint64_t, bounds.size() + 1> counts{};
  duration sum{};

  void add(duration waited);
};

/// One limit now.
struct limit_figures {
  std::string name;
  limit_kind kind = limit_kind::requests;
  std::int64_t amount = 0;    ///< A period.
  std::int64_t available = 0; ///< Below 0: used more than it allows.
  std::int64_t in_flight = 0; ///< Calls that hold permits.
  bool paused = false;
};

/// A scheduler's counters since its start, and its gauges now.
struct scheduler_figures {
  std::uint64_t reserved = 0; ///< Calls that asked and were not refused.
  std::uint64_t granted = 0;
  std::uint64_t committed = 0;
  std::uint64_t released = 0;
  std::uint64_t cancelled = 0; ///< While they waited.
  std::uint64_t throttled = 0; ///< Refused by servers: 429s.
  std::uint64_t pauses = 0;
  std::uint64_t refused_queue_full = 0;
  std::uint64_t refused_deadline = 0;
  std::uint64_t refused_quota = 0;
  std::uint64_t refused_budget = 0;
  std::int64_t estimated_tokens = 0; ///< Of calls that were committed.
  std::int64_t actual_tokens = 0;    ///< Of the same calls.
  std::size_t waiting = 0;           ///< Now.
  std::size_t in_flight = 0;         ///< Now.
  wait_histogram batch_wait;
  wait_histogram interactive_wait;
  std::vector<limit_figures> limits;
};

} // namespace kestrion
