#pragma once

#include <kestrion/actors/agent.hpp>
#include <kestrion/actors/agent_code.hpp>
#include <kestrion/messages/agent.hpp>
#include <kestrion/messages/error.hpp>

#include <optional>
#include <vector>

/// The models of an agent that is being built. Internal to its builder.
namespace kestrion {

struct agent_models {
  const model_ptr& first;
  const std::vector<model_ptr>& fallbacks;
  const std::optional<compaction>& summing_up;
};

/// Writes down who they are and when they sum up.
/// @par Errors `invalid_argument`: one that is none, a context window that
///             nobody knows, or one that is too small to sum up.
result<void> describe_models(const agent_models& models, agent_definition& d);

/// Gives the agent its models, with the routes of their calls. What one of them
/// can't do is an error here, not in the outage for which it was meant.
/// @param code  Has its definition.
/// @par Errors `unsupported`, `invalid_argument`: as `model::check`.
result<void> add_models(const agent_models& models, agent_code& code);

} // namespace kestrion
