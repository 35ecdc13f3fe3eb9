/// How long until a fleet goes on after kill -9: a process starts 10,000 runs,
/// each of which makes a tool call and then waits for its model; it is killed.
/// Then a runtime opens the store, whose model answers at once: each run is
/// read, folded, recovered, and completed.
///
/// The ceiling reads the same logs and appends the same events, in a copy of
/// what the killed process left, with nothing but SQLite in one thread. The
/// ratio is of runs a second.

#include "agents.hpp"
#include "figures.hpp"
#include "raw_log.hpp"
#include "second_process.hpp"

#include <algorithm>
#include <atomic>

namespace {

constexpr std::size_t runs = 10'000;
constexpr std::size_t payload_bytes = 300;
constexpr std::size_t group = 1'000; ///< Appends a transaction of the ceiling.
constexpr int rounds = 3;

/// The process that gets killed.
void start_runs(const std::string& url) {
  std::atomic<std::size_t> silent{0};
  kestrion::runtime rt{
    {.store = url}, {bench::stuck_agent(1, payload_bytes, [&] { ++silent; })}};
  bench::start_all(rt, "busy", runs);
  bench::wait_until([&] { return silent == runs; }, "all runs wait");
  bench::say_ready();
  bench::wait_for_the_end();
}

/// Seconds from the opening of the store.
struct recovered {
  double until_open = 0;
  double until_first = 0; ///< A model was called.
  double until_last = 0;  ///< All runs have completed.
};

recovered recover(const std::string& url) {
  const auto begin = std::chrono::steady_clock::now();
  const auto since = [begin] {
    return bench::seconds{std::chrono::steady_clock::now() - begin}.count();
  };
  std::atomic<double> first{0};
  auto agent = bench::busy_agent(1, payload_bytes);
  agent.model(kestrion::function_model([&](const kestrion::model_request&) {
    double none = 0;
    first.compare_exchange_strong(none, since());
    return kestrion::says("done");
  }));
  recovered out;
  kestrion::runtime rt{{.store = url}, {agent}};
  out.until_open = since();
  kestrion::run_query query;
  query.limit = 1;
  query.statuses = {kestrion::run_status::running};
  bench::wait_until([&] { return rt.list(query).empty(); },
                    "all runs have completed");
  out.until_last = since();
  out.until_first = first;
  query.limit = runs;
  query.statuses = {kestrion::run_status::completed};
  if (rt.list(query).size() != runs)
    throw std::runtime_error("not all runs have completed");
  return out;
}

/// @param recorded  What recovery appended, and nothing else.
/// @returns Seconds.
double recover_bare(const std::filesystem::path& killed,
                    const bench::recording& recorded) {
  return bench::time_of([&] {
           bench::raw_log log{killed};
           std::size_t events = 0;
           for (const auto& run : log.runs())
             events += log.read(run).size();
           if (events < runs)
             throw std::runtime_error("the killed process left too little");
           log.replay(recorded.appends, group);
         })
    .count();
}

void forget_before(bench::recording& r, kestrion::timestamp t) {
  std::erase_if(r.appends, [&](const bench::raw_append& a) {
    return a.events.front().at < t.time_since_epoch().count();
  });
  r.events = 0;
  for (const auto& a : r.appends)
    r.events += a.events.size();
}

struct round {
  recovered ours;
  double ceiling = 0; ///< Seconds.
  std::size_t appended = 0;
};

round measure_once() {
  const bench::scratch_folder folder;
  const auto url = folder.store("log");
  bench::second_process first{{url}};
  first.wait_until_ready();
  first.kill();
  for (const std::string end : {"", "-wal"})
    std::filesystem::copy_file(folder.file("log" + end),
                               folder.file("copy" + end));
  const auto killed_at = kestrion::system_now();
  round out;
  out.ours = recover(url);
  auto recorded = bench::record(folder.file("log"));
  forget_before(recorded, killed_at);
  out.appended = recorded.events;
  out.ceiling = recover_bare(folder.file("copy"), recorded);
  return out;
}

void measure() {
  std::vector<round> all;
  all.reserve(rounds);
  for (int i = 0; i < rounds; ++i)
    all.push_back(measure_once());
  const auto median_of = [&](const auto& figure) {
    std::vector<double> samples;
    samples.reserve(all.size());
    for (const auto& each : all)
      samples.push_back(figure(each));
    return bench::median(samples);
  };
  const auto last = median_of([](const round& r) { return r.ours.until_last; });
  const auto bare = median_of([](const round& r) { return r.ceiling; });
  const auto ms = [&](double recovered::*figure) {
    return bench::rounded(
      median_of([&](const round& r) { return r.ours.*figure * 1e3; }), 0);
  };
  bench::print({{"bench", "recovery"},
                {"runs", runs},
                {"events_appended", all.front().appended},
                {"until_open_ms", ms(&recovered::until_open)},
                {"until_first_ms", ms(&recovered::until_first)},
                {"until_last_ms", ms(&recovered::until_last)},
                {"runs_per_s", bench::rounded(runs / last, 0)},
                {"ceiling_runs_per_s", bench::rounded(runs / bare, 0)},
                {"ratio", bench::rounded(bare / last, 3)}});
}

} // namespace

int main(int argc, char** argv) {
  return bench::run("recovery", [&] {
    if (argc == 2)
      start_runs(argv[1]);
    else
      measure();
  });
}
