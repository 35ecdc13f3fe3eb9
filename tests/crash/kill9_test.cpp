/// kill -9, for real, at random moments, again and again.
///
/// A worker (worker.cpp) drives a handful of runs on SQLite. The test kills it,
/// looks at what it left, starts it again, until it gets to the end; then it
/// makes a new round with a fresh store, until there were enough kills.
/// KESTRION_SEED=n repeats the times of the kills, as far as times repeat;
/// KESTRION_LONG=1 makes it a thousand.

#include <kestrion/actors/run_machine.hpp>
#include <kestrion/actors/run_queries.hpp>
#include <kestrion/kestrion.hpp>
#include <kestrion/tests/crash/crash_agent.hpp>
#include <kestrion/tests/support/child_process.hpp>
#include <kestrion/tests/support/temp_folder.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <sstream>

namespace kestrion::test {

namespace kill9_test {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr int runs_a_round = 8;
constexpr auto life_max = 60s; ///< Of a worker that nobody kills.

std::uint64_t seed() {
  const char* given = std::getenv("KESTRION_SEED");
  const std::uint64_t n =
    given ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::cout << "kill9_test: KESTRION_SEED=" << n << std::endl;
  return n;
}

/// What the kills hit.
struct tally {
  int kills = 0;        ///< That left something unfinished.
  int idle = 0;         ///< That came when all was done.
  int before_words = 0; ///< That came before the worker said anything.
  int tool_in_flight = 0;
  int once_in_flight = 0;
  int model_in_flight = 0;
  int happened_unrecorded = 0; ///< An effect, but not its result.
  int acknowledged = 0;        ///< Promises that were checked.
};

using log = std::vector<recorded_event>;

/// What one log says about its calls.
struct log_reading {
  std::map<std::string, std::string> tools; ///< By call, all asked for.
  std::set<std::string> started;
  std::set<std::string> open; ///< Started, without a result.
  bool ended = false;
  bool in_model = false;
};

log_reading read(const log& events) {
  log_reading out;
  const auto close = [&](const std::string& call) {
    out.open.erase(call);
  };
  for (const auto& e : events) {
    if (const auto* x = std::get_if<model_call_completed>(&e.event))
      for (const auto& p : x->parts)
        if (const auto* call = std::get_if<tool_call_part>(&p))
          out.tools[call->id] = call->name;
    if (const auto* x = std::get_if<tool_call_started>(&e.event)) {
      out.started.insert(x->call);
      out.open.insert(x->call);
    }
    if (const auto* x = std::get_if<tool_call_completed>(&e.event))
      close(x->call);
    if (const auto* x = std::get_if<tool_call_failed>(&e.event))
      close(x->call);
    out.ended |= std::holds_alternative<run_completed>(e.event);
  }
  const auto& last = events.back().event;
  out.in_model =
    std::holds_alternative<message_received>(last)
    || std::holds_alternative<run_recovered>(last)
    || (std::holds_alternative<tool_call_completed>(last) && out.open.empty());
  return out;
}

/// One store, from its first worker to the one that gets to the end.
class round {
public:
  round(fs::path folder, tally& counts)
    : folder_(std::move(folder)), counts_(counts),
      effects_(folder_ / "effects.txt") {
    fs::create_directories(folder_);
  }

  /// A worker lives, until its end or until `killed_after` it spoke. If
  /// `impatient`, that counts from its start, and shutting down is no excuse.
  /// @returns Whether it got to the end.
  bool live(std::chrono::microseconds killed_after, bool impatient) {
    child_process worker(
      {KESTRION_CRASH_WORKER, folder_.string(), std::to_string(runs_a_round)});
    if (!impatient)
      BOOST_REQUIRE_MESSAGE(
        worker.has_spoken(child_process::clock::now() + life_max),
        "the worker started to work");
    bool ended = worker.has_ended(child_process::clock::now() + killed_after);
    if (!ended && !impatient && worker.text().ends_with("done\n"))
      ended = worker.has_ended(child_process::clock::now() + life_max);
    if (ended)
      BOOST_REQUIRE_EQUAL(worker.exit_code(), 0);
    else
      worker.kill();
    examine(worker.lines(), ended);
    return ended;
  }

