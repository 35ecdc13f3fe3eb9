#pragma once

#include <kestrion/actors/run_result.hpp>
#include <kestrion/messages/event.hpp>

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace kestrion {

/// One line of a run's timeline: one event of its log.
struct trace_entry {
  std::uint64_t seq = 0;
  timestamp at;
  std::string what;             ///< The event's tag: "tool_call_completed".
  std::string call;             ///< The effect it is about; may be empty.
  std::string detail;           ///< In words: the tool, who decided, why.
  std::optional<duration> took; ///< Of the call that ended here.
  std::optional<token_usage> usage;
  std::optional<std::int64_t> cost_usd_micros; ///< Nothing: price unknown.
  bool operator==(const trace_entry&) const = default;
};

/// What happened, when, how long it took, what it cost and who decided.
struct run_trace {
  run_result result;
  timestamp started_at;
  timestamp updated_at;
  std::vector<trace_entry> entries;
};

/// Reads the timeline out of a log.
run_trace trace_of(const run_id& id, std::span<const recorded_event> events);

/// The timeline as lines for a terminal, times relative to the start.
/// @param width  Of a line, in columns; details are cut to fit.
std::string to_text(const run_trace& trace, std::size_t width = 100);

} // namespace kestrion
