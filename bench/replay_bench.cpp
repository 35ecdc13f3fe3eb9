/// How many events of a log are folded, and decided anew, a second: runs of
/// about 10, 1,000 and 100,000 events, with their snapshot and without; and how
/// long the check of a store takes that holds 10,000 runs, before an upgrade.
///
/// The ceiling is reading the log from the store, without looking at it.

#include "agents.hpp"
#include "figures.hpp"

#include <kestrion/store/event_store.hpp>

#include <caf/actor_system_config.hpp>

namespace {

constexpr std::size_t payload_bytes = 300;
constexpr int turns_of_checked_runs = 5;
constexpr std::size_t checked_runs = 10'000;

/// The median of several times, in events a second.
template <class F>
double events_per_s(std::size_t events, F&& f) {
  constexpr std::size_t events_measured = 300'000;
  const auto times = std::max<std::size_t>(3, events_measured / events / 10);
  std::vector<double> out;
  for (std::size_t i = 0; i < times; ++i)
    out.push_back(static_cast<double>(events) / bench::time_of(f).count());
  return bench::median(std::move(out));
}

void measure_run(caf::actor_system& system, int turns) {
  const bench::scratch_folder folder;
  const auto url = folder.store("runs");
  const auto agent = bench::busy_agent(turns, payload_bytes);
  kestrion::run_id id;
  {
    kestrion::runtime rt{system, {.store = url}, {agent}};
    id = bench::run_all(system, rt, "busy", 1).front().id;
  }
  const auto store = kestrion::open_store(url).value();
  const kestrion::runtime rt{system, {.store = url, .recover = false}, {agent}};
  const auto events = store->read(id, 0).value().size();
  const auto read = events_per_s(events, [&] { store->read(id, 0).value(); });
  const auto with_snapshot = events_per_s(events, [&] { rt.result(id); });
  store->delete_snapshots().value();
  const auto folded = events_per_s(events, [&] { rt.result(id); });
  const auto decided = events_per_s(events, [&] {
    if (rt.replay(id).divergence)
      throw std::runtime_error("the log does not come out the same");
  });
  bench::print(
    {{"bench", "replay"},
     {"events", events},
     {"with_snapshot_events_per_s", bench::rounded(with_snapshot, 0)},
     {"folded_events_per_s", bench::rounded(folded, 0)},
     {"decided_events_per_s", bench::rounded(decided, 0)},
     {"ceiling_events_per_s", bench::rounded(read, 0)},
     {"ratio", bench::rounded(decided / read, 2)}});
}

void measure_check(caf::actor_system& system) {
  const bench::scratch_folder folder;
  const auto url = folder.store("runs");
  const auto agent = bench::busy_agent(turns_of_checked_runs, payload_bytes);
  kestrion::runtime rt{system, {.store = url}, {agent}};
  bench::run_all(system, rt, "busy", checked_runs);
  std::size_t found = 0;
  const auto took = bench::time_of([&] { found = rt.divergences().size(); });
  if (found != 0)
    throw std::runtime_error("some logs do not come out the same");
  bench::print({{"bench", "replay"},
                {"checked_runs", checked_runs},
                {"seconds", bench::rounded(took.count(), 2)}});
}

void measure() {
  caf::actor_system_config config;
  caf::actor_system system{config};
  for (const int turns : {3, 333, 33'333})
    measure_run(system, turns);
  measure_check(system);
}

} // namespace

int main() {
  return bench::run("replay", measure);
}
