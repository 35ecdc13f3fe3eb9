/// Processes that fight for the same runs of one store, while they are killed
/// and suspended at random.
///
/// In each round three fighters (fighter.cpp) share a fresh store under a short
/// lease. The test kills one and starts another in its place, or suspends one
/// for longer than its lease and lets it go on, or kills it then. At the end of
/// the round it compares the logs with all that the fighters ever said.
/// KESTRION_SEED=n repeats the choices, as far as times repeat; KESTRION_LONG=1
/// fights for a minute.

#include <kestrion/store/event_store.hpp>
#include <kestrion/tests/crash/fight.hpp>
#include <kestrion/tests/support/child_process.hpp>
#include <kestrion/tests/support/temp_folder.hpp>

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <sstream>

namespace kestrion::test {

namespace fencing_test {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using clock = child_process::clock;

constexpr std::size_t fighters = 3;
constexpr int blows_a_round = 4;
constexpr auto lease = 150ms;

std::uint64_t seed() {
  const char* given = std::getenv("KESTRION_SEED");
  const std::uint64_t n =
    given ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::cout << "fencing_test: KESTRION_SEED=" << n << std::endl;
  return n;
}

/// What happened in all rounds together.
struct tally {
  int kills = 0;
  int suspensions = 0;
  int acknowledged = 0;
  int refused = 0;   ///< Appends to a run that was somebody else's by then.
  int takeovers = 0; ///< From one process to another, seen in the logs.
  int claims = 0;
};

/// What a fighter said.
struct statement {
  std::string verb;
  run_id run;
  std::uint64_t seq = 0;
  stroke what;
  clock::time_point at;
  std::string text;
};

statement read_statement(std::uint64_t life, const std::string& line) {
  std::istringstream words(line);
  statement out{{}, {}, 0, {life, 0, 0}, {}, line};
  std::string run;
  std::int64_t time = 0;
  words >> out.verb >> run >> out.seq >> out.what.tenure >> out.what.n >> time;
  BOOST_REQUIRE_MESSAGE(words, line);
  out.run = run_id::parse(run).value();
  out.at = clock::time_point{duration{time}};
  out.text = "fighter " + std::to_string(life) + " said: " + line;
  return out;
}

using tenure_id = std::pair<std::uint64_t, std::uint64_t>; ///< Life, tenure.

stroke read_stroke(const std::string& data) {
  const auto value = boost::json::parse(data);
  return {value.at("life").to_number<std::uint64_t>(),
          value.at("tenure").to_number<std::uint64_t>(),
          value.at("n").to_number<std::uint64_t>()};
}

/// One store, from its first fighters to the comparison.
class round {
public:
  round(const fs::path& folder, std::uint64_t seed, tally& counts)
    : url_("sqlite:///" + (folder / "runs.db").string()), random_(seed),
      counts_(counts) {
    fs::create_directories(folder);
    make_runs();
    for (auto& fighter : ring_)
      start(fighter);
  }

  void fight() {
    for (int blow = 0; blow < blows_a_round; ++blow) {
      listen(below(250ms));
      auto& victim = ring_[random_() % fighters];
      const auto kind = random_() % 4;
      if (kind > 0)
        suspend(victim);
      if (kind > 1)
        victim.process->signal(SIGCONT);
      else
        replace(victim);
    }
    listen(150ms);
    for (auto& fighter : ring_)
      stop(fighter);
  }

  void check() {
    auto store = open_store(url_).value();
    for (std::uint64_t n = 1; n <= fight_runs; ++n)
      read_log(fight_run(n), store->read(fight_run(n), 0).value());
    for (const auto& [life, lines] : said_)
      for (const auto& line : lines)
        check_statement(read_statement(life, line));
    for (const auto& claim : claims_)
      check_claim(claim);
    counts_.claims += static_cast<int>(claims_.size());
    // They are dead, so all of it is ours.
    const std::vector<std::string> agents{std::string{fight_agent}};
    BOOST_CHECK_EQUAL(store->claim_unfinished(agents, {}, 100).value().size(),
                      fight_runs);
  }

private:
  struct contender {
    std::uint64_t life = 0;
    std::unique_ptr<child_process> process;
  };

  std::chrono::microseconds below(std::chrono::microseconds limit) {
    return random_() % static_cast<std::uint64_t>(limit.count()) * 1us;
  }

  void make_runs() {
    std::vector<append_request> batch;
    for (std::uint64_t n = 1; n <= fight_runs; ++n) {
      append_request first{fight_run(n), 0, {}, run_status::running, run_row{}};
      first.events.push_back({timestamp{duration{1}}, "taken", to_data({})});
      first.created->agent = fight_agent;
      batch.push_back(std::move(first));
    }
    for (const auto& done : open_store(url_).value()->append(batch))
      BOOST_REQUIRE(done.has_value());
  }

  void start(contender& who) {
    who.life = ++lives_;
    who.process.reset(
      new child_process({KESTRION_FIGHTER, url_, std::to_string(lease.count()),
                         std::to_string(who.life), std::to_string(random_())}));
  }

  /// Hears all of them, so that none waits for us; they never end on their own.
  void listen(std::chrono::microseconds time) {
    const auto until = clock::now() + time;
    do
      for (auto& fighter : ring_)
        BOOST_REQUIRE_MESSAGE(!fighter.process->has_ended(clock::now() + 1ms),
                              "fighter " << fighter.life << " gave up");
    while (clock::now() < until);
  }

