#pragma once

/// Durable, supervised LLM agents: all that a program needs to run them.
/// Programs whose own actors talk to agents include <kestrion/caf.hpp> besides.

#include <kestrion/actors/agent.hpp>
#include <kestrion/actors/runtime.hpp>
#include <kestrion/actors/trace.hpp>
#include <kestrion/messages/attachments.hpp>
#include <kestrion/providers/models/models.hpp>
#include <kestrion/providers/models/scripted.hpp>
#include <kestrion/providers/tools/function_tool.hpp>
