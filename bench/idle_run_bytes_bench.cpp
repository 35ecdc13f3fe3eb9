/// What a run costs in memory while it waits for an approval: kept in memory,
/// and passivated, which is the default. The ceiling is a bare actor of CAF
/// that holds one number.
/// What SQLite uses is told apart.

#include "agents.hpp"
#include "figures.hpp"
#include "memory.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <sqlite3.h>

namespace {

constexpr std::size_t runs = 10'000;
constexpr std::size_t payload_bytes = 300;

// -- the ceiling --------------------------------------------------------------

using bare_actor =
  caf::typed_actor<caf::replies_to<std::int32_t>::with<std::int32_t>>;

struct bare_state {
  std::int32_t sum = 0;
};

bare_actor::behavior_type bare(bare_actor::stateful_pointer<bare_state> self) {
  return {[self](std::int32_t x) {
    return self->state.sum += x;
  }};
}

bench::memory measure_bare_actors() {
  caf::actor_system_config config;
  caf::actor_system system{config};
  std::vector<bare_actor> actors;
  actors.reserve(runs);
  const auto before = bench::memory_now();
  for (std::size_t i = 0; i < runs; ++i)
    actors.push_back(system.spawn(bare));
  return bench::per_run(before, bench::memory_now(), runs);
}

// -- runs ---------------------------------------------------------------------

struct idle_runs {
  bench::memory each;
  double transcript_bytes = 0;
  double sqlite_bytes = 0; ///< Of all runs together.
};

double transcript_bytes(const kestrion::runtime& rt,
                        const kestrion::run_id& id) {
  std::size_t n = 0;
  for (const auto& e : rt.events(id))
    n += kestrion::encode(e.event, e.at).data.size();
  return static_cast<double>(n);
}

idle_runs measure_runs(bool passivate) {
  const bench::scratch_folder folder;
  caf::actor_system_config config;
  caf::actor_system system{config};
  kestrion::runtime rt{system,
                       {.store = folder.store("log"), .passivate = passivate},
                       {bench::gated_agent(payload_bytes)}};
  const auto first = bench::run_all(system, rt, "gated", 1);
  if (first.front().status != kestrion::run_status::waiting_on_human)
    throw std::runtime_error("the run does not wait: " + first.front().reason);
  const auto actors = system.registry().running();
  const auto before = bench::memory_now();
  bench::run_all(system, rt, "gated", runs);
  bench::wait_for_actors(system, passivate ? actors : actors + runs);
  return {bench::per_run(before, bench::memory_now(), runs),
          transcript_bytes(rt, first.front().id),
          static_cast<double>(sqlite3_memory_used())};
}

void measure() {
  measure_runs(true); // What is made once is there now.
  const auto ceiling = measure_bare_actors();
  const auto resident = measure_runs(false);
  const auto passivated = measure_runs(true);
  const auto whole = [](double x) {
    return bench::rounded(x, 0);
  };
  bench::print(
    {{"bench", "idle_run_bytes"},
     {"runs", runs},
     {"sqlite_bytes_in_all", whole(resident.sqlite_bytes)},
     {"transcript_bytes", whole(resident.transcript_bytes)},
     {"bare_actor_heap_bytes", whole(ceiling.heap_bytes)},
     {"bare_actor_resident_bytes", whole(ceiling.resident_bytes)},
     {"in_memory_heap_bytes", whole(resident.each.heap_bytes)},
     {"in_memory_resident_bytes", whole(resident.each.resident_bytes)},
     {"passivated_heap_bytes", whole(passivated.each.heap_bytes)},
     {"passivated_resident_bytes", whole(passivated.each.resident_bytes)},
     {"in_memory_ratio",
      bench::rounded(resident.each.heap_bytes / ceiling.heap_bytes, 2)},
     {"ratio",
      bench::rounded(passivated.each.heap_bytes / ceiling.heap_bytes, 2)}});
}

} // namespace

int main() {
  return bench::run("idle_run_bytes", measure);
}
