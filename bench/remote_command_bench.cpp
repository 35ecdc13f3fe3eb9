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

#include <algorithm>
#include <atomic>
#include <future>
#include <numeric>
#include <span>

namespace {

constexpr std::size_t payload_bytes = 300;
constexpr std::size_t turn = 200; ///< Commands, then as many of the ceiling.

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
  double seconds = 0; ///< From first calls to last returns.
  std::vector<double> ceiling_ms;
};

struct cancelling {
  kestrion::run_id run;
  kestrion::timestamp called;
  kestrion::timestamp returned;
};

double milliseconds(kestrion::duration d) {
  return std::chrono::duration<double, std::milli>(d).count();
}

kestrion::recorded_event cancel_in_log(const kestrion::runtime& rt,
                                       const kestrion::run_id& id) {
  auto last = rt.events(id).back();
  if (!std::holds_alternative<kestrion::run_cancelled>(last.event))
    throw std::runtime_error("run " + id.str() + " was not cancelled");
  return last;
}

void cancel(kestrion::runtime& rt, std::span<cancelling> all,
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

/// A post and the append that follows from it; milliseconds.
double commit_bare(bench::raw_log& log, const kestrion::run_id& id,
                   const kestrion::recorded_event& e) {
  static const auto command =
    kestrion::encode_command(kestrion::cancel_run{"ana", {}, {}}).value();
  const auto text = kestrion::encode(e.event, e.at);
  const bench::raw_append append{
    id.str(),
    "",
    "cancelled",
    {{static_cast<std::int64_t>(e.seq), e.at.time_since_epoch().count(),
      std::string{text.type}, text.data}},
    true};
  const auto took = bench::time_of([&] {
    log.post(append.run, command);
    log.replay({append}, 1);
  });
  return took.count() * 1e3;
}

/// The second process: cancels all there are, in turns with the ceiling, which
/// has the same runs in a store of its own.
latencies cancel_all(kestrion::runtime& rt, bench::raw_log& bare,
                     std::vector<cancelling> all, std::size_t at_once) {
  latencies out;
  const std::span runs{all};
  for (std::size_t i = 0; i < runs.size(); i += turn) {
    const auto some = runs.subspan(i, std::min(turn, runs.size() - i));
    out.seconds += bench::time_of([&] { cancel(rt, some, at_once); }).count();
    for (const auto& c : some) {
      const auto e = cancel_in_log(rt, c.run);
      out.to_event_ms.push_back(milliseconds(e.at - c.called));
      out.to_return_ms.push_back(milliseconds(c.returned - c.called));
      out.ceiling_ms.push_back(commit_bare(bare, c.run, e));
    }
  }
  return out;
}

latencies measure_all(std::size_t count, std::size_t at_once) {
  const bench::scratch_folder folder;
  const auto url = folder.store("log");
  bench::second_process owner{{url, std::to_string(count)}};
  owner.wait_until_ready();
  const auto recorded = bench::record(folder.file("log"));
  bench::raw_log bare{folder.file("bare"), recorded};
  bare.replay(recorded.appends, count);
  kestrion::runtime rt{{.store = url},
                       {bench::stuck_agent(0, payload_bytes, [] {})}};
  kestrion::run_query query;
  query.limit = count;
  std::vector<cancelling> all;
  for (const auto& row : rt.list(query))
    all.push_back({row.id, {}, {}});
  return cancel_all(rt, bare, std::move(all), at_once);
}

void measure(std::size_t count, std::size_t at_once) {
  const auto x = measure_all(count, at_once);
  const auto bare_seconds =
    std::accumulate(x.ceiling_ms.begin(), x.ceiling_ms.end(), 0.0) / 1e3;
  const auto figure = [](const std::vector<double>& samples, double percent) {
    return bench::rounded(bench::percentile(samples, percent), 2);
  };
  bench::print({{"bench", "remote_command"},
                {"commands", x.ceiling_ms.size()},
                {"at_once", at_once},
                {"to_event_p50_ms", figure(x.to_event_ms, 50)},
                {"to_event_p99_ms", figure(x.to_event_ms, 99)},
                {"to_return_p50_ms", figure(x.to_return_ms, 50)},
                {"to_return_p99_ms", figure(x.to_return_ms, 99)},
                {"ceiling_p50_ms", figure(x.ceiling_ms, 50)},
                {"ceiling_p99_ms", figure(x.ceiling_ms, 99)},
                {"seconds", bench::rounded(x.seconds, 3)},
                {"ceiling_seconds", bench::rounded(bare_seconds, 3)},
                {"ratio", bench::rounded(x.seconds / bare_seconds, 2)}});
}

} // namespace

int main(int argc, char** argv) {
  return bench::run("remote_command", [&] {
    if (argc == 3) {
      own_runs(argv[1], std::stoul(argv[2]));
    } else {
      measure(1'000, 1);
      measure(1'000, 50);
    }
  });
}
