/// How many durable events a second: 1,000 concurrent runs of 5 tool calls each
/// on SQLite, against a bare loop of SQLite calls in one thread that makes the
/// same appends: what the runtime wrote is read back and written again, the
/// same rows in the same order into the same schema, with the same settings, in
/// groups of the size that suits that loop best. For each append it looks up
/// the run, inserts the events and updates the run; the store knows the ends of
/// the logs that it owns and leaves out what did not change. It may be no
/// larger than the number of runs: of each, only one append can be under way.
///
/// The loop has nothing to encode, to decide or to send; its every append was
/// there before. So 1 is out of reach for the runtime, but for the work that a
/// second core takes off it.

#include "agents.hpp"
#include "figures.hpp"
#include "raw_log.hpp"

#include <caf/actor_system_config.hpp>

#include <algorithm>
#include <map>
#include <thread>

namespace {

constexpr std::size_t runs = 1'000;
constexpr int tool_calls_per_run = 5;
constexpr std::size_t payload_bytes = 300;
constexpr int rounds = 7;

/// One round of either.
struct round {
  double seconds = 0;
  double cpu_seconds = 0;
  std::size_t commits = 0;
};

/// Without starting and stopping the runtime.
round run_product(caf::actor_system& system, const std::string& url) {
  const bench::commit_counter commits; // Before the store opens its file.
  kestrion::runtime rt{system,
                       {.store = url},
                       {bench::busy_agent(tool_calls_per_run, payload_bytes)}};
  std::vector<kestrion::run_result> results;
  const auto commits_before = commits.count();
  const auto cpu_before = bench::cpu_time();
  const auto took =
    bench::time_of([&] { results = bench::run_all(system, rt, "busy", runs); });
  for (const auto& r : results)
    if (r.status != kestrion::run_status::completed
        || r.tool_calls != tool_calls_per_run)
      throw std::runtime_error("run " + r.id.str()
                               + " went wrong: " + r.reason);
  return {took.count(), (bench::cpu_time() - cpu_before).count(),
          commits.count() - commits_before};
}

/// Without opening and closing the file.
round run_ceiling(const bench::recording& recorded,
                  const std::filesystem::path& file, std::size_t group) {
  bench::raw_log log{file, recorded};
  const auto cpu_before = bench::cpu_time();
  std::size_t commits = 0;
  const auto took =
    bench::time_of([&] { commits = log.replay(recorded.appends, group); });
  return {took.count(), (bench::cpu_time() - cpu_before).count(), commits};
}

/// The size that the bare loop is fastest with.
std::size_t best_group(const bench::recording& r,
                       const bench::scratch_folder& folder) {
  std::map<double, std::size_t> by_time;
  for (const std::size_t group : {125, 250, 500, 1'000}) {
    std::vector<double> times;
    for (int i = 0; i < 3; ++i) {
      const auto name = std::to_string(group) + "_" + std::to_string(i);
      times.push_back(run_ceiling(r, folder.file(name), group).seconds);
    }
    by_time[bench::median(times)] = group;
  }
  return by_time.begin()->second;
}

/// The middle one of all rounds, each figure by itself.
struct medians {
  double events_per_s = 0;
  double cpu_us_per_event = 0;
  double appends_per_commit = 0;
};

medians medians_of(const std::vector<round>& all,
                   const bench::recording& recorded) {
  std::vector<double> seconds;
  std::vector<double> cpu_seconds;
  std::vector<double> commits;
  for (const auto& each : all) {
    seconds.push_back(each.seconds);
    cpu_seconds.push_back(each.cpu_seconds);
    commits.push_back(static_cast<double>(each.commits));
  }
  const auto events = static_cast<double>(recorded.events);
  const auto appends = static_cast<double>(recorded.appends.size());
  return {events / bench::median(seconds),
          bench::median(cpu_seconds) * 1e6 / events,
          appends / bench::median(commits)};
}

void print(const bench::recording& recorded, const medians& product,
           const medians& ceiling) {
  using bench::rounded;
  bench::print(
    {{"bench", "durable_events"},
     {"runs", runs},
     {"events", recorded.events},
     {"appends", recorded.appends.size()},
     {"events_per_s", rounded(product.events_per_s, 0)},
     {"ceiling_events_per_s", rounded(ceiling.events_per_s, 0)},
     {"cpu_us_per_event", rounded(product.cpu_us_per_event, 2)},
     {"ceiling_cpu_us_per_event", rounded(ceiling.cpu_us_per_event, 2)},
     {"appends_per_commit", rounded(product.appends_per_commit, 1)},
     {"ceiling_appends_per_commit", rounded(ceiling.appends_per_commit, 1)},
     {"ratio", rounded(product.events_per_s / ceiling.events_per_s, 3)}});
}

void measure() {
  const bench::scratch_folder folder;
  caf::actor_system_config config;
  // As a runtime with a system of its own has it.
  config.set("scheduler.max-threads",
             std::max(std::thread::hardware_concurrency(), 1U));
  caf::actor_system system{config};
  run_product(system, folder.store("recorded"));
  const auto recorded = bench::record(folder.file("recorded"));
  const auto group = best_group(recorded, folder);
  std::vector<round> ceiling;
  std::vector<round> product;
  for (int i = 0; i < rounds; ++i) {
    const auto n = std::to_string(i);
    ceiling.push_back(run_ceiling(recorded, folder.file("ceiling" + n), group));
    product.push_back(run_product(system, folder.store("product" + n)));
  }
  print(recorded, medians_of(product, recorded), medians_of(ceiling, recorded));
}

} // namespace

int main() {
  return bench::run("durable_events", measure);
}
