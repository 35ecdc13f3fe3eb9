#include <kestrion/providers/http/line_parser.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace kestrion::test {

namespace line_parser_test {

using lines = std::vector<std::string>;

struct reader {
  line_parser parser{};
  lines seen{};

  result<void> feed(std::string_view bytes) {
    return parser.feed(bytes, note());
  }
  lines finish() {
    parser.finish(note());
    return seen;
  }

private:
  line_parser::callback note() {
    return [this](std::string_view line) {
      seen.emplace_back(line);
    };
  }
};

} // namespace line_parser_test

BOOST_AUTO_TEST_SUITE(line_parser_test)

BOOST_AUTO_TEST_CASE(any_split_gives_the_same_lines) {
  const std::string text = "{\"a\":1}\n\r\n  \n{\"b\":\"\\r\"}\r\n\n{\"c\":2}";
  const lines expected{R"({"a":1})", R"({"b":"\r"})", R"({"c":2})"};
  reader whole;
  whole.feed(text).value();
  BOOST_TEST(whole.finish() == expected, boost::test_tools::per_element());
  reader by_byte;
  for (const char byte : text)
    by_byte.feed({&byte, 1}).value();
  BOOST_TEST((by_byte.finish() == expected));
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    reader two;
    two.feed(std::string_view{text}.substr(0, cut)).value();
    two.feed(std::string_view{text}.substr(cut)).value();
    BOOST_TEST((two.finish() == expected), "cut at " << cut);
  }
}

BOOST_AUTO_TEST_CASE(a_line_is_told_when_it_ends_not_later) {
  reader r;
  r.feed("{}\n{").value();
  BOOST_TEST(r.seen.size() == 1u);
  r.feed("}").value();
  BOOST_TEST(r.seen.size() == 1u);
  BOOST_TEST(r.finish().size() == 2u);
  BOOST_TEST(r.finish().size() == 2u); // Once is enough.
}

BOOST_AUTO_TEST_CASE(a_line_that_is_too_large_is_refused_for_good) {
  reader r{.parser = line_parser{10}};
  r.feed("0123456789\n01234\n").value();
  BOOST_TEST((r.feed("0123456789x").error().code == errc::limit_exceeded));
  BOOST_TEST(r.feed("\n1\n").has_error());
  reader by_byte{.parser = line_parser{10}};
  for (int i = 0; i < 10; ++i)
    by_byte.feed("x").value();
  BOOST_TEST(by_byte.feed("x").has_error());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
