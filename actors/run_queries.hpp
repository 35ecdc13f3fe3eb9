#pragma once

#include <kestrion/actors/agent_code.hpp>
#include <kestrion/actors/replay.hpp>
#include <kestrion/actors/run_result.hpp>
#include <kestrion/actors/run_state.hpp>
#include <kestrion/actors/snapshot_rule.hpp>
#include <kestrion/messages/command.hpp>
#include <kestrion/store/event_store.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

/// What the store and the agents can answer without any actor.
namespace kestrion {

using agent_registry =
  std::map<std::string, std::shared_ptr<const agent_code>, std::less<>>;

/// @par Errors `not_found`, listing the agents that are known
result<std::shared_ptr<const agent_code>>
find_agent(const agent_registry& agents, std::string_view name);

/// @par Errors `not_found`; `io` and `corrupt` from the store
result<run_row> find_row(const event_store& store, const run_id& id);

/// The log as it was recorded. @par Errors `corrupt`, naming the run and the
/// seq; `io`
result<std::vector<recorded_event>> load_events(const event_store& store,
                                                const run_id& id,
                                                std::uint64_t after_seq = 0);

/// A state and what it was read from.
struct loaded_run {
  run_state state;
  snapshot_meter meter;
};

/// The log, folded from the run's snapshot on if there is one that fits it, or
/// else as a whole; the state is the same. An event before the snapshot that
/// can't be read is not noticed.
/// @par Errors as `load_events`
result<loaded_run> load_for_life(const event_store& store, const run_id& id);

/// As `load_for_life`, for who only looks.
result<run_state> load_run(const event_store& store, const run_id& id);

/// Where a run is that is not live. A log that can't be read is an answer too:
/// the row says where the run is, the reason says what is wrong.
run_result result_from_store(const event_store& store, const run_row& row);

/// @par Errors `not_found` for an unknown agent; as `load_events`
result<replay_report> replay_run(const event_store& store,
                                 const agent_registry& agents,
                                 const run_row& row);

/// As `runtime::divergences`. @par Errors those of the list of runs
result<std::vector<replay_report>>
find_divergences(const event_store& store, const agent_registry& agents,
                 run_query query);

/// As `runtime::verify`. @par Errors as `event_store::verify`
result<log_check> verify_run(const event_store& store, const run_row& row);

/// As `runtime::flaws`. @par Errors those of the list of runs; `io`
result<std::vector<log_check>> find_flaws(const event_store& store,
                                          run_query query);

/// Whether a run that has ended would take `c`: only if it took it before.
/// @par Errors What its machine says, naming the run
result<void> repeat_on_ended(const event_store& store,
                             const agent_registry& agents, const run_row& row,
                             const command& c);

} // namespace kestrion
