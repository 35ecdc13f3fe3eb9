#include <kestrion/messages/run_id.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <limits>
#include <random>
#include <sstream>
#include <unordered_set>
#include <vector>

using namespace kestrion;
using namespace std::chrono_literals;

namespace run_id_test {

constexpr auto all_ones = std::numeric_limits<std::uint64_t>::max();

timestamp at(std::int64_t milliseconds) {
  return timestamp{std::chrono::milliseconds{milliseconds}};
}

} // namespace run_id_test

BOOST_AUTO_TEST_SUITE(run_id_test)

// github.com/ulid/spec: the time part of its example, and its largest ULID.
BOOST_AUTO_TEST_CASE(ids_are_written_as_ulids) {
  BOOST_TEST(run_id::make(at(1469918176385), 0, 0).str()
             == "run_01ARYZ6S410000000000000000");
  BOOST_TEST(run_id::make(at((1LL << 48) - 1), 0xFFFF, all_ones).str()
             == "run_7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
  BOOST_TEST(run_id{}.str() == "run_00000000000000000000000000");
}

BOOST_AUTO_TEST_CASE(every_id_reads_back_as_itself) {
  const auto seed = std::random_device{}();
  BOOST_TEST_INFO("seed " << seed);
  std::mt19937_64 rng{seed};
  for (int i = 0; i < 2'000; ++i) {
    const auto id = run_id::make(at(static_cast<std::int64_t>(rng() >> 16U)),
                                 static_cast<std::uint16_t>(rng()), rng());
    const auto read = run_id::parse(id.str());
    BOOST_TEST_REQUIRE(read.has_value(), "seed " << seed << ", id " << id);
    BOOST_TEST_REQUIRE((*read == id), "seed " << seed << ", id " << id);
  }
}

BOOST_AUTO_TEST_CASE(ids_and_their_texts_sort_by_time_then_randomness) {
  const std::vector<run_id> sorted{
    run_id{},
    run_id::make(at(1), 0, 0),
    run_id::make(at(1), 0, 1),
    run_id::make(at(1), 1, 0),
    run_id::make(at(255), 0xFFFF, all_ones),
    run_id::make(at(256), 0, 0),
    run_id::make(at(1'700'000'000'000), 0, 0),
    run_id::make(at(1'700'000'000'001), 0, 0),
  };
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    BOOST_TEST((sorted[i - 1] < sorted[i]));
    BOOST_TEST(sorted[i - 1].str() < sorted[i].str());
  }
}

BOOST_AUTO_TEST_CASE(an_id_knows_its_time_in_milliseconds) {
  const timestamp t{1'700'000'000'123'999us};
  BOOST_TEST((run_id::make(t, 7, 9).time() == at(1'700'000'000'123)));
}

BOOST_AUTO_TEST_CASE(the_default_id_is_no_run) {
  BOOST_TEST(!run_id{});
  BOOST_TEST(!!run_id::make(at(0), 0, 1));
}

BOOST_AUTO_TEST_CASE(what_is_no_id_is_refused_with_its_text) {
  const std::vector<std::string> bad{
    "",
    "run_",
    "01ARYZ6S410000000000000000",
    "run_01ARYZ6S41000000000000000",   // 25 digits
    "run_01ARYZ6S4100000000000000000", // 27 digits
    "RUN_01ARYZ6S410000000000000000",
    "run_01aryz6s410000000000000000", // lower case
    "run_81ARYZ6S410000000000000000", // beyond 128 bits
    "run_0IARYZ6S410000000000000000", // I, L, O and U are no digits
    "run_0LARYZ6S410000000000000000",
    "run_0OARYZ6S410000000000000000",
    "run_0UARYZ6S410000000000000000",
    " run_01ARYZ6S41000000000000000",
    std::string("run_01ARYZ6S4100000000000000\0", 29) + "0",
  };
  for (const auto& text : bad) {
    const auto read = run_id::parse(text);
    BOOST_TEST_REQUIRE(!read, text);
    BOOST_TEST((read.error().code == errc::invalid_argument));
    BOOST_TEST(read.error().detail
               == "\"" + text
                    + "\" is no run id; expected run_ and 26 characters of "
                      "Crockford's base 32");
  }
}

BOOST_AUTO_TEST_CASE(a_long_text_is_cut_in_the_error) {
  const auto read = run_id::parse(std::string(100'000, 'x'));
  BOOST_TEST(read.error().detail.size() < 200u);
}

BOOST_AUTO_TEST_CASE(ids_hash_and_print) {
  std::unordered_set<run_id> ids;
  for (std::uint64_t i = 0; i < 100; ++i)
    ids.insert(run_id::make(at(5), 1, i));
  BOOST_TEST(ids.size() == 100u);
  std::ostringstream out;
  out << run_id{};
  BOOST_TEST(out.str() == to_string(run_id{}));
}

BOOST_AUTO_TEST_CASE(the_run_of_a_call_follows_from_its_parent_and_the_call) {
  const auto parent = run_id::make(timestamp{1'795'403'373'123ms}, 7, 8);
  const auto other = run_id::make(timestamp{1'795'403'373'123ms}, 7, 9);
  const auto child = child_id(parent, "c1.0");
  BOOST_TEST(child == child_id(parent, "c1.0"));
  BOOST_TEST(child != child_id(parent, "c1.1"));
  BOOST_TEST(child != child_id(other, "c1.0"));
  BOOST_TEST(child != parent);
  BOOST_TEST((child.time() == parent.time()));
  // For ever: logs of parents name their children by this only.
  BOOST_TEST(to_string(child) == "run_01M8362PJ3X7JSQRKGBM9S071Q");
}

BOOST_AUTO_TEST_SUITE_END()
