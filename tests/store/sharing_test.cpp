#include "store_support.hpp"

#include <kestrion/store/owner_locks.hpp>

#include <boost/test/unit_test.hpp>

#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <map>

using namespace kestrion;
using namespace kestrion::test;

namespace sharing_test {

/// A real process that runs store_peer; killed with SIGKILL at the latest when
/// this goes.
class peer {
public:
  peer(std::string url, std::string gate, int count) {
    std::array<int, 2> ends{};
    BOOST_REQUIRE_EQUAL(::pipe(ends.data()), 0);
    auto number = std::to_string(count);
    std::string program = KESTRION_STORE_PEER;
    char* arguments[] = {program.data(), url.data(), gate.data(), number.data(),
                         nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    const int spawned = posix_spawn(&pid_, program.c_str(), &actions, nullptr,
                                    arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    out_ = ::fdopen(ends[0], "r");
    BOOST_REQUIRE_EQUAL(spawned, 0);
  }
  peer(const peer&) = delete;
  peer& operator=(const peer&) = delete;
  ~peer() {
    kill();
    if (out_ != nullptr)
      std::fclose(out_);
  }

  /// The next line that it says, "" if it says no more.
  std::string line() {
    std::array<char, 64> text{};
    if (std::fgets(text.data(), text.size(), out_) == nullptr)
      return "";
    std::string out{text.data()};
    out.pop_back();
    return out;
  }

  /// Everything up to "done".
  std::vector<std::string> claims() {
    std::vector<std::string> out;
    for (auto next = line(); next != "done"; next = line()) {
      BOOST_REQUIRE_NE(next, ""); // it failed
      out.push_back(next);
    }
    return out;
  }

  void kill() {
    if (pid_ <= 0)
      return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

  pid_t pid() const { return pid_; }

private:
  pid_t pid_ = 0;
  std::FILE* out_ = nullptr;
};

struct fixture {
  temp_folder folder;
  std::string file = folder / "runs.db";
  std::string url = "sqlite:///" + file;
  std::string gate = folder / "gate";
  std::ofstream opened;
  std::unique_ptr<event_store> store = open_store(url).value();

  fixture() { BOOST_REQUIRE_EQUAL(::mkfifo(gate.c_str(), 0600), 0); }

  /// Runs 1 to `count`, of which nobody is the owner.
  void make_free_runs(std::uint64_t count) {
    std::vector<append_request> batch;
    for (std::uint64_t n = 1; n <= count; ++n)
      batch.push_back(first_append(run_number(n)));
    for (const auto& each : store->append(batch))
      BOOST_REQUIRE(each.has_value());
    run_sql(file, "UPDATE runs SET owner=NULL");
  }

  /// Stays open: a peer that comes to it late passes too.
  void open_gate() { opened.open(gate); }
};

} // namespace sharing_test

/// What several owners of one SQLite file do to each other.
BOOST_FIXTURE_TEST_SUITE(sharing_test, fixture)

BOOST_AUTO_TEST_CASE(a_run_of_another_living_owner_is_out_of_reach) {
  auto other = open_store(url).value();
  BOOST_REQUIRE(append(*store, first_append(run_number(1))));

  BOOST_CHECK(!other->claim(run_number(1)).value());
  BOOST_CHECK(other->claim_unfinished(all_agents, {}, 10).value().empty());
  BOOST_REQUIRE(other->release(run_number(1))); // not ours: nothing happens
  const auto fenced = append(*other, next_append(run_number(1), 1));
  BOOST_REQUIRE(fenced.has_error());
  BOOST_CHECK(fenced.error().code == errc::conflict);
  BOOST_CHECK_NE(
    fenced.error().detail.find("process " + std::to_string(::getpid())),
    std::string::npos);
  BOOST_CHECK_EQUAL(append(*store, next_append(run_number(1), 1)).value(), 2u);
}

BOOST_AUTO_TEST_CASE(a_released_run_goes_to_who_asks_first) {
  auto other = open_store(url).value();
  BOOST_REQUIRE(append(*store, first_append(run_number(1))));
  BOOST_REQUIRE(store->release(run_number(1)));
  BOOST_CHECK(other->claim(run_number(1)).value());
  BOOST_CHECK(!store->claim(run_number(1)).value());
  BOOST_CHECK(append(*store, next_append(run_number(1), 1)).error().code
              == errc::conflict);
  BOOST_CHECK_EQUAL(append(*other, next_append(run_number(1), 1)).value(), 2u);
}

BOOST_AUTO_TEST_CASE(an_append_takes_up_a_run_that_nobody_owns) {
  auto other = open_store(url).value();
  BOOST_REQUIRE(append(*store, first_append(run_number(1))));
  BOOST_REQUIRE(store->release(run_number(1)));
  BOOST_REQUIRE(append(*other, next_append(run_number(1), 1)));
  BOOST_CHECK(!store->claim(run_number(1)).value());
}

BOOST_AUTO_TEST_CASE(a_run_that_waits_for_a_person_is_anybodys) {
  auto other = open_store(url).value();
  auto waits = first_append(run_number(1));
  waits.status = run_status::waiting_on_human;
  BOOST_REQUIRE(append(*store, waits));
  BOOST_REQUIRE(append(*other, next_append(run_number(1), 1)));
  const auto late = append(*store, next_append(run_number(1), 1));
  BOOST_CHECK(late.error().code == errc::conflict);
}

BOOST_AUTO_TEST_CASE(a_closed_store_owns_nothing) {
  auto other = open_store(url).value();
  BOOST_REQUIRE(append(*other, first_append(run_number(1))));
  BOOST_CHECK(!store->claim(run_number(1)).value());
  other.reset();
  BOOST_CHECK_EQUAL(store->claim_unfinished(all_agents, {}, 10).value().size(),
                    1u);
  BOOST_CHECK_EQUAL(append(*store, next_append(run_number(1), 1)).value(), 2u);
}

BOOST_AUTO_TEST_CASE(a_run_at_rest_belongs_to_nobody) {
  std::uint64_t n = 0;
  for (const auto status :
       {run_status::waiting_on_human, run_status::parked, run_status::completed,
        run_status::failed, run_status::expired, run_status::cancelled}) {
    auto request = first_append(run_number(++n));
    request.status = status;
    BOOST_REQUIRE(append(*store, request));
    BOOST_CHECK(store->claim(run_number(n)).value());
  }
  BOOST_CHECK_EQUAL(ask_sql(file, "SELECT count(owner) FROM runs"), "0");

  // Who decides about it first has it; the other finds a longer log.
  auto other = open_store(url).value();
  BOOST_CHECK(other->claim(run_number(1)).value());
  BOOST_CHECK_EQUAL(append(*other, next_append(run_number(1), 1)).value(), 2u);
  BOOST_CHECK(!store->claim(run_number(1)).value());
  for (const std::uint64_t seq : {1ULL, 2ULL})
    BOOST_CHECK(append(*store, next_append(run_number(1), seq)).error().code
                == errc::conflict);
}

BOOST_AUTO_TEST_CASE(a_post_reaches_the_owner_alone) {
  auto other = open_store(url).value();
  BOOST_REQUIRE(append(*store, first_append(run_number(1))));
  const auto ours = store->change_counter();
  BOOST_REQUIRE(other->post(run_number(1), "hello"));
  BOOST_CHECK_GT(store->change_counter(), ours);
  BOOST_CHECK(other->inbox().value().empty());
  const auto items = store->inbox().value();
  BOOST_REQUIRE_EQUAL(items.size(), 1u);
  BOOST_CHECK_EQUAL(items[0].data, "hello");
  BOOST_REQUIRE(store->remove(std::vector{items[0].id}));

  // A post to a run that nobody owns waits for its next owner.
  BOOST_REQUIRE(store->release(run_number(1)));
  BOOST_REQUIRE(store->post(run_number(1), "later"));
  BOOST_CHECK(store->inbox().value().empty());
  BOOST_REQUIRE(other->claim(run_number(1)).value());
  BOOST_CHECK_EQUAL(other->inbox().value().at(0).data, "later");
}

BOOST_AUTO_TEST_CASE(the_counter_moves_with_commits_of_others_also_under_load) {
  auto other = open_store(url).value();
  BOOST_REQUIRE(append(*store, first_append(run_number(1))));
  auto counter = store->change_counter();
  for (std::uint64_t n = 2; n < 10; ++n) {
    BOOST_REQUIRE(append(*other, first_append(run_number(n))));
    BOOST_REQUIRE(append(*store, next_append(run_number(1), n - 1)));
    const auto next = store->change_counter();
    BOOST_CHECK_GT(next, counter);
    counter = next;
    BOOST_CHECK_EQUAL(store->change_counter(), counter);
  }
}

BOOST_AUTO_TEST_CASE(dead_owners_are_forgotten_at_the_next_opening) {
  for (int i = 0; i < 5; ++i)
    BOOST_REQUIRE(open_store(url).has_value());
  auto other = open_store(url).value();
  BOOST_CHECK_EQUAL(ask_sql(file, "SELECT count(*) FROM owners"), "2");
}

BOOST_AUTO_TEST_CASE(a_byte_that_is_locked_already_is_passed_over) {
  // Given somebody who still holds the next byte, of a database that is gone.
  auto stranger = owner_locks::open(file + "-owners").value();
  BOOST_REQUIRE(!stranger.take(1).value());
  BOOST_REQUIRE(stranger.take(2).value());
  auto other = open_store(url).value();
  BOOST_CHECK_EQUAL(ask_sql(file, "SELECT max(id) FROM owners"), "3");
  BOOST_CHECK(stranger.is_taken(3).value());
}

BOOST_AUTO_TEST_CASE(a_killed_process_leaves_its_runs_to_us_at_once) {
  make_free_runs(3);
  peer other{url, gate, 3};
  BOOST_REQUIRE_EQUAL(other.line(), "ready");
  open_gate();
  BOOST_REQUIRE_EQUAL(other.claims().size(), 3u);
  // Given that it lives, its runs are its own.
  BOOST_CHECK(!store->claim(run_number(1)).value());
  BOOST_CHECK(store->claim_unfinished(all_agents, {}, 10).value().empty());
  const auto fenced = append(*store, next_append(run_number(1), 1));
  BOOST_REQUIRE(fenced.has_error());
  BOOST_CHECK_NE(
    fenced.error().detail.find("process " + std::to_string(other.pid())),
    std::string::npos);
  // When it is killed, they are ours: by claim, by append, all at once.
  other.kill();
  BOOST_CHECK(store->claim(run_number(1)).value());
  BOOST_CHECK_EQUAL(append(*store, next_append(run_number(2), 1)).value(), 2u);
  BOOST_CHECK_EQUAL(store->claim_unfinished(all_agents, {}, 10).value().size(),
                    3u);
}

BOOST_AUTO_TEST_CASE(two_processes_that_race_for_runs_never_both_win) {
  constexpr int count = 1'000;
  make_free_runs(count);
  peer one{url, gate, count};
  peer two{url, gate, count};
  BOOST_REQUIRE_EQUAL(one.line(), "ready");
  BOOST_REQUIRE_EQUAL(two.line(), "ready");
  open_gate();
  std::map<std::string, int> winners;
  for (auto* each : {&one, &two})
    for (const auto& run : each->claims())
      ++winners[run];
  BOOST_CHECK_EQUAL(winners.size(), 1'000u);
  for (const auto& [run, wins] : winners)
    BOOST_CHECK_MESSAGE(wins == 1, "run " + run + " has two owners");
}

BOOST_AUTO_TEST_SUITE_END()
