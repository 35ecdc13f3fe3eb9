/// Storms: two processes over one store, faults of store, models and tools,
/// crashes, hangs, killed actors, people who decide and meddle, all chosen by a
/// seed; then a calm in which every run has to come to its end. What may not
/// happen, storm_witness.hpp knows.
///
/// KESTRION_SEED=n plays the storm n, and no other; KESTRION_LONG=1 plays
/// 100,000 instead of 2,000.

#include <kestrion/tests/sim/storm.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <iostream>

namespace kestrion::test {

namespace storm_test {

constexpr std::uint64_t parts = 4;
constexpr std::uint64_t sqlite_every = 50; ///< The others meet in memory.
#ifdef __SANITIZE_ADDRESS__
constexpr std::uint64_t storms = 1'000; ///< Each takes three times as long.
#else
constexpr std::uint64_t storms = 2'000;
#endif

storm_counts play(std::uint64_t seed) {
  storm s{seed,
          seed % sqlite_every == 0 ? storm_disk::sqlite : storm_disk::memory};
  s.play();
  BOOST_REQUIRE_MESSAGE(!s.witness().is_violated(),
                        "KESTRION_SEED=" << seed << ": "
                                         << s.witness().report());
  return s.counts();
}

void print(const storm_counts& c) {
  std::cout << "storms: " << c.seeds << " seeds, " << c.steps << " steps, "
            << c.turns << " turns of actors, " << c.runs << " runs, "
            << c.events << " events, " << c.effects << " effects; "
            << c.commands << " commands; " << c.faults << " faults of stores, "
            << c.crashes << " crashes, " << c.hangs << " hangs, " << c.takeovers
            << " taken from the living, " << c.kills << " actors killed; "
            << c.forks << " forks, " << c.naps << " naps; " << c.looks
            << " live states compared" << std::endl;
}

/// Every `parts`-th storm, so that ctest may play the parts side by side.
void play_part(std::uint64_t part) {
  if (const char* given = std::getenv("KESTRION_SEED")) {
    const auto seed = std::strtoull(given, nullptr, 10);
    if (seed % parts == part)
      print(play(seed));
    return;
  }
  const std::uint64_t last = std::getenv("KESTRION_LONG") ? 100'000 : storms;
  storm_counts all;
  for (std::uint64_t seed = part == 0 ? parts : part; seed <= last;
       seed += parts)
    all += play(seed);
  print(all);
  BOOST_CHECK_EQUAL(all.seeds, last / parts);
  BOOST_CHECK_GT(all.forks, all.seeds / 10);
  BOOST_CHECK_GT(all.naps, all.seeds / 10);
}

} // namespace storm_test

BOOST_AUTO_TEST_SUITE(storm_test)

BOOST_AUTO_TEST_CASE(part_0) {
  play_part(0);
}

BOOST_AUTO_TEST_CASE(part_1) {
  play_part(1);
}

BOOST_AUTO_TEST_CASE(part_2) {
  play_part(2);
}

BOOST_AUTO_TEST_CASE(part_3) {
  play_part(3);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
