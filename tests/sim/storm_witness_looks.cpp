#include <kestrion/tests/sim/storm_witness.hpp>

#include <kestrion/actors/directory_actor.hpp>
#include <kestrion/actors/replay.hpp>
#include <kestrion/actors/run_actor.hpp>
#include <kestrion/actors/run_machine.hpp>

#include <caf/actor_cast.hpp>

/// What a storm has left: live states, the disk, and the end.
namespace kestrion::test {

namespace {

/// The state of a live actor; nothing if it has ended.
template <class State, class Handle>
const State* state_of(const Handle& handle) {
  using self = typename Handle::template stateful_pointer<State>;
  auto* actor = caf::actor_cast<caf::abstract_actor*>(handle);
  if (!actor || actor->getf(caf::abstract_actor::is_terminated_flag)
      || actor->getf(caf::abstract_actor::is_cleaned_up_flag))
    return nullptr;
  auto* typed = dynamic_cast<self>(actor);
  return typed ? &typed->state : nullptr;
}

} // namespace

std::map<run_id, run_actor> live_runs(const engine& actors) {
  std::map<run_id, run_actor> out;
  if (const auto directory = actors.directory())
    if (const auto* st = state_of<directory_state>(directory);
        st && st->live) // Else it had no turn yet.
      for (const auto& [id, resident] : *st->live)
        out.emplace(id, resident.actor);
  return out;
}

void storm_witness::look_at(life_id life, const engine& actors) {
  for (const auto& [id, actor] : live_runs(actors))
    if (const auto* run = state_of<run_actor_state>(actor))
      check_live(life, id, run->run);
}

void storm_witness::check_live(life_id life, const run_id& run,
                               const run_state& live) {
  ++counts.looks;
  const auto found = logs_.find(run);
  const auto length = found == logs_.end() ? 0 : found->second.raw.size();
  if (live.progress.seq == 0)
    return; // It is being loaded, or its first append failed.
  if (!expect(live.progress.seq <= length,
              name_of(run) + " has more in memory than on disk"))
    return;
  const auto& log = found->second;
  if (live.progress.seq == length)
    expect(live == log.state,
           name_of(run) + " is in memory not what its log says");
  else
    expect(log.writer != life,
           name_of(run) + " has less in memory than on disk");
}

void storm_witness::look_at(const event_store& disk) {
  for (const auto& [id, log] : logs_) {
    const auto stored = disk.read(id, 0);
    if (!expect(stored && stored->size() == log.raw.size(),
                name_of(id) + " has lost events"))
      return;
    for (std::size_t i = 0; i < log.raw.size(); ++i) {
      const auto& e = (*stored)[i];
      expect(e.seq == i + 1 && e.type == log.raw[i].first
               && e.data == log.raw[i].second,
             name_of(id) + " has an event that changed");
    }
    const auto row = disk.find(id);
    expect(row && *row && (*row)->status == log.state.progress.status
             && (*row)->last_seq == log.raw.size()
             && (*row)->wake_at
                  == wake_time(log.state.progress, *log.state.header),
           name_of(id) + " has a row that is not its log's");
  }
}

void storm_witness::look_back(
  const event_store& disk,
  const std::function<const agent_definition&(const std::string&)>& agent) {
  for (const auto& [id, log] : logs_) {
    const auto checked = disk.verify(id);
    if (expect(checked.has_value(), name_of(id) + " can't be verified"))
      expect(!checked->flaw, name_of(id) + " has been changed");
    std::vector<recorded_event> events;
    std::uint64_t seq = 0;
    const auto stored = disk.read(id, 0);
    if (!stored)
      continue; // Found above.
    for (const auto& e : *stored)
      events.push_back({++seq, e.at, decode_event(e.type, e.data).value()});
    const auto replayed = replay(id, events, agent(log.state.header->agent));
    if (const auto& x = replayed.divergence)
      expect(false, name_of(id) + " diverges at event " + std::to_string(x->seq)
                      + ": " + x->why);
  }
}

void storm_witness::look_at_end() {
  for (const auto& [id, log] : logs_) {
    expect(is_terminal(log.state.progress.status),
           name_of(id) + " never ends; it is "
             + std::string{to_string(log.state.progress.status)});
    if (log.state.progress.status == run_status::completed)
      for (const auto& call : log.children)
        expect(log.ends.contains(call) || result_of(id, log.state).handed_to,
               name_of(id) + " never hears of " + call);
  }
}

} // namespace kestrion::test