  void suspend(contender& who) {
    who.process->suspend();
    ++counts_.suspensions;
    listen(lease + below(2 * lease));
  }

  void stop(contender& who) {
    deaths_[who.life] = clock::now();
    who.process->kill();
    said_[who.life] = who.process->lines();
  }

  void replace(contender& who) {
    stop(who);
    ++counts_.kills;
    start(who);
  }

  /// Seqs are dense; each tenure is one piece, whole and in order, so a run
  /// passes from one to the next only when it is taken, and nobody writes after
  /// somebody else did.
  void read_log(const run_id& run, const std::vector<stored_event>& events) {
    stroke last{};
    for (std::size_t i = 0; i < events.size(); ++i) {
      const auto& e = events[i];
      const auto now = read_stroke(e.data);
      const auto where = run.str() + " " + std::to_string(i + 1) + ": " + e.type
                         + " " + e.data + " after " + to_data(last);
      BOOST_REQUIRE_MESSAGE(e.seq == i + 1, where);
      if (e.type == "worked") {
        const stroke next{last.life, last.tenure, last.n + 1};
        BOOST_REQUIRE_MESSAGE(i > 0 && now == next, where);
      } else if (i > 0) {
        BOOST_REQUIRE_MESSAGE(now.n == 1, where);
        BOOST_REQUIRE_MESSAGE(lengths_.emplace(tenure_of(now), 0).second,
                              where);
        counts_.takeovers += now.life != last.life ? 1 : 0;
      }
      if (i > 0)
        lengths_.at(tenure_of(now)) = now.n;
      last = now;
      logs_[run].push_back(now);
    }
  }

  static tenure_id tenure_of(const stroke& s) { return {s.life, s.tenure}; }

  /// What was acknowledged is there, at its place; what was refused is nowhere.
  void check_statement(const statement& s) {
    if (s.verb == "took")
      claims_.push_back(s);
    else if (s.verb == "left")
      left_.insert(tenure_of(s.what));
    else if (s.verb == "ack")
      check_acknowledged(s);
    else
      check_refused(s);
  }

  void check_acknowledged(const statement& s) {
    const auto& log = logs_.at(s.run);
    BOOST_REQUIRE_MESSAGE(s.seq <= log.size() && log[s.seq - 1] == s.what,
                          s.text);
    acks_[{s.run, s.seq}] = s;
    ++counts_.acknowledged;
  }

  void check_refused(const statement& s) {
    const auto length = lengths_.find(tenure_of(s.what));
    BOOST_REQUIRE_MESSAGE(length == lengths_.end() || length->second < s.what.n,
                          s.text);
    ++counts_.refused;
  }

  /// A claim that succeeded keeps the others from the log: the next event is of
  /// its tenure, unless it ended by then. At the least it lasts half a lease,
  /// for which `claim` stands up.
  void check_claim(const statement& claim) const {
    const auto& log = logs_.at(claim.run);
    const auto id = tenure_of(claim.what);
    if (claim.seq >= log.size() || tenure_of(log[claim.seq]) == id
        || left_.contains(id))
      return;
    const auto ack = acks_.lower_bound({claim.run, claim.seq + 1});
    if (ack == acks_.end() || ack->second.run != claim.run
        || tenure_of(ack->second.what) != tenure_of(log[claim.seq]))
      return; // Who wrote it did not live to say so.
    const auto end = std::min(deaths_.at(id.first), claim.at + lease / 2);
    BOOST_CHECK_MESSAGE(ack->second.at >= end,
                        claim.text << ", but " << ack->second.text);
  }

  const std::string url_;
  std::mt19937_64 random_;
  tally& counts_;
  std::uint64_t lives_ = 0;
  std::array<contender, fighters> ring_;
  std::map<std::uint64_t, std::vector<std::string>> said_; ///< By life.
  std::map<std::uint64_t, clock::time_point> deaths_;      ///< By life.
  std::map<run_id, std::vector<stroke>> logs_;
  std::map<std::pair<run_id, std::uint64_t>, statement> acks_; ///< Run, seq.
  std::vector<statement> claims_;
  std::set<tenure_id> left_;
  std::map<tenure_id, std::uint64_t> lengths_; ///< Events of each tenure.
};

} // namespace fencing_test

BOOST_AUTO_TEST_SUITE(fencing_test)

BOOST_AUTO_TEST_CASE(however_processes_fight_each_run_has_one_owner_at_a_time) {
  const auto wanted = std::getenv("KESTRION_LONG") ? 60s : 5s;
  constexpr auto limit = 120s; // On a machine where hardly anything happens.
  std::mt19937_64 random{seed()};
  const temp_folder folder;
  tally counts;
  int rounds = 0;
  const auto begin = clock::now();
  const auto enough = [&] {
    const auto time = clock::now() - begin;
    return time > limit
           || (time > wanted && counts.refused > 0 && counts.takeovers > 0);
  };
  while (!enough()) {
    round r(folder.path() / std::to_string(++rounds), random(), counts);
    r.fight();
    r.check();
  }
  std::cout << "fencing_test: " << rounds << " rounds, " << counts.kills
            << " kills, " << counts.suspensions << " suspensions; "
            << counts.takeovers << " takeovers, " << counts.refused
            << " late appends refused, " << counts.claims << " claims and "
            << counts.acknowledged << " acknowledgements kept" << std::endl;
  BOOST_CHECK_GT(counts.takeovers, 0);
  BOOST_CHECK_GT(counts.refused, 0);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
