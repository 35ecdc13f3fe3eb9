/// A fleet that waits for people: N runs (the argument; 20,000 without one) on
/// one SQLite file, each waiting for an approval. What one costs in memory,
/// passivated and resident; how long a runtime takes to open such a store, to
/// carry out its first command and to come to rest; how long it takes to wake
/// one run of them, which is the call of `runtime::approve`.
///
/// The ceiling of waking: the run's log is read and the events of the approval
/// are appended and committed, with nothing but SQLite. That of opening: all
/// logs are read.

#include "agents.hpp"
#include "figures.hpp"
#include "memory.hpp"
#include "raw_log.hpp"

#include <caf/actor_system_config.hpp>

#include <algorithm>
#include <random>
#include <thread>

namespace {

using namespace std::chrono_literals;

constexpr std::size_t runs_default = 20'000;
constexpr std::size_t resident_runs = 5'000;
constexpr std::size_t runs_at_once = 10'000; ///< That are being started.
constexpr std::size_t wakes_max = 1'000;
constexpr std::size_t payload_bytes = 300;

kestrion::agent gated() {
  return bench::gated_agent(payload_bytes);
}

double transcript_bytes(const kestrion::runtime& rt,
                        const kestrion::run_id& id) {
  std::size_t n = 0;
  for (const auto& e : rt.events(id))
    n += kestrion::encode(e.event, e.at).data.size();
  return static_cast<double>(n);
}

// -- memory -------------------------------------------------------------------

struct parked {
  bench::memory each;
  double transcript_bytes = 0;
  double seconds = 0; ///< To start all.
};

/// Starts runs until `runs` of them wait, and leaves them in the store.
parked park(const std::string& url, std::size_t runs, bool passivate) {
  caf::actor_system_config config;
  caf::actor_system system{config};
  kestrion::runtime rt{
    system, {.store = url, .passivate = passivate}, {gated()}};
  // What is made once is there after the first.
  const auto first = bench::run_all(system, rt, "gated", 1).front();
  if (first.status != kestrion::run_status::waiting_on_human)
    throw std::runtime_error("the run does not wait: " + first.reason);
  const auto actors = system.registry().running();
  const auto before = bench::memory_now();
  parked out;
  out.seconds = bench::time_of([&] {
                  for (std::size_t left = runs - 1; left > 0;) {
                    const auto n = std::min(left, runs_at_once);
                    bench::run_all(system, rt, "gated", n);
                    left -= n;
                  }
                }).count();
  bench::wait_for_actors(system, passivate ? actors : actors + runs);
  out.each = bench::per_run(before, bench::memory_now(), runs - 1);
  out.transcript_bytes = transcript_bytes(rt, first.id);
  return out;
}

// -- opening and waking -------------------------------------------------------

/// Some of all runs, in no order.
std::vector<kestrion::run_id> choose(const std::filesystem::path& store) {
  auto all = bench::raw_log{store}.runs();
  std::vector<std::string> some;
  std::mt19937_64 random{1};
  std::sample(all.begin(), all.end(), std::back_inserter(some), wakes_max,
              random);
  std::shuffle(some.begin(), some.end(), random);
  std::vector<kestrion::run_id> out;
  for (const auto& id : some)
    out.push_back(kestrion::run_id::parse(id).value());
  return out;
}

/// Blocks until this process has used less than half a processor for a while;
/// idle threads of CAF look for work, so it is never nothing.
/// @returns When that while began.
std::chrono::steady_clock::time_point wait_until_idle() {
  for (;;) {
    const auto begin = std::chrono::steady_clock::now();
    const auto used = bench::cpu_time();
    std::this_thread::sleep_for(50ms);
    const auto took = std::chrono::steady_clock::now() - begin;
    if (bench::cpu_time() - used < bench::seconds{took} / 2)
      return begin;
  }
}

struct opened {
  double open_ms = 0;          ///< Until the runtime is there.
  double first_command_ms = 0; ///< Until it has carried out a command.
  double rest_ms = 0;          ///< Until it has looked at all that waits.
  std::vector<double> wakes_ms;
  bench::raw_append approval; ///< What one wake appended.
};

/// The events of the approval; they have one time.
bench::raw_append approval_of(const kestrion::runtime& rt,
                              const kestrion::run_id& id) {
  bench::raw_append out{id.str(), "", "running", {}, false};
  kestrion::timestamp at;
  for (const auto& e : rt.events(id)) {
    if (std::holds_alternative<kestrion::approval_granted>(e.event))
      at = e.at;
    if (e.at != at)
      continue;
    const auto text = kestrion::encode(e.event, e.at);
    out.events.push_back({static_cast<std::int64_t>(e.seq),
                          e.at.time_since_epoch().count(),
                          std::string{text.type}, text.data});
  }
  return out;
}

/// The first of the runs is woken while the runtime still starts, the others
/// when it is idle.
opened open_and_wake(const std::string& url,
                     const std::vector<kestrion::run_id>& chosen) {
  const auto begin = std::chrono::steady_clock::now();
  const auto ms_until = [begin](std::chrono::steady_clock::time_point t) {
    return std::chrono::duration<double, std::milli>{t - begin}.count();
  };
  const auto now = [&] {
    return ms_until(std::chrono::steady_clock::now());
  };
  opened out;
  kestrion::runtime rt{{.store = url}, {gated()}};
  out.open_ms = now();
  rt.approve(chosen.front(), {.by = "ana"});
  out.first_command_ms = now();
  out.rest_ms = ms_until(wait_until_idle());
  for (std::size_t i = 1; i < chosen.size(); ++i) {
    const auto took =
      bench::time_of([&] { rt.approve(chosen[i], {.by = "ana"}); });
    out.wakes_ms.push_back(took.count() * 1e3);
    rt.find(chosen[i]).wait(); // Now the disk is idle again.
  }
  out.approval = approval_of(rt, chosen.back());
  return out;
}

struct ceiling {
  double read_all_ms = 0;
  std::vector<double> wakes_ms;
};

ceiling open_and_wake_bare(const std::filesystem::path& store,
                           const std::vector<kestrion::run_id>& chosen,
                           bench::raw_append approval) {
  ceiling out;
  bench::raw_log log{store};
  out.read_all_ms = bench::time_of([&] {
                      for (const auto& run : log.runs())
                        log.read(run);
                    }).count()
                    * 1e3;
  for (const auto& id : chosen) {
    const auto took = bench::time_of([&] {
      approval.run = id.str();
      auto seq = log.read(approval.run).front().seq;
      for (auto& e : approval.events)
        e.seq = ++seq;
      log.replay({approval}, 1);
    });
    out.wakes_ms.push_back(took.count() * 1e3);
  }
  return out;
}

void measure(std::size_t runs) {
  const bench::scratch_folder folder;
  park(folder.store("first"), 2, true); // What is made once is there now.
  const auto resident =
    park(folder.store("resident"), std::min(runs, resident_runs), false);
  const auto passivated = park(folder.store("log"), runs, true);
  const auto chosen = choose(folder.file("log"));
  const auto ours = open_and_wake(folder.store("log"), chosen);
  const auto bare =
    open_and_wake_bare(folder.file("log"), chosen, ours.approval);
  const auto whole = [](double x) {
    return bench::rounded(x, 0);
  };
  const auto wake = [](const std::vector<double>& samples, double percent) {
    return bench::rounded(bench::percentile(samples, percent), 3);
  };
  const auto p50 = bench::median(ours.wakes_ms);
  bench::print(
    {{"bench", "parked_runs"},
     {"runs", runs},
     {"starts_per_s", whole(static_cast<double>(runs) / passivated.seconds)},
     {"passivated_heap_bytes", whole(passivated.each.heap_bytes)},
     {"passivated_resident_bytes", whole(passivated.each.resident_bytes)},
     {"transcript_bytes", whole(resident.transcript_bytes)},
     {"in_memory_heap_bytes_beyond_transcript",
      whole(resident.each.heap_bytes - resident.transcript_bytes)},
     {"open_ms", whole(ours.open_ms)},
     {"first_command_ms", whole(ours.first_command_ms)},
     {"rest_ms", whole(ours.rest_ms)},
     {"ceiling_rest_ms", whole(bare.read_all_ms)},
     {"wake_p50_ms", wake(ours.wakes_ms, 50)},
     {"wake_p99_ms", wake(ours.wakes_ms, 99)},
     {"ceiling_wake_p50_ms", wake(bare.wakes_ms, 50)},
     {"ceiling_wake_p99_ms", wake(bare.wakes_ms, 99)},
     {"ratio", bench::rounded(p50 / bench::median(bare.wakes_ms), 2)}});
}

} // namespace

int main(int argc, char** argv) {
  return bench::run("parked_runs", [&] {
    measure(argc == 2 ? std::max<std::size_t>(std::stoul(argv[1]), 2)
                      : runs_default);
  });
}
