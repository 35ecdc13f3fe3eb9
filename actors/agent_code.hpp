#pragma once

#include <kestrion/messages/agent.hpp>
#include <kestrion/providers/models/model.hpp>
#include <kestrion/providers/tools/tool.hpp>

#include <map>
#include <memory>
#include <string>

namespace kestrion {

/// An agent ready to run: what it is, its model and the code of its tools.
/// @par Threading Immutable once a runtime has it; any thread.
struct agent_code {
  std::shared_ptr<const agent_definition> definition;
  model_ptr model;
  std::map<std::string, tool_code, std::less<>> tools;
};

} // namespace kestrion
