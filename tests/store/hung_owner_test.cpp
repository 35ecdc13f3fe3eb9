#include "store_support.hpp"

#include <kestrion/tests/support/child_process.hpp>

#include <boost/test/unit_test.hpp>

#include <sys/stat.h>

#include <csignal>
#include <fstream>

using namespace kestrion;
using namespace kestrion::test;
using namespace std::chrono_literals;

namespace hung_owner_test {

struct fixture {
  temp_folder folder;
  std::string file = folder / "runs.db";
  std::string url = "sqlite:///" + file;
  std::string gate = folder / "gate";
  std::unique_ptr<event_store> store = open_store(url).value();

  fixture() { BOOST_REQUIRE_EQUAL(::mkfifo(gate.c_str(), 0600), 0); }

  static child_process::clock::time_point soon() {
    return child_process::clock::now() + 60s;
  }

  /// Suspends it at a moment when it writes nothing; else the whole store would
  /// hang with it.
  void suspend(child_process& peer) {
    for (;;) {
      peer.suspend();
      try {
        run_sql(file, "BEGIN IMMEDIATE; ROLLBACK"); // Does not wait.
        return;
      } catch (const std::runtime_error&) {
        peer.signal(SIGCONT);
      }
    }
  }
};

} // namespace hung_owner_test

/// A real process that is stopped for real, in real time.
BOOST_FIXTURE_TEST_SUITE(hung_owner_test, fixture)

BOOST_AUTO_TEST_CASE(a_suspended_process_loses_its_runs_and_is_fenced) {
  constexpr auto lease = 1'000ms;
  for (std::uint64_t n = 1; n <= 2; ++n)
    BOOST_REQUIRE(append(*store, first_append(run_number(n))));
  run_sql(file, "UPDATE runs SET owner = NULL");
  child_process peer{
    {KESTRION_STORE_PEER, url, gate, "2", std::to_string(lease.count())}};
  BOOST_REQUIRE(peer.has_said("ready", soon()));
  const std::ofstream opened{gate};
  BOOST_REQUIRE(peer.has_said("done", soon()));

  // Given that it renews, it keeps its runs beyond the length of its lease.
  const auto until = child_process::clock::now() + 2 * lease;
  while (child_process::clock::now() < until) {
    BOOST_REQUIRE(!store->claim(run_number(1)).value());
    // Leaves it the write lock for a moment.
    BOOST_REQUIRE(!peer.has_ended(child_process::clock::now() + 20ms));
  }

  // When it hangs, they are free once the lease is over.
  suspend(peer);
  const auto hung = child_process::clock::now();
  const std::chrono::microseconds renewed{std::stoll(ask_sql(
    file, "SELECT renewed_at FROM owners JOIN runs ON owner = owners.id"))};
  while (!store->claim(run_number(1)).value())
    BOOST_REQUIRE(child_process::clock::now() < hung + 60s);
  BOOST_CHECK(child_process::clock::now().time_since_epoch() - renewed
              >= lease);

  // When it goes on, it can't append to what was taken, but to the rest.
  peer.signal(SIGCONT);
  peer.signal(SIGUSR1);
  BOOST_REQUIRE(peer.has_said("appended", soon()));
  BOOST_CHECK(peer.has_said("1 conflict", soon()));
  BOOST_CHECK(peer.has_said("2 ok", soon()));
  BOOST_CHECK_EQUAL(append(*store, next_append(run_number(1), 1)).value(), 2u);
  BOOST_CHECK(!store->claim(run_number(2)).value());
}

BOOST_AUTO_TEST_SUITE_END()
