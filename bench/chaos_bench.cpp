/// Whether a fleet works on while its actors die: 1,000 busy runs on one SQLite
/// file, and a killer that ends run actors and each of the actors that runs
/// need at random, for 60 s (the argument: other seconds; a second one: the
/// seed).
///
/// It stands beside the same fleet undisturbed, in turns: a third of the time
/// with the killer, then a sixth without, three times, each with a store of its
/// own. The ratio is of durable events a second. After each turn no run is
/// started any more, all have to complete, and the logs are compared with what
/// the tools did: nothing may be lost, nothing that is `once` may happen twice.

#include "chaos_killer.hpp"
#include "chaos_load.hpp"
#include "chaos_proof.hpp"
#include "figures.hpp"
#include "raw_log.hpp"

#include <kestrion/providers/tools/worker_pool.hpp>

#include <caf/actor_system_config.hpp>
#include <caf/exit_reason.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <iostream>
#include <random>
#include <thread>

namespace {

constexpr std::size_t runs = 1'000;
constexpr int rounds_per_run = 10;
constexpr int turns = 3;
constexpr double seconds_default = 60;
constexpr std::size_t tool_threads = 16;
/// For all that is under way to complete once nobody is killed any more.
constexpr auto patience = std::chrono::seconds{60};

using clock_type = std::chrono::steady_clock;

/// As a runtime with a system of its own has it.
struct system_config : caf::actor_system_config {
  system_config() {
    set("scheduler.max-threads",
        std::max(std::thread::hardware_concurrency(), 1U));
    set("scheduler.max-throughput", 50);
  }
};

std::uint64_t random_bits() {
  thread_local std::mt19937_64 generator{std::random_device{}()};
  return generator();
}

/// A runtime whose actors can be got at.
class fleet {
public:
  fleet(const std::string& url, const std::shared_ptr<bench::ledger>& world)
    : store_(kestrion::open_store(url).value()) {
    auto agents = std::make_shared<kestrion::agent_registry>();
    agents->emplace("chaos",
                    bench::chaos_agent(rounds_per_run, world).build().value());
    engine_ = kestrion::start_engine(
      system_,
      {store_,
       {[this](auto job) { workers_.post(std::move(job)); },
        [this] {
          workers_.replace_one();
        }},
       kestrion::system_now,
       random_bits},
      {.store_is_shared = true}, std::move(agents));
  }
  ~fleet() {
    engine_.stop();
    caf::scoped_actor self{system_};
    self->wait_for(engine_.root);
  }
  fleet(const fleet&) = delete;
  fleet& operator=(const fleet&) = delete;

