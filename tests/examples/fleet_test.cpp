#include <kestrion/tests/examples/example_support.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <fstream>

using namespace kestrion::test;

namespace fleet_test {

const std::string fleet = KESTRION_BUILD "/examples/fleet/fleet";

outcome_of_process call(const temp_folder& folder,
                        std::vector<std::string> arguments) {
  // Whatever it makes is below the folder of the test.
  arguments.insert(arguments.begin(),
                   {"TMPDIR=" + folder.path().string(), fleet});
  return run_to_its_end(example(folder.path(), "/usr/bin/env", arguments));
}

std::size_t lines_that_begin(const outcome_of_process& done,
                             const std::string& with) {
  return static_cast<std::size_t>(
    std::count_if(done.lines.begin(), done.lines.end(),
                  [&](const auto& line) { return line.starts_with(with); }));
}

/// The proof's lines.
constexpr std::size_t checks = 7;

} // namespace fleet_test

BOOST_AUTO_TEST_SUITE(fleet_test)

BOOST_AUTO_TEST_CASE(killed_again_and_again_it_does_everything_once) {
  const temp_folder folder;

  const auto done = call(folder, {"60", "7"});

  BOOST_TEST_CONTEXT(done.text) {
    BOOST_CHECK_EQUAL(done.exit_code, 0);
    BOOST_CHECK(done.says("seed 7, "));
    BOOST_CHECK(!done.says("killed 0 times"));
    BOOST_CHECK_EQUAL(lines_that_begin(done, "ok: "), checks);
    BOOST_CHECK(done.says("ok: 210 runs are completed, of 210\n"));
    BOOST_CHECK(done.text.find('\x1b') == std::string::npos);
  }
  BOOST_CHECK(std::filesystem::is_empty(folder.path()));
}

BOOST_AUTO_TEST_CASE(its_proof_sees_what_is_not_so) {
  const temp_folder folder;
  BOOST_REQUIRE_EQUAL(call(folder, {"--worker", ".", "3"}).exit_code, 0);
  const auto notes = folder.path() / "notes.txt";
  const auto sound = contents_of(notes);
  const auto prove_with = [&](const std::string& text, const char* runs = "3") {
    std::ofstream{notes} << text;
    return call(folder, {"--prove", ".", runs});
  };

  const auto good = prove_with(sound);
  BOOST_CHECK_EQUAL(good.exit_code, 0);
  BOOST_CHECK_EQUAL(lines_that_begin(good, "ok: "), checks);

  const auto line_of = [&](const std::string& tool) {
    const auto begin = sound.find(tool);
    return sound.substr(begin, sound.find('\n', begin) + 1 - begin);
  };
  const auto twice = prove_with(sound + line_of("publish"));
  BOOST_CHECK_EQUAL(twice.exit_code, 1);
  BOOST_CHECK(twice.says("NOT SO: 9 `once` calls happened exactly once, of "
                         "10"));
  BOOST_CHECK_EQUAL(prove_with(sound + line_of("measure")).exit_code, 0);
  auto lost = sound;
  lost.erase(lost.find(line_of("measure")), line_of("measure").size());
  BOOST_CHECK(prove_with(lost).says("NOT SO: 6 idempotent calls"));
  BOOST_CHECK(prove_with(sound + "report nobody/c1.1\n").says("NOT SO: 1 "));
  const auto fewer = prove_with(sound, "4");
  BOOST_CHECK_EQUAL(fewer.exit_code, 1);
  BOOST_CHECK(fewer.says("NOT SO: 10 runs are completed, of 11"));
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_is_said_and_not_done) {
  const temp_folder folder;
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"0"},
                                             {"many"},
                                             {"10", "-1"},
                                             {"10", "1", "2"},
                                             {"--worker", ".", "x"},
                                             {"--dance", ".", "1"}}) {
    const auto done = call(folder, words);
    BOOST_CHECK_EQUAL(done.exit_code, 2);
    BOOST_CHECK(done.says("usage: fleet"));
  }
  BOOST_CHECK(std::filesystem::is_empty(folder.path()));
}

BOOST_AUTO_TEST_SUITE_END()
