/// A fleet that waits for people, on one SQLite file, each run for an approval.
/// Two lines: what 100,000 runs cost that stay in memory; and what 1,000,000
/// runs cost that have left it, how long a runtime takes to open such a store,
/// to carry out its first command and to come to rest, and how long it takes to
/// wake one run of them, which is the call of `runtime::approve`. Two arguments
/// are other numbers.
///
/// The ceiling of waking: in a copy of the store the run's log is read and the
/// events of the approval are appended and committed, with nothing but SQLite,
/// in turns with ours.

#include "agents.hpp"
#include "figures.hpp"
#include "memory.hpp"
#include "raw_log.hpp"

#include <kestrion/actors/run_queries.hpp>

#include <algorithm>
#include <random>
#include <span>
#include <thread>

namespace {

using namespace std::chrono_literals;

constexpr std::size_t resident_default = 100'000;
constexpr std::size_t passivated_default = 1'000'000;
/// For what a passivated run costs in memory; the others are put in the store.
constexpr std::size_t passivated_by_runtime = 20'000;
constexpr std::size_t runs_at_once = 10'000; ///< That are being started.
constexpr std::size_t wakes_max = 1'000;
constexpr std::size_t payload_bytes = 300;

kestrion::agent gated() {
  return bench::gated_agent(payload_bytes);
}

/// The one that the runtime owns.
caf::actor_system& system_of(kestrion::runtime& rt) {
  return kestrion::directory_of(rt).home_system();
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
  kestrion::runtime rt{{.store = url, .passivate = passivate}, {gated()}};
  auto& system = system_of(rt);
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

// -- a store with many --------------------------------------------------------

/// How the runtime appended this run; the events of one append have one time.
std::vector<kestrion::append_request>
appends_of(const kestrion::event_store& store, const kestrion::run_row& row) {
  std::vector<kestrion::append_request> out;
  for (const auto& e : kestrion::load_events(store, row.id).value()) {
    if (out.empty() || out.back().events.back().at != e.at) {
      out.emplace_back();
      out.back().expected_seq = e.seq - 1;
      out.back().status = kestrion::run_status::running;
      out.back().wake_at = row.wake_at;
    }
    out.back().events.push_back(kestrion::encode(e.event, e.at));
  }
  out.front().created = row;
  out.back().status = row.status;
  return out;
}

/// Makes these appends for `count` new runs, as if they happened now.
void append_copies(kestrion::event_store& store,
                   std::vector<kestrion::append_request> appends,
                   std::size_t count) {
  static std::mt19937_64 random{1};
  const auto now = kestrion::system_now();
  const auto later = now - appends.front().events.front().at;
  std::vector<kestrion::run_id> ids(count);
  for (auto& id : ids)
    id = kestrion::run_id::make(now, static_cast<std::uint16_t>(random()),
                                random());
  for (auto& append : appends) {
    *append.wake_at += later;
    for (auto& e : append.events)
      e.at += later;
    std::vector<kestrion::append_request> group(count, append);
    for (std::size_t i = 0; i < count; ++i) {
      group[i].run = ids[i];
      if (group[i].created)
        group[i].created->id = ids[i];
    }
    for (const auto& done : store.append(group))
      static_cast<void>(done.value());
  }
}

/// Adds runs to the store, each appended as the runtime appended the one that
/// is there, but many of them a transaction, until there are `runs`.
/// @returns Seconds.
double fill(const std::string& url, std::size_t runs) {
  constexpr std::size_t group = 4'000;
  const auto store = kestrion::open_store(url).value();
  const auto appends = appends_of(*store, store->list({}).value().front());
  return bench::time_of([&] {
           for (std::size_t made = 1; made < runs; made += group)
             append_copies(*store, appends, std::min(group, runs - made));
         })
    .count();
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
  out.reserve(some.size());
  for (const auto& id : some)
    out.push_back(kestrion::run_id::parse(id).value());
  return out;
}

/// Blocks until no run has been in memory for a while.
/// @param actors  All that there are without runs.
/// @returns When that while began.
std::chrono::steady_clock::time_point wait_until_idle(caf::actor_system& system,
                                                      std::size_t actors) {
  auto begin = std::chrono::steady_clock::now();
  bench::wait_until(
    [&] {
      const auto now = std::chrono::steady_clock::now();
      if (system.registry().running() > actors)
        begin = now;
      return now - begin > 300ms;
    },
    "all runs have left memory");
  return begin;
}

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

struct opened {
  double open_ms = 0;          ///< Until the runtime is there.
  double first_command_ms = 0; ///< Until it has carried out a command.
  double rest_ms = 0;          ///< Until it has looked at all that waits.
};

/// The actors of a runtime without runs.
std::size_t actors_of_none() {
  const bench::scratch_folder folder;
  kestrion::runtime rt{{.store = folder.store("none")}, {}};
  return system_of(rt).registry().running();
}

/// Carries out a command while the runtime still starts.
opened open_and_rest(std::optional<kestrion::runtime>& rt,
                     const std::string& url, const kestrion::run_id& run) {
  const auto actors = actors_of_none();
  const auto begin = std::chrono::steady_clock::now();
  const auto ms_until = [begin](std::chrono::steady_clock::time_point t) {
    return std::chrono::duration<double, std::milli>{t - begin}.count();
  };
  opened out;
  rt.emplace(kestrion::runtime_options{.store = url}, std::vector{gated()});
  out.open_ms = ms_until(std::chrono::steady_clock::now());
  rt->approve(run, {.by = "ana"});
  out.first_command_ms = ms_until(std::chrono::steady_clock::now());
  out.rest_ms = ms_until(wait_until_idle(system_of(*rt), actors));
  return out;
}

struct woken {
  std::vector<double> ours_ms;
  std::vector<double> ceiling_ms;
};

/// In turns: one of ours, and the same in the copy.
woken wake(kestrion::runtime& rt, bench::raw_log& copy,
           std::span<const kestrion::run_id> chosen) {
  woken out;
  for (const auto& id : chosen) {
    const auto took = bench::time_of([&] { rt.approve(id, {.by = "ana"}); });
    out.ours_ms.push_back(took.count() * 1e3);
    rt.find(id).wait(); // Now the disk is idle again.
    const auto approval = approval_of(rt, id);
    const auto bare = bench::time_of([&] {
      copy.read(approval.run);
      copy.replay({approval}, 1);
    });
    out.ceiling_ms.push_back(bare.count() * 1e3);
  }
  return out;
}

// -- all together -------------------------------------------------------------

boost::json::object figures_of(const opened& o, const woken& w) {
  const auto digits = [](const std::vector<double>& samples, double percent) {
    return bench::rounded(bench::percentile(samples, percent), 3);
  };
  return {
    {"open_ms", bench::rounded(o.open_ms, 0)},
    {"first_command_ms", bench::rounded(o.first_command_ms, 0)},
    {"rest_ms", bench::rounded(o.rest_ms, 0)},
    {"wake_p50_ms", digits(w.ours_ms, 50)},
    {"wake_p99_ms", digits(w.ours_ms, 99)},
    {"ceiling_wake_p50_ms", digits(w.ceiling_ms, 50)},
    {"ceiling_wake_p99_ms", digits(w.ceiling_ms, 99)},
    {"ratio", bench::rounded(
                bench::median(w.ours_ms) / bench::median(w.ceiling_ms), 2)}};
}

/// Opens the store of parked runs, and wakes some.
boost::json::object open_and_wake(const bench::scratch_folder& folder) {
  const auto chosen = choose(folder.file("log"));
  std::filesystem::copy_file(folder.file("log"), folder.file("copy"));
  std::optional<kestrion::runtime> rt;
  const auto o = open_and_rest(rt, folder.store("log"), chosen.front());
  bench::raw_log copy{folder.file("copy")};
  return figures_of(o, wake(*rt, copy, std::span{chosen}.subspan(1)));
}

double whole(double x) {
  return bench::rounded(x, 0);
}

void measure_resident(std::size_t runs) {
  const bench::scratch_folder folder;
  park(folder.store("first"), 2, false); // What is made once is there now.
  const auto all = park(folder.store("log"), runs, false);
  bench::print(
    {{"bench", "parked_runs"},
     {"kept", "in memory"},
     {"runs", runs},
     {"starts_per_s", whole(static_cast<double>(runs) / all.seconds)},
     {"transcript_bytes", whole(all.transcript_bytes)},
     {"heap_bytes", whole(all.each.heap_bytes)},
     {"resident_bytes", whole(all.each.resident_bytes)},
     {"bytes_per_run", whole(all.each.heap_bytes - all.transcript_bytes)}});
}

void measure_passivated(std::size_t runs) {
  const bench::scratch_folder folder;
  park(folder.store("first"), 2, true); // What is made once is there now.
  const auto some = park(folder.store("some"), passivated_by_runtime, true);
  park(folder.store("log"), 1, true);
  const auto seconds = fill(folder.store("log"), runs);
  boost::json::object line{{"bench", "parked_runs"},
                           {"kept", "in the store"},
                           {"runs", runs},
                           {"seconds_to_fill", whole(seconds)},
                           {"heap_bytes", whole(some.each.heap_bytes)},
                           {"resident_bytes", whole(some.each.resident_bytes)}};
  for (const auto& figure : open_and_wake(folder))
    line.insert(figure);
  bench::print(line);
}

} // namespace

int main(int argc, char** argv) {
  return bench::run("parked_runs", [&] {
    const bool has_numbers = argc == 3;
    measure_resident(has_numbers ? std::stoul(argv[1]) : resident_default);
    measure_passivated(has_numbers
                         ? std::max<std::size_t>(std::stoul(argv[2]), 2)
                         : passivated_default);
  });
}
