#pragma once

#include <kestrion/messages/agent.hpp>
#include <kestrion/messages/event.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace kestrion {

/// Where a log and what would be decided today part.
struct replay_divergence {
  std::uint64_t seq = 0; ///< The first event that would be another, or none.
  std::string recorded;  ///< What the log has: the event's tag.
  std::string decided;   ///< What would be there: a tag; empty: nothing.
  std::string why;       ///< In a sentence.
  bool operator==(const replay_divergence&) const = default;
};

/// What a replay of a log found.
struct replay_report {
  run_id run;
  std::string agent;
  std::uint64_t events = 0; ///< In the log.
  /// The agent is defined otherwise than the run went on with last. That alone
  /// is no divergence: a run may go on under a new prompt.
  bool definition_changed = false;
  std::optional<replay_divergence> divergence; ///< Nothing: it is the same.
};

/// Decides a log anew: each command that it followed from is made up from its
/// events and given to the machine of today, which has to decide the same
/// events in the same state, and to owe each effect that the log has an answer
/// to. Nothing is called, started or written.
///
/// What is not compared: wording (reasons, details of errors), random waits,
/// and estimates, which the log keeps as they were.
/// @param definition  Of the agent as it would run now.
replay_report replay(const run_id& run, std::span<const recorded_event> events,
                     const agent_definition& definition);

} // namespace kestrion
