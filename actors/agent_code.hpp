#pragma once

#include <kestrion/messages/agent.hpp>
#include <kestrion/providers/models/model.hpp>
#include <kestrion/providers/tools/tool.hpp>
#include <kestrion/scheduler/limit_spec.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace kestrion {

/// One of the models that an agent has.
struct agent_model {
  model_ptr model;
  call_route route; ///< Of its calls.
  /// What each of its calls begins with, if the server keeps it in a cache;
  /// else empty.
  std::string prefix;
};

/// An agent ready to run: what it is, its models and the code of its tools.
/// @par Threading Immutable once a runtime has it; any thread.
struct agent_code {
  std::shared_ptr<const agent_definition> definition;
  std::vector<agent_model> models; ///< At least one; as the definition's.
  /// The check of an output is among them, under `output_tool_name`.
  std::map<std::string, tool_code, std::less<>> tools;
  std::int64_t fixed_bytes = 0; ///< What each call begins with: system, tools.
  bool delegates = false;       ///< Its runs may have runs below them.
  bool streams = false; ///< Its model's answers are seen while they are made.

  /// A place that the list has not, or not any more, counts as 0.
  const agent_model& model_at(std::int64_t place) const {
    const auto at = static_cast<std::size_t>(place);
    return models[place > 0 && at < models.size() ? at : 0];
  }
};

} // namespace kestrion
