/// How the log and the time of a turn grow with the conversation: runs of 5,
/// 100 and 1,000 turns. Neither should: a turn stores what was said in it, and
/// nothing of what was said before.
///
/// The ceiling is what was said: a turn's arguments and its result. The ratio
/// is the log's bytes to that.

#include "agents.hpp"
#include "figures.hpp"

#include <kestrion/store/event_store.hpp>

#include <caf/actor_system_config.hpp>

namespace {

constexpr std::size_t payload_bytes = 300;
constexpr double said_bytes = 2 * payload_bytes; // Arguments and result.

struct figures {
  double bytes_per_turn = 0;
  double us_per_turn = 0;
};

double bytes_of(const std::string& url, const kestrion::run_id& id) {
  const auto store = kestrion::open_store(url).value();
  std::size_t n = 0;
  for (const auto& e : store->read(id, 0).value())
    n += sizeof e.seq + sizeof e.at + e.type.size() + e.data.size();
  return static_cast<double>(n);
}

/// Runs one after the other, `turns_total` turns in all.
figures run_turns(const std::string& url, int turns, int turns_total) {
  caf::actor_system_config config;
  caf::actor_system system{config};
  std::vector<double> us;
  kestrion::run_id last;
  {
    kestrion::runtime rt{
      system, {.store = url}, {bench::busy_agent(turns, payload_bytes)}};
    for (int done = 0; done < turns_total; done += turns) {
      const auto took = bench::time_of([&] {
        const auto results = bench::run_all(system, rt, "busy", 1);
        last = results.front().id;
        if (results.front().tool_calls != turns)
          throw std::runtime_error(results.front().reason);
      });
      us.push_back(took.count() * 1e6 / turns);
    }
  }
  return {url == "memory:" ? 0 : bytes_of(url, last) / turns,
          bench::median(us)};
}

void measure() {
  constexpr int turns_total = 2'000;
  double first_us = 0;
  for (const int turns : {5, 100, 1'000}) {
    const bench::scratch_folder folder;
    const auto durable = run_turns(folder.store("log"), turns, turns_total);
    const auto in_memory = run_turns("memory:", turns, turns_total);
    if (first_us == 0)
      first_us = in_memory.us_per_turn;
    bench::print(
      {{"bench", "log_bytes_per_turn"},
       {"turns", turns},
       {"bytes_per_turn", bench::rounded(durable.bytes_per_turn, 0)},
       {"ceiling_bytes_per_turn", said_bytes},
       {"us_per_turn", bench::rounded(durable.us_per_turn, 0)},
       {"us_per_turn_without_disk", bench::rounded(in_memory.us_per_turn, 1)},
       {"slower_than_first",
        bench::rounded(in_memory.us_per_turn / first_us, 2)},
       {"ratio", bench::rounded(durable.bytes_per_turn / said_bytes, 2)}});
  }
}

} // namespace

int main() {
  return bench::run("log_bytes_per_turn", measure);
}