  /// Everything is as if nobody had ever been killed.
  void check_end(const conversation& expected) {
    BOOST_REQUIRE_EQUAL(logs_.size(), std::size_t{runs_a_round});
    std::map<std::string, effect_line> by_key;
    std::map<std::string, int> times;
    for (const auto& line : effects_.lines()) {
      const auto [first, fresh] = by_key.emplace(line.key, line);
      BOOST_CHECK_MESSAGE(first->second.what == line.what
                            && first->second.tool == line.tool,
                          line.key << " stands for one call only");
      if (++times[line.key] > 1)
        BOOST_CHECK_MESSAGE(line.tool == "bump" || line.tool == "look",
                            line.key << ": " << line.tool << " happened again");
    }
    std::size_t calls = 0;
    for (const auto& [id, events] : logs_) {
      check_conversation(id, events, expected);
      calls += read(events).started.size();
    }
    BOOST_CHECK_EQUAL(by_key.size(), calls);
  }

private:
  /// Looks at a copy, so that the next worker finds what the killed one left.
  void examine(const std::vector<std::string>& said, bool ended) {
    const auto copy = folder_ / "copy";
    fs::remove_all(copy);
    fs::create_directories(copy);
    for (const auto* name : {"runs.db", "runs.db-wal"})
      if (fs::exists(folder_ / name))
        fs::copy_file(folder_ / name, copy / name);
    auto store = open_store("sqlite:///" + (copy / "runs.db").string()).value();
    const auto before = std::exchange(logs_, {});
    for (const auto& row : store->list({}).value())
      logs_[row.id] = load_events(*store, row.id).value();
    check_nothing_is_lost(before);
    check_acknowledged(said);
    check_effects_are_on_record();
    count(said, ended);
  }

  void check_nothing_is_lost(const std::map<run_id, log>& before) {
    for (const auto& [id, old] : before) {
      const auto& now = logs_[id];
      BOOST_REQUIRE_MESSAGE(now.size() >= old.size(),
                            id << " had " << old.size() << " events, has "
                               << now.size());
      BOOST_CHECK_MESSAGE(std::equal(old.begin(), old.end(), now.begin()),
                          id << " has other events than before");
    }
  }

  void check_acknowledged(const std::vector<std::string>& said) {
    for (const auto& line : said) {
      std::istringstream words(line);
      std::string word;
      std::string id;
      std::uint64_t seq = 0;
      if (!(words >> word >> id >> seq) || word != "ack")
        continue;
      ++counts_.acknowledged;
      const auto& events = logs_[run_id::parse(id).value()];
      BOOST_REQUIRE_MESSAGE(events.size() >= seq,
                            id << ": event " << seq << " was acknowledged; "
                               << events.size() << " are there");
    }
  }

  void check_effects_are_on_record() {
    for (const auto& line : effects_.lines()) {
      const auto slash = line.key.find('/');
      const auto id = run_id::parse(line.key.substr(0, slash)).value();
      const auto found = logs_.find(id);
      BOOST_REQUIRE_MESSAGE(
        found != logs_.end()
          && read(found->second).started.contains(line.key.substr(slash + 1)),
        line.key << " had an effect before its start was on record");
    }
  }

  void count(const std::vector<std::string>& said, bool ended) {
    int unfinished = runs_a_round - static_cast<int>(logs_.size());
    bool tool = false;
    bool once = false;
    bool model = false;
    bool unrecorded = false;
    for (const auto& [id, events] : logs_) {
      const auto x = read(events);
      unfinished += x.ended ? 0 : 1;
      tool |= !x.open.empty();
      model |= !x.ended && x.in_model;
      for (const auto& call : x.open) {
        const auto& name = x.tools.at(call);
        once |= name == "pay" || name == "deploy";
        unrecorded |= effects_.has(id.str() + "/" + call);
      }
    }
    if (ended)
      return;
    counts_.kills += unfinished > 0 ? 1 : 0;
    counts_.idle += unfinished > 0 ? 0 : 1;
    counts_.before_words += said.empty() ? 1 : 0;
    counts_.tool_in_flight += tool ? 1 : 0;
    counts_.once_in_flight += once ? 1 : 0;
    counts_.model_in_flight += model ? 1 : 0;
    counts_.happened_unrecorded += unrecorded ? 1 : 0;
  }

