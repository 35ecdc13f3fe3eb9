#include <boost/test/unit_test.hpp>

#include <kestrion/tests/support/machine_dsl.hpp>

#include <kestrion/messages/json_text.hpp>

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

/// Logs that were recorded once, in histories/NAME.jsonl, have to fold to the
/// state in histories/NAME.state for ever. Add histories; never edit one.
using namespace kestrion;
namespace fs = std::filesystem;
namespace json = boost::json;

namespace run_machine_history_test {

std::string text_of_file(const fs::path& path) {
  std::ifstream in{path, std::ios::binary};
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// Decodes a line, and checks that today's codec would write the same one.
recorded_event read_line(const std::string& line) {
  const auto parsed = parse_json(line, "a line of a history").value();
  const auto& row = parsed.as_object();
  const std::string type{row.at("type").as_string()};
  const timestamp at{duration{row.at("at").as_int64()}};
  auto e = decode_event(type, json::serialize(row.at("data"))).value();
  const auto again = encode(e, at);
  BOOST_CHECK_EQUAL(again.type, type);
  BOOST_CHECK(parse_json(again.data, "again").value() == row.at("data"));
  return {row.at("seq").to_number<std::uint64_t>(), at, std::move(e)};
}

std::vector<fs::path> histories() {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator{KESTRION_HISTORIES})
    if (entry.path().extension() == ".jsonl")
      out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

} // namespace run_machine_history_test

BOOST_AUTO_TEST_SUITE(run_machine_history_test)

BOOST_AUTO_TEST_CASE(recorded_histories_fold_to_the_same_state_for_ever) {
  for (const auto& path : histories()) {
    BOOST_TEST_CONTEXT(path.filename().string()) {
      run_state state;
      std::ifstream in{path};
      for (std::string line; std::getline(in, line);)
        state = fold(std::move(state), read_line(line));
      BOOST_CHECK_EQUAL(
        test::described(state),
        text_of_file(fs::path{path}.replace_extension(".state")));
    }
  }
}

BOOST_AUTO_TEST_CASE(no_history_gets_lost) {
  std::vector<std::string> names;
  for (const auto& path : histories())
    names.push_back(path.stem().string());
  const std::vector<std::string> expected{"answer_being_checked",
                                          "answers_rejected",
                                          "cancelled_in_a_batch",
                                          "cancelled_with_a_child",
                                          "chain_with_an_edit",
                                          "children_end_in_all_ways",
                                          "denied_then_answered",
                                          "doubt_then_parked",
                                          "expired",
                                          "handed_over",
                                          "limits_raised",
                                          "questions_and_answers",
                                          "retries_then_failed",
                                          "slept_in_a_fork",
                                          "steered",
                                          "tools_then_answer",
                                          "tools_tried_again",
                                          "waiting_for_two_roles"};
  BOOST_CHECK(std::includes(names.begin(), names.end(), expected.begin(),
                            expected.end()));
}

BOOST_AUTO_TEST_CASE(together_they_hold_every_kind_of_event) {
  std::vector<std::size_t> kinds;
  for (const auto& path : histories()) {
    std::ifstream in{path};
    for (std::string line; std::getline(in, line);)
      kinds.push_back(read_line(line).event.index());
  }
  for (std::size_t i = 0; i < std::variant_size_v<event>; ++i)
    BOOST_CHECK_MESSAGE(std::count(kinds.begin(), kinds.end(), i) != 0,
                        "no history has an event of kind " << i);
}

BOOST_AUTO_TEST_SUITE_END()
