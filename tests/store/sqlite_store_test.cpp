#include "store_support.hpp"

#include <kestrion/messages/digest.hpp>
#include <kestrion/store/sqlite_connection.hpp>
#include <kestrion/store/sqlite_migrations.hpp>

#include <boost/test/unit_test.hpp>

#include <sys/resource.h>

#include <csignal>
#include <fstream>

using namespace kestrion;
using namespace kestrion::test;

namespace sqlite_store_test {

/// A SQLite file that is closed and opened as the test likes.
struct fixture {
  temp_folder folder;
  std::string file = folder / "runs.db";
  std::string url = "sqlite:///" + file;
  run_id run = run_number(1);

  std::unique_ptr<event_store> open() { return open_store(url).value(); }

  /// A log of three events; the store is closed.
  void make_log() {
    auto store = open();
    BOOST_REQUIRE(append(*store, first_append(run)));
    BOOST_REQUIRE(append(*store, next_append(run, 1)));
    BOOST_REQUIRE(append(*store, next_append(run, 2)));
  }

  /// Checks that reading the log fails as corrupt and names run and event.
  void check_corrupt_event(int seq, const std::string& damage) {
    make_log();
    run_sql(file, damage);
    const auto events = open()->read(run, 0);
    BOOST_REQUIRE(events.has_error());
    BOOST_CHECK(events.error().code == errc::corrupt);
    const auto name = "event " + std::to_string(seq) + " of " + run.str();
    BOOST_CHECK_MESSAGE(events.error().detail.starts_with(name),
                        events.error().detail);
  }
};

/// Files can't grow beyond `bytes` in this scope, as on a full disk.
class full_disk {
public:
  explicit full_disk(rlim_t bytes) : signal_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  full_disk(const full_disk&) = delete;
  full_disk& operator=(const full_disk&) = delete;
  ~full_disk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, signal_);
  }

private:
  rlimit before_{};
  void (*signal_)(int);
};

} // namespace sqlite_store_test

BOOST_FIXTURE_TEST_SUITE(sqlite_store_test, fixture)

BOOST_AUTO_TEST_CASE(a_log_survives_its_store) {
  make_log();
  const auto store = open();
  BOOST_CHECK_EQUAL(store->read(run, 0).value().size(), 3u);
  BOOST_CHECK_EQUAL(append(*store, next_append(run, 3)).value(), 4u);
}

