#pragma once

#include <kestrion/messages/agent.hpp>
#include <kestrion/providers/models/model.hpp>
#include <kestrion/providers/tools/tool.hpp>
#include <kestrion/scheduler/limit_spec.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace kestrion {

/// An agent ready to run: what it is, its model and the code of its tools.
/// @par Threading Immutable once a runtime has it; any thread.
struct agent_code {
  std::shared_ptr<const agent_definition> definition;
  model_ptr model;
  /// The check of an output is among them, under `output_tool_name`.
  std::map<std::string, tool_code, std::less<>> tools;
  call_route route;             ///< Of its model calls.
  std::int64_t fixed_bytes = 0; ///< What each call begins with: system, tools.
  /// That beginning, if the server keeps it in a cache; else empty.
  std::string prefix;
  bool delegates = false; ///< Its runs may have runs below them.
  bool streams = false;   ///< Its model's answers are seen while they are made.
};

} // namespace kestrion
