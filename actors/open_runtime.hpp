#pragma once

#include <kestrion/actors/agent.hpp>
#include <kestrion/actors/run_queries.hpp>
#include <kestrion/actors/runtime.hpp>
#include <kestrion/store/event_store.hpp>

#include <memory>
#include <vector>

/// Runtimes that are not opened as users do.
namespace kestrion {

/// Ready to run, by their names. @throws failure  As runtime's constructor.
agent_registry build_all(const std::vector<agent>& agents);

/// Over a store that no other process has, whatever `options` say of it, and
/// agents whose code may have been changed since they were built.
std::unique_ptr<runtime> open_runtime(const runtime_options& options,
                                      agent_registry agents,
                                      std::shared_ptr<event_store> store);

} // namespace kestrion
