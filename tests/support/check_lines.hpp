#pragma once

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace kestrion::test {

/// Compares lists line by line, and shows both whole when they differ.
inline boost::test_tools::predicate_result
same_lines(const std::vector<std::string>& got,
           const std::vector<std::string>& expected) {
  boost::test_tools::predicate_result same{got == expected};
  if (!same) {
    same.message() << "\ngot:\n";
    for (const auto& line : got)
      same.message() << "  " << line << "\n";
    same.message() << "expected:\n";
    for (const auto& line : expected)
      same.message() << "  " << line << "\n";
  }
  return same;
}

} // namespace kestrion::test

/// `CHECK_LINES(story.events(), "run_completed")`: the list is this one.
#define CHECK_LINES(got, ...)                                                  \
  BOOST_CHECK(::kestrion::test::same_lines(got, {__VA_ARGS__}))
