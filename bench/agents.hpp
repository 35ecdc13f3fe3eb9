#pragma once

#include <kestrion/caf.hpp>
#include <kestrion/kestrion.hpp>

#include <caf/actor_system.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

/// Agents that cost nothing but what the runtime costs.
namespace bench {

/// An agent whose model answers at once: `turns` times with a call of the tool
/// `look_up`, then with text. Arguments and results hold `payload_bytes` each.
kestrion::agent busy_agent(int turns, std::size_t payload_bytes);

/// The same for ever, but that each call waits for somebody's approval.
kestrion::agent gated_agent(std::size_t payload_bytes);

/// As `busy_agent`, by name and tool, but that its model falls silent after
/// `turns` turns: it leaves the call open for ever and calls `on_silence`, on
/// any thread. What the run did before is durable then.
kestrion::agent stuck_agent(int turns, std::size_t payload_bytes,
                            std::function<void()> on_silence);

/// Starts `count` runs and does not wait for anything.
void start_all(kestrion::runtime& rt, const std::string& agent,
               std::size_t count);

/// Starts `count` runs at once and returns when all are at rest.
/// @returns Their results, in no order. @throws kestrion::failure
std::vector<kestrion::run_result> run_all(caf::actor_system& system,
                                          kestrion::runtime& rt,
                                          const std::string& agent,
                                          std::size_t count);

} // namespace bench