BOOST_AUTO_TEST_CASE(the_file_reads_well_in_the_shell) {
  auto store = open();
  auto request = first_append(run, R"({"n":42})");
  request.status = run_status::waiting_on_human;
  request.events[0].at = at(1'700'000'000'000'000);
  BOOST_REQUIRE(append(*store, request));
  const auto name = run.str();
  BOOST_CHECK_EQUAL(
    ask_sql(file, "SELECT status FROM runs WHERE id='" + name + "'"),
    "waiting_on_human");
  BOOST_CHECK_EQUAL(ask_sql(file, "SELECT data->>'n' FROM events WHERE run='"
                                    + name + "' AND seq=1"),
                    "42");
  BOOST_CHECK_EQUAL(ask_sql(file, "SELECT at FROM events"), "1700000000000000");
  BOOST_CHECK_EQUAL(ask_sql(file, "PRAGMA journal_mode"), "wal");
}

BOOST_AUTO_TEST_CASE(large_data_is_kept_once_beside_the_events) {
  auto store = open();
  const std::string large(64 * 1024 + 1, 'x');
  auto request = first_append(run, large);
  request.events.push_back(event_of(large));
  BOOST_REQUIRE(append(*store, request));
  BOOST_CHECK_EQUAL(ask_sql(file, "SELECT count(*) FROM blobs"), "1");
  BOOST_CHECK_EQUAL(ask_sql(file, "SELECT data->>'$.$blob' = blob "
                                  "FROM events WHERE seq=2"),
                    "1");
  BOOST_CHECK(store->read(run, 1).value().at(0).data == large);
}

BOOST_AUTO_TEST_CASE(long_strings_of_large_data_are_kept_once_for_all_events) {
  const std::string text(64 * 1024 + 1, 'x');
  const auto data_of = [&](const std::string& call) {
    return R"({"call":")" + call + R"(","content":")" + text + R"("})";
  };
  {
    auto store = open();
    auto request = first_append(run, data_of("c1.0"));
    request.events.push_back(event_of(data_of("c1.1")));
    // Looks like a reference, and has to stay what it is.
    const auto trap = R"({"labels":{"$blob":"a"},"content":")" + text + R"("})";
    request.events.push_back(event_of(trap));
    BOOST_REQUIRE(append(*store, request));
    const auto events = store->read(run, 0).value();
    BOOST_CHECK(events.at(0).data == data_of("c1.0"));
    BOOST_CHECK(events.at(1).data == data_of("c1.1"));
    BOOST_CHECK(events.at(2).data == trap);
    // A snapshot with the same text shares it.
    BOOST_REQUIRE(store->put_snapshot(run, {2, 1, "0123" + data_of("x")}));
    BOOST_CHECK(store->find_snapshot(run).value()->data
                == "0123" + data_of("x"));
  }
  BOOST_CHECK_EQUAL(ask_sql(file, "SELECT count(*) FROM blobs"), "1");
  BOOST_CHECK_EQUAL(ask_sql(file, "SELECT data->>'call' FROM events "
                                  "WHERE seq=2"),
                    "c1.1");
  BOOST_CHECK_EQUAL(ask_sql(file,
                            "SELECT CAST(bytes AS TEXT) FROM events "
                            "JOIN blobs ON blobs.hash = blob WHERE seq=1"),
                    text);
  BOOST_CHECK_EQUAL(ask_sql(file, "SELECT max(length(data)) < 300 FROM events"),
                    "1");
  BOOST_CHECK_EQUAL(ask_sql(file, "SELECT length(data) < 300 FROM snapshots"),
                    "1");
}

BOOST_AUTO_TEST_CASE(a_lost_payload_is_named_by_run_seq_and_hash) {
  auto store = open();
  const std::string text(70'000, 'x');
  auto request = first_append(run);
  request.events.push_back(event_of(R"({"content":")" + text + R"("})"));
  BOOST_REQUIRE(append(*store, request));
  BOOST_REQUIRE(store->put_snapshot(run, {2, 1, "[\"" + text + "\"]"}));
  run_sql(file, "DELETE FROM blobs");
  const auto lost = store->read(run, 0);
  BOOST_REQUIRE(lost.has_error());
  BOOST_CHECK(lost.error().code == errc::corrupt);
  for (const auto& name : {"event 2 of " + run.str(), sha256_hex(text)})
    BOOST_CHECK_NE(lost.error().detail.find(name), std::string::npos);
  BOOST_CHECK(store->find_snapshot(run).error().code == errc::corrupt);
}

BOOST_AUTO_TEST_CASE(large_data_of_many_short_strings_is_kept_as_a_whole) {
  auto store = open();
  std::string many = "[0";
  while (many.size() <= 64 * 1024)
    many += R"(,"short")";
  many += ",\"" + std::string(10'000, 'x') + "\"]";
  BOOST_REQUIRE(append(*store, first_append(run, many)));
  BOOST_CHECK(store->read(run, 0).value().at(0).data == many);
  BOOST_CHECK_EQUAL(ask_sql(file, "SELECT count(*) FROM blobs"), "1");
}

BOOST_AUTO_TEST_CASE(a_second_handle_sees_appends_and_conflicts) {
  auto one = open();
  auto two = open();
  BOOST_REQUIRE(append(*one, first_append(run)));
  BOOST_CHECK_EQUAL(two->read(run, 0).value().size(), 1u);
  BOOST_REQUIRE(append(*one, next_append(run, 1)));
  const auto late = append(*two, next_append(run, 1));
  BOOST_CHECK(late.error().code == errc::conflict);
  BOOST_CHECK_EQUAL(two->read(run, 0).value().size(), 2u);
}

// -- damage
// ---------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(an_event_that_is_gone_is_named) {
  check_corrupt_event(2, "DELETE FROM events WHERE seq=2");
}

BOOST_AUTO_TEST_CASE(a_newest_event_that_is_gone_is_named) {
  check_corrupt_event(3, "DELETE FROM events WHERE seq=3");
}

BOOST_AUTO_TEST_CASE(a_renumbered_event_is_named) {
  check_corrupt_event(2, "UPDATE events SET seq=7 WHERE seq=2");
}

BOOST_AUTO_TEST_CASE(an_event_of_another_run_is_named) {
  check_corrupt_event(1, "UPDATE events SET run='run_X' WHERE seq=1");
}

BOOST_AUTO_TEST_CASE(a_log_that_bites_its_tail_ends) {
  check_corrupt_event(2, "UPDATE events SET previous=id");
}

BOOST_AUTO_TEST_CASE(a_log_longer_than_its_events_is_named) {
  check_corrupt_event(900, "UPDATE runs SET last_seq=900");
}

BOOST_AUTO_TEST_CASE(lost_or_changed_blobs_are_named) {
  const std::string large(100'000, 'x');
  auto store = open();
  BOOST_REQUIRE(append(*store, first_append(run, large)));
  const auto hash = store->put_blob(large).value();
  run_sql(file, "UPDATE blobs SET bytes=x'00'");
  BOOST_CHECK(store->get_blob(hash).error().code == errc::corrupt);
  BOOST_CHECK(store->read(run, 0).error().code == errc::corrupt);
  run_sql(file, "DELETE FROM blobs");
  BOOST_CHECK(store->get_blob(hash).error().code == errc::not_found);
  const auto events = store->read(run, 0);
  BOOST_REQUIRE(events.has_error());
  BOOST_CHECK(events.error().code == errc::corrupt);
  BOOST_CHECK_NE(events.error().detail.find("event 1 of " + run.str()),
                 std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_row_with_a_status_that_is_none_is_named) {
  make_log();
  run_sql(file, "UPDATE runs SET status='dreaming'");
  const auto store = open();
  for (const auto& failure :
       {store->find(run).error(), store->list({}).error()}) {
    BOOST_CHECK(failure.code == errc::corrupt);
    BOOST_CHECK_NE(failure.detail.find(run.str()), std::string::npos);
    BOOST_CHECK_NE(failure.detail.find("dreaming"), std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(a_damaged_page_is_corrupt) {
  make_log();
  {
    std::fstream bytes{file, std::ios::in | std::ios::out | std::ios::binary};
    bytes.seekp(8192); // the first page stays as it is
    for (int i = 0; i < 8192 * 20; ++i)
      bytes.put('\x7f');
  }
  auto store = open_store(url);
  if (store) // the first page may be all that opening needs
    BOOST_CHECK((*store)->read(run, 0).error().code == errc::corrupt);
  else
    BOOST_CHECK(store.error().code == errc::corrupt);
}

// -- files that are not ours
// ------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_file_that_is_no_database_is_refused_untouched) {
  const std::string text(5'000, 'x');
  std::ofstream{file} << text;
  const auto store = open_store(url);
  BOOST_REQUIRE(store.has_error());
  BOOST_CHECK(store.error().code == errc::unsupported);
  BOOST_CHECK_NE(store.error().detail.find(file), std::string::npos);
  std::ifstream in{file};
  const std::string after{std::istreambuf_iterator<char>{in}, {}};
  BOOST_CHECK(after == text);
}

BOOST_AUTO_TEST_CASE(a_database_of_another_program_is_refused_untouched) {
  run_sql(file, "CREATE TABLE customers(name TEXT)");
  BOOST_CHECK(open_store(url).error().code == errc::unsupported);
  BOOST_CHECK_EQUAL(ask_sql(file, "SELECT count(*) FROM sqlite_schema"), "1");
  BOOST_CHECK_EQUAL(ask_sql(file, "PRAGMA journal_mode"), "delete");
  run_sql(file, "DROP TABLE customers; PRAGMA application_id=7");
  BOOST_CHECK(open_store(url).error().code == errc::unsupported);
}

BOOST_AUTO_TEST_CASE(a_newer_version_is_refused) {
  make_log();
  const auto newer = std::to_string(store_version() + 1);
  run_sql(file, "PRAGMA user_version=" + newer);
  const auto store = open_store(url);
  BOOST_REQUIRE(store.has_error());
  BOOST_CHECK(store.error().code == errc::unsupported);
  BOOST_CHECK_NE(store.error().detail.find("version " + newer),
                 std::string::npos);
}

// -- disks that do not want
// -------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_place_that_takes_no_file_is_an_io_error) {
  std::ofstream{file} << "";
  for (const auto& bad : {folder / "missing/runs.db", file + "/runs.db",
                          std::string{"/proc/runs.db"}, std::string{"/tmp"}}) {
    const auto store = open_store("sqlite:///" + bad);
    BOOST_REQUIRE_MESSAGE(store.has_error(), bad);
    BOOST_CHECK_MESSAGE(store.error().code == errc::io,
                        to_string(store.error()));
    BOOST_CHECK_NE(store.error().detail.find(bad), std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(after_a_full_disk_the_next_append_works) {
  auto store = open();
  BOOST_REQUIRE(append(*store, first_append(run)));
  std::vector<append_request> batch{
    next_append(run, 1), first_append(run_number(2)), next_append(run, 99)};
  for (int i = 0; i < 100; ++i)
    batch[1].events.push_back(event_of(std::string(60'000, 'x')));
  {
    const full_disk full{2'000'000};
    for (const auto& each : store->append(batch)) {
      BOOST_REQUIRE(each.has_error());
      BOOST_CHECK_MESSAGE(each.error().code == errc::io,
                          to_string(each.error()));
    }
    BOOST_CHECK_EQUAL(store->read(run, 0).value().size(), 1u);
    BOOST_CHECK(!store->find(run_number(2)).value());
  }
  const auto results = store->append(batch);
  BOOST_CHECK_EQUAL(results[0].value(), 2u);
  BOOST_CHECK_EQUAL(results[1].value(), 101u);
  BOOST_CHECK(results[2].error().code == errc::conflict);
}

BOOST_AUTO_TEST_CASE(a_lock_of_another_process_is_an_io_error_in_the_end) {
  make_log();
  auto holder = sqlite_connection::open(file, false).value();
  auto waiter = sqlite_connection::open(file, false).value();
  sqlite3_busy_timeout(waiter.raw(), 1);
  using mode = sqlite_transaction::mode;
  {
    const auto lock = sqlite_transaction::begin(holder, mode::write);
    BOOST_REQUIRE(lock.has_value());
    const auto refused = sqlite_transaction::begin(waiter, mode::write);
    BOOST_REQUIRE(refused.has_error());
    BOOST_CHECK(refused.error().code == errc::io);
    BOOST_CHECK_NE(refused.error().detail.find("locked"), std::string::npos);
    BOOST_CHECK(sqlite_transaction::begin(waiter, mode::read).has_value());
  }
  BOOST_CHECK(sqlite_transaction::begin(waiter, mode::write).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