  static void check_conversation(const run_id& id, const log& events,
                                 const conversation& expected) {
    run_state state;
    for (const auto& e : events)
      state = fold(std::move(state), e);
    BOOST_CHECK_EQUAL(to_string(state.progress.status), "completed");
    const auto& said = state.conversation;
    BOOST_REQUIRE_EQUAL(said.size(), expected.size());
    BOOST_CHECK_EQUAL(output_of(state),
                      text_of(*said.front()) + text_of(*expected.back()));
    for (std::size_t i = 1; i + 1 < said.size(); ++i)
      BOOST_CHECK_MESSAGE(*said[i] == *expected[i],
                          id << ": message " << i << " is another one");
  }

  const fs::path folder_;
  tally& counts_;
  const effects_file effects_;
  std::map<run_id, log> logs_;
};

/// What a run says that nobody disturbs; without the prompt at both ends.
conversation undisturbed(const fs::path& folder) {
  runtime rt{{.store = "memory:"}, {crash_agent(effects_file{folder / "x"})}};
  const auto run = rt.start("worker", "prompt");
  while (run.wait().status == run_status::waiting_on_human)
    rt.approve(run.id(), {.by = "operator"});
  run_state state;
  for (const auto& e : rt.events(run.id()))
    state = fold(std::move(state), e);
  auto said = state.conversation;
  const auto answer = output_of(state);
  BOOST_REQUIRE(answer.starts_with("prompt"));
  said.back() = std::make_shared<const message>(
    user_message(answer.substr(std::string{"prompt"}.size())));
  return said;
}

void print(const tally& t, int rounds) {
  std::cout << "kill9_test: " << t.kills << " kills over " << rounds
            << " rounds of " << runs_a_round << " runs hit unfinished work ("
            << t.idle << " more came too late); of these\n  " << t.before_words
            << " before the worker had said anything\n  " << t.model_in_flight
            << " with a model call in flight\n  " << t.tool_in_flight
            << " with a tool call in flight\n  " << t.once_in_flight
            << " with a once call in flight\n  " << t.happened_unrecorded
            << " with an effect that happened and was not recorded\n  "
            << t.acknowledged << " acknowledgements were kept" << std::endl;
}

} // namespace kill9_test

BOOST_AUTO_TEST_SUITE(kill9_test)

BOOST_AUTO_TEST_CASE(whenever_the_process_dies_nothing_is_lost_or_repeated) {
  const int kills_wanted = std::getenv("KESTRION_LONG") ? 1'000 : 100;
  std::mt19937_64 random{seed()};
  const auto below = [&](int n) {
    return std::uniform_int_distribution<int>{0, n - 1}(random);
  };
  const temp_folder folder;
  const auto expected = undisturbed(folder.path());
  tally counts;
  int rounds = 0;
  while (counts.kills < kills_wanted) {
    ++rounds;
    round r(folder.path() / std::to_string(rounds), counts);
    // A worker that is always killed at once would never get to the end.
    bool ended = false;
    for (int lives = 0; !ended; ++lives) {
      const bool enough = counts.kills >= kills_wanted || lives >= 200;
      const std::chrono::microseconds time{below(50'000)};
      const bool impatient = below(8) == 0;
      ended = enough ? r.live(life_max, false) : r.live(time, impatient);
      BOOST_REQUIRE(ended || !enough);
    }
    r.check_end(expected);
  }
  print(counts, rounds);
  BOOST_CHECK_GE(counts.tool_in_flight, kills_wanted / 10);
  BOOST_CHECK_GE(counts.happened_unrecorded, kills_wanted / 20);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
