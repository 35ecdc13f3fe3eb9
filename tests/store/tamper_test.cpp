#include "store_support.hpp"

#include <kestrion/store/log_chain.hpp>

#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>

#include <functional>

using namespace kestrion;
using namespace kestrion::test;
using makers = boost::mpl::list<memory_store_maker, sqlite_store_maker>;

namespace tamper_test {

const run_id run = run_number(1);
constexpr std::uint64_t length = 1'000;

/// The n-th event, of a size of its own.
encoded_event event_number(std::uint64_t n) {
  return event_of(R"({"text":")" + std::string(n % 60, 'x') + R"(","n":)"
                    + std::to_string(n) + "}",
                  at(static_cast<std::int64_t>(1'000 + n)));
}

/// A log of `length` events, between those of another run.
void fill(event_store& store) {
  std::vector<append_request> requests;
  for (std::uint64_t n = 0; n < length; ++n)
    for (const auto& id : {run, run_number(2)}) {
      auto request = n == 0 ? first_append(id) : next_append(id, n);
      request.events = {event_number(n + 1)};
      requests.push_back(std::move(request));
    }
  for (const auto& each : store.append(requests))
    BOOST_REQUIRE(each.has_value());
}

struct fixture : sqlite_store_maker {
  std::string file = folder / "runs.db";

  fixture() { fill(*store); }

  /// @returns What `verify` finds after somebody did `sql` to the file, which
  ///   then is as it was.
  std::optional<log_flaw> flaw_after(const std::string& sql) {
    const auto copy = folder / "copy.db";
    std::filesystem::remove(copy);
    run_sql(file, "VACUUM INTO '" + copy + "'");
    run_sql(copy, sql);
    return open_store("sqlite:///" + copy).value()->verify(run).value().flaw;
  }

  std::string where(std::uint64_t seq) {
    return " WHERE run = '" + run.str() + "' AND seq = " + std::to_string(seq);
  }

  std::string id_of(std::uint64_t seq) {
    return ask_sql(file, "SELECT id FROM events" + where(seq));
  }

  /// The row of the run as if its log ended after `seq`.
  std::string end_at(std::uint64_t seq) {
    return "UPDATE runs SET last_seq = " + std::to_string(seq)
           + ", last_event = " + id_of(seq) + " WHERE id = '" + run.str()
           + "';";
  }
};

/// Flips one bit of each byte of `field`, one after the other.
/// @returns How often `check` was false.
int misses(auto& field, const std::function<bool()>& check) {
  int out = 0;
  auto* bytes = reinterpret_cast<unsigned char*>(std::data(field));
  for (std::size_t i = 0; i < std::size(field) * sizeof(field[0]); ++i) {
    const auto bit = static_cast<unsigned char>(1U << (i % 8));
    bytes[i] ^= bit;
    out += check() ? 0 : 1;
    bytes[i] ^= bit;
  }
  return out;
}

} // namespace tamper_test

/// Somebody changes what is stored. The hash has no key, so who may write the
/// store can also make all hashes anew; for that there is `log_check::head`.
BOOST_AUTO_TEST_SUITE(tamper_test)

BOOST_AUTO_TEST_CASE_TEMPLATE(what_was_appended_fits, Maker, makers) {
  Maker given;
  BOOST_CHECK(given.store->verify(run).error().code == errc::not_found);
  fill(*given.store);
  const auto found = given.store->verify(run).value();
  BOOST_CHECK(!found.flaw);
  BOOST_CHECK_EQUAL(found.events, length);
  BOOST_CHECK_EQUAL(found.head,
                    to_hex(given.store->read(run, length - 1).value()[0].hash));
}

BOOST_AUTO_TEST_CASE(both_stores_have_the_same_hashes) {
  memory_store_maker memory;
  sqlite_store_maker sqlite;
  auto request = first_append(run, std::string(100'000, '"'));
  request.events.push_back(
    event_of("{\"long\":\"" + std::string(90'000, 'y') + "\"}"));
  BOOST_REQUIRE(append(*memory.store, request));
  BOOST_REQUIRE(append(*sqlite.store, request));
  const auto found = sqlite.store->verify(run).value();
  BOOST_CHECK(!found.flaw);
  BOOST_CHECK_EQUAL(found.head, memory.store->verify(run).value().head);
}

/// Computed with another program: sha256sum of the bytes that are described.
BOOST_AUTO_TEST_CASE(the_hash_is_the_described_one) {
  log_chain chain;
  const auto start = chain.start(run_number(1));
  BOOST_CHECK_EQUAL(
    to_hex(start),
    "636ef5ae39bdee5167b0d57dc90369d4deab46cf02fe54e4b109ac072fae0efd");
  BOOST_CHECK_EQUAL(
    to_hex(chain.next(start, 1, at(-1), "run_started", R"({"n":1})")),
    "93ef1c111a6761e04e9cf9c29e641e96ea18203b89790e8f46fce06d62287979");
}

BOOST_AUTO_TEST_CASE(each_flipped_byte_is_found_at_its_event) {
  memory_store_maker given;
  fill(*given.store);
  auto events = given.store->read(run, 0).value();
  const auto head = events.back().hash;
  // Those before the flipped one were compared in the rounds before.
  log_chain chain;
  auto before = chain.start(run);
  int missed = 0;
  for (auto& e : events) {
    const auto fits = [&] {
      return chain.next(before, e.seq, e.at, e.type, e.data) == e.hash;
    };
    BOOST_REQUIRE(fits());
    const auto hash = e.hash;
    const auto is_found = [&] {
      return !fits();
    };
    missed += misses(e.type, is_found) + misses(e.data, is_found)
              + misses(e.hash, is_found);
    std::array<std::int64_t, 1> ticks{e.at.time_since_epoch().count()};
    missed += misses(ticks, [&] {
      return chain.next(before, e.seq, at(ticks[0]), e.type, e.data) != e.hash;
    });
    before = hash;
  }
  BOOST_CHECK_EQUAL(missed, 0);
  BOOST_CHECK(before == head);
}

BOOST_FIXTURE_TEST_CASE(a_byte_of_any_column_is_found_in_the_file, fixture) {
  std::uint64_t seq = 1;
  const std::string flips[] = {
    "at = at + 1",
    "type = 'run_started'",
    "data = replace(data, '}', ' }')",
    "hash = zeroblob(32)",
    "hash = substr(hash, 1, 31)",
    "hash = NULL",
    "blob = 'none'",
    "run = '" + run_number(3).str() + "'",
    "seq = seq + 2000",
    "previous = previous + 1",
    "previous = NULL",
  };
  for (const auto& flip : flips) {
    seq += 83; // Anywhere.
    const auto flaw = flaw_after("UPDATE events SET " + flip + where(seq));
    BOOST_REQUIRE_MESSAGE(flaw, flip);
    BOOST_TEST_INFO(flip << ": " << flaw->why);
    BOOST_CHECK_EQUAL(flaw->seq, seq);
  }
}

BOOST_FIXTURE_TEST_CASE(the_first_of_several_flaws_is_named, fixture) {
  const auto flaw = flaw_after(
    "UPDATE events SET at = 1" + where(700) + "; UPDATE events SET at = 1"
    + where(300) + "; UPDATE events SET previous = 1" + where(500));
  BOOST_REQUIRE(flaw);
  BOOST_CHECK_EQUAL(flaw->seq, 300u);
}

BOOST_FIXTURE_TEST_CASE(a_removed_event_is_named, fixture) {
  const log_flaw missing{500, "is missing"};
  BOOST_CHECK(flaw_after("DELETE FROM events" + where(500)) == missing);
  // With the hole closed, as who knows the tables would.
  const auto closed =
    flaw_after("DELETE FROM events" + where(500)
               + "; UPDATE events SET previous = " + id_of(499) + where(501)
               + "; UPDATE events SET seq = seq - 1 WHERE run = '" + run.str()
               + "' AND seq > 500; UPDATE runs SET last_seq = last_seq - 1");
  BOOST_CHECK(closed == (log_flaw{500, "does not fit its hash"}));
}

BOOST_FIXTURE_TEST_CASE(swapped_events_are_named, fixture) {
  const auto flaw =
    flaw_after("CREATE TEMP TABLE t AS SELECT * FROM events" + where(400)
               + "; UPDATE events SET (at, type, data, hash) = "
                 "(SELECT at, type, data, hash FROM events"
               + where(401) + ")" + where(400)
               + "; UPDATE events SET (at, type, data, hash) = "
                 "(SELECT at, type, data, hash FROM t)"
               + where(401));
  BOOST_CHECK(flaw == (log_flaw{400, "does not fit its hash"}));
}

BOOST_FIXTURE_TEST_CASE(a_truncated_tail_is_named, fixture) {
  const auto cut =
    "DELETE FROM events WHERE run = '" + run.str() + "' AND seq > 900;";
  BOOST_CHECK(flaw_after(cut) == (log_flaw{901, "is missing"}));
  // With the row of the run made to fit, but for the hash.
  BOOST_CHECK(flaw_after(cut + end_at(900))
              == (log_flaw{900, "is not what the log ended with"}));
  BOOST_CHECK(flaw_after(end_at(900))
              == (log_flaw{901, "is behind the end of the log"}));
}

BOOST_AUTO_TEST_CASE(a_lost_blob_is_named) {
  sqlite_store_maker given;
  auto request = first_append(run);
  request.events.push_back(
    event_of("{\"long\":\"" + std::string(90'000, 'y') + "\"}"));
  BOOST_REQUIRE(append(*given.store, request));
  run_sql(given.folder / "runs.db", "DELETE FROM blobs");
  const auto flaw = given.store->verify(run).value().flaw;
  BOOST_REQUIRE(flaw);
  BOOST_CHECK_EQUAL(flaw->seq, 2u);
  BOOST_CHECK_NE(flaw->why.find("has lost its data"), std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
