/// Commands to runs of another process: one process owns runs whose models
/// never answer, a second one on the same SQLite file cancels them. The command
/// goes through the store: posted, found by the owner, decided and appended;
/// the answer is found by the second process.
///
/// Measured is the call of `runtime::cancel`, from its start to the event in
/// the log and to its return: one at a time, and 50 at a time.
///
/// The ceiling is what two processes can't do without, one after the other and
/// without looking for anything: a post and an append, each committed by a
/// connection of its own, with nothing but SQLite. The ratio is the time of all
/// commands.

#include "agents.hpp"
#include "figures.hpp"
#include "raw_log.hpp"
#include "second_process.hpp"

#include <atomic>
#include <future>

namespace {

constexpr std::size_t payload_bytes = 300;

/// The first process: starts `count` runs and keeps them.
void own_runs(const std::string& url, std::size_t count) {
  std::atomic<std::size_t> silent{0};
  kestrion::runtime rt{
    {.store = url}, {bench::stuck_agent(0, payload_bytes, [&] { ++silent; })}};
  bench::start_all(rt, "busy", count);
  bench::wait_until([&] { return silent == count; }, "all runs wait");
  bench::say_ready();
  bench::wait_for_the_end();
}

struct latencies {
  std::vector<double> to_event_ms;
  std::vector<double> to_return_ms;
  double seconds = 0; ///< From the first call to the last return.
};

struct cancelling {
  kestrion::run_id run;
  kestrion::timestamp called;
  kestrion::timestamp returned;
};

double milliseconds(kestrion::duration d) {
  return std::chrono::duration<double, std::milli>(d).count();
}

kestrion::timestamp time_of_cancel(const kestrion::runtime& rt,
                                   const kestrion::run_id& id) {
  const auto last = rt.events(id).back();
  if (!std::holds_alternative<kestrion::run_cancelled>(last.event))
    throw std::runtime_error("run " + id.str() + " was not cancelled");
  return last.at;
}

void cancel(kestrion::runtime& rt, std::vector<cancelling>& all,
            std::size_t at_once) {
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < all.size(); i = next++) {
      all[i].called = kestrion::system_now();
      rt.cancel(all[i].run, "ana");
      all[i].returned = kestrion::system_now();
    }
  };
  std::vector<std::future<void>> threads;
  for (std::size_t i = 0; i < at_once; ++i)
    threads.push_back(std::async(std::launch::async, work));
  for (auto& thread : threads)
    thread.get();
}

/// The second process: cancels all there are.
latencies cancel_all(const std::string& url, std::size_t runs,
                     std::size_t at_once) {
  kestrion::runtime rt{{.store = url},
                       {bench::stuck_agent(0, payload_bytes, [] {})}};
  std::vector<cancelling> all;
  kestrion::run_query query;
  query.limit = runs;
  for (const auto& row : rt.list(query))
    all.push_back({row.id, {}, {}});
  latencies out;
  out.seconds = bench::time_of([&] { cancel(rt, all, at_once); }).count();
  for (const auto& c : all) {
    out.to_event_ms.push_back(
      milliseconds(time_of_cancel(rt, c.run) - c.called));
    out.to_return_ms.push_back(milliseconds(c.returned - c.called));
  }
  return out;
}

/// A post and an append for each, in milliseconds.
std::vector<double> bare_commits(const std::filesystem::path& file,
                                 const bench::recording& recorded) {
  std::vector<bench::raw_append> before;
  std::vector<bench::raw_append> cancels;
  for (const auto& a : recorded.appends)
    (a.is_last ? cancels : before).push_back(a);
  bench::raw_log log{file, recorded};
  log.replay(before, before.size());
  const auto command =
    kestrion::encode_command(kestrion::cancel_run{"ana", {}, {}}).value();
  std::vector<double> out;
  for (const auto& a : cancels) {
    const auto took = bench::time_of([&] {
      log.post(a.run, command);
      log.replay({a}, 1);
    });
    out.push_back(took.count() * 1e3);
  }
  return out;
}

void measure(std::size_t runs, std::size_t at_once) {
  const bench::scratch_folder folder;
  const auto url = folder.store("log");
  bench::second_process owner{{url, std::to_string(runs)}};
  owner.wait_until_ready();
  const auto ours = cancel_all(url, runs, at_once);
  owner.kill();
  const auto ceiling =
    bare_commits(folder.file("bare"), bench::record(folder.file("log")));
  double bare_seconds = 0;
  for (const auto ms : ceiling)
    bare_seconds += ms / 1e3;
  const auto figure = [](const std::vector<double>& samples, double percent) {
    return bench::rounded(bench::percentile(samples, percent), 2);
  };
  bench::print({{"bench", "remote_command"},
                {"commands", ceiling.size()},
                {"at_once", at_once},
                {"to_event_p50_ms", figure(ours.to_event_ms, 50)},
                {"to_event_p99_ms", figure(ours.to_event_ms, 99)},
                {"to_return_p50_ms", figure(ours.to_return_ms, 50)},
                {"to_return_p99_ms", figure(ours.to_return_ms, 99)},
                {"ceiling_p50_ms", figure(ceiling, 50)},
                {"ceiling_p99_ms", figure(ceiling, 99)},
                {"seconds", bench::rounded(ours.seconds, 3)},
                {"ceiling_seconds", bench::rounded(bare_seconds, 3)},
                {"ratio", bench::rounded(ours.seconds / bare_seconds, 2)}});
}

} // namespace

int main(int argc, char** argv) {
  return bench::run("remote_command", [&] {
    if (argc == 3) {
      own_runs(argv[1], std::stoul(argv[2]));
    } else {
      measure(200, 1);
      measure(1'000, 50);
    }
  });
}
