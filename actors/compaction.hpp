#pragma once

#include <kestrion/actors/run_state.hpp>
#include <kestrion/messages/agent.hpp>
#include <kestrion/messages/model_call.hpp>

#include <cstdint>
#include <optional>

/// Which messages of a conversation are summed up, and how a model is asked for
/// it. Pure.
namespace kestrion {

/// Messages that stand one after the other.
struct message_range {
  std::int64_t first = 0;
  std::int64_t count = 0;
  bool operator==(const message_range&) const = default;
};

/// All but the first message and the last `keep_last`, and fewer where a call
/// of a tool would be taken apart from its result.
/// @returns Nothing if fewer than two messages are left.
std::optional<message_range> compactable(const conversation& said,
                                         std::int64_t keep_last);

/// Who sums up, as an agent: it has no tools, and its own prompt.
agent_definition summary_agent(const agent_definition& agent);

/// Asks for a summary of the messages that the state's open compaction is
/// about. They are one text, so any vendor's model takes them; long parts are
/// cut in their middle. The key is left to the caller.
model_request summary_request(const run_state& state,
                              const agent_definition& agent);

} // namespace kestrion