  caf::actor_system& system() { return system_; }
  const kestrion::engine& engine() const { return engine_; }
  const kestrion::event_store& store() const { return *store_; }

private:
  system_config config_;
  caf::actor_system system_{config_};
  std::shared_ptr<kestrion::event_store> store_;
  kestrion::worker_pool workers_{tool_threads};
  kestrion::engine engine_;
};

/// Which runs hang, and where.
std::string unfinished(const kestrion::event_store& store) {
  kestrion::run_query query;
  query.statuses = {kestrion::run_status::running,
                    kestrion::run_status::waiting_on_human,
                    kestrion::run_status::parked};
  const auto rows = store.list(query).value();
  auto out = std::to_string(rows.size()) + " runs do not come to their end";
  for (std::size_t i = 0; i < std::min<std::size_t>(rows.size(), 5); ++i)
    out += "; " + rows[i].id.str() + " is "
           + std::string{to_string(rows[i].status)} + " since "
           + kestrion::to_string(rows[i].updated_at) + " at seq "
           + std::to_string(rows[i].last_seq);
  return out;
}

/// One turn with or without the killer.
struct outcome {
  double events_per_s = 0;
  double seconds_to_complete = 0; ///< After the killer went.
  std::size_t resolved = 0;
  std::size_t unparked = 0;
  bench::chaos_evidence evidence;
};

outcome work(double seconds, std::optional<std::uint64_t> seed,
             const std::shared_ptr<bench::kill_counts>& kills) {
  const bench::scratch_folder folder;
  auto world = std::make_shared<bench::ledger>();
  auto counts = std::make_shared<bench::load_counts>();
  fleet ours{folder.store("log"), world};
  auto load =
    bench::keep_busy(ours.system(), ours.engine(), world, counts, runs);
  bench::wait_until([&] { return counts->completed >= runs; },
                    "as many runs have completed as are busy");
  bench::raw_log log{folder.file("log")};
  const auto before = log.last_event();
  caf::actor killer;
  if (seed)
    killer = bench::spawn_killer(ours.system(), ours.engine(), *seed, kills);
  const auto took = bench::time_of([&] {
    if (load.done.wait_for(bench::seconds{seconds})
        == std::future_status::ready)
      load.done.get(); // Says why.
  });
  outcome out;
  out.events_per_s =
    static_cast<double>(log.last_event() - before) / took.count();
  if (killer)
    caf::anon_send_exit(killer, caf::exit_reason::user_shutdown);
  counts->ends = true;
  out.seconds_to_complete =
    bench::time_of([&] {
      if (load.done.wait_for(patience) != std::future_status::ready)
        throw std::runtime_error(unfinished(ours.store()));
    }).count();
  load.done.get();
  out.resolved = counts->resolved;
  out.unparked = counts->unparked;
  out.evidence = bench::gather(ours.store(), *world);
  bench::demand_proof(out.evidence, counts->started);
  return out;
}

void measure(double seconds, std::uint64_t seed) {
  std::cerr << "chaos: seed " << seed << std::endl;
  const auto kills = std::make_shared<bench::kill_counts>();
  std::vector<outcome> disturbed;
  std::vector<double> undisturbed;
  for (int i = 0; i < turns; ++i) {
    disturbed.push_back(
      work(seconds / turns, seed + static_cast<std::uint64_t>(i), kills));
    undisturbed.push_back(
      work(seconds / turns / 2, std::nullopt, kills).events_per_s);
  }
  std::vector<double> rates;
  std::vector<double> ends;
  for (const auto& each : disturbed) {
    rates.push_back(each.events_per_s);
    ends.push_back(each.seconds_to_complete);
  }
  const auto sum = [&](auto figure) {
    std::size_t out = 0;
    for (const auto& each : disturbed)
      out += std::invoke(figure, each);
    return out;
  };
  const auto total = [&](std::size_t bench::chaos_evidence::*figure) {
    return sum([&](const outcome& x) { return x.evidence.*figure; });
  };
  boost::json::object killed;
  for (const auto& [kind, n] : kills->get())
    killed[kind] = n;
  using bench::chaos_evidence;
  bench::print(
    {{"bench", "chaos"},
     {"seed", seed},
     {"runs", runs},
     {"seconds", bench::rounded(seconds, 1)},
     {"killed", killed},
     {"runs_completed", total(&chaos_evidence::completed)},
     {"events", total(&chaos_evidence::events)},
     {"recoveries", total(&chaos_evidence::recoveries)},
     {"once_calls", total(&chaos_evidence::once_calls)},
     {"once_calls_in_doubt", total(&chaos_evidence::in_doubt)},
     {"once_calls_doubled", total(&chaos_evidence::doubled)},
     {"calls_lost", total(&chaos_evidence::lost)},
     {"resolved", sum(&outcome::resolved)},
     {"parked", total(&chaos_evidence::parkings)},
     {"unparked", sum(&outcome::unparked)},
     {"seconds_to_complete", bench::rounded(bench::median(ends), 2)},
     {"events_per_s", bench::rounded(bench::median(rates), 0)},
     {"undisturbed_events_per_s",
      bench::rounded(bench::median(undisturbed), 0)},
     {"ratio",
      bench::rounded(bench::median(rates) / bench::median(undisturbed), 3)}});
}

} // namespace

int main(int argc, char** argv) {
  return bench::run("chaos", [&] {
    measure(argc > 1 ? std::stod(argv[1]) : seconds_default,
            argc > 2 ? std::stoull(argv[2]) : std::random_device{}());
  });
}
