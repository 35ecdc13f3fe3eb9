#include <kestrion/messages/json_text.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>
#include <random>

using namespace kestrion;

namespace json_text_test {

std::string written(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string written_number(double number) {
  std::string out;
  append_json_number(out, number);
  return out;
}

std::string nested(std::size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

} // namespace json_text_test

BOOST_AUTO_TEST_SUITE(json_text_test)

BOOST_AUTO_TEST_CASE(one_document_is_read_with_blanks_around_it) {
  BOOST_TEST((parse_json(" {\"a\": [1, 2]}\n ", "it").has_value()));
  BOOST_TEST((parse_json("null", "it").has_value()));
}

BOOST_AUTO_TEST_CASE(what_is_not_one_document_is_refused_with_its_name) {
  for (const auto* text : {"",
                           " ",
                           "{",
                           "[1,]",
                           "{\"a\" 1}",
                           "nul",
                           "1 2",
                           "{} {}",
                           "{}x",
                           "'a'",
                           "NaN",
                           "Infinity",
                           "01",
                           "+1",
                           "1.",
                           "// no\n1",
                           "\"\n\"",
                           "\"\\x\"",
                           "\"\\ud800\"",
                           "\"\xFF\"",
                           "\xEF\xBB\xBF{}",
                           "[1}",
                           "{1:2}"}) {
    const auto read = parse_json(text, "arguments of scale");
    BOOST_TEST_REQUIRE(!read, text);
    BOOST_TEST((read.error().code == errc::invalid_argument));
    BOOST_TEST(
      read.error().detail.starts_with("arguments of scale is no JSON at byte "),
      read.error().detail);
  }
}

BOOST_AUTO_TEST_CASE(the_error_says_where) {
  BOOST_TEST(parse_json("[1, x]", "it").error().detail
             == "it is no JSON at byte 4: syntax error");
  BOOST_TEST(parse_json("", "it").error().detail
             == "it is no JSON at byte 0: incomplete JSON");
  BOOST_TEST(parse_json("1 2", "it").error().detail
             == "it is no JSON at byte 2: extra data");
}

BOOST_AUTO_TEST_CASE(nesting_has_a_limit_and_no_crash_behind_it) {
  BOOST_TEST(parse_json(nested(json_depth_max), "it").has_value());
  BOOST_TEST(!parse_json(nested(json_depth_max + 1), "it").has_value());
  BOOST_TEST(!parse_json(std::string(1'000'000, '['), "it").has_value());
}

BOOST_AUTO_TEST_CASE(strings_escape_what_json_demands_and_no_more) {
  BOOST_TEST(written("") == R"("")");
  BOOST_TEST(written("a\"b\\c/") == R"("a\"b\\c/")");
  BOOST_TEST(written("\b\f\n\r\t") == R"("\b\f\n\r\t")");
  BOOST_TEST(written(std::string_view("\0\x1F", 2)) == R"("\u0000\u001f")");
  BOOST_TEST(written("\x7F\xE2\x82\xAC") == "\"\x7F\xE2\x82\xAC\"");
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_utf8_still_make_a_string_that_parses) {
  BOOST_TEST(written("a\xFFz") == "\"a\xEF\xBF\xBDz\"");
  const auto seed = std::random_device{}();
  std::mt19937 rng{seed};
  for (int i = 0; i < 5'000; ++i) {
    std::string text;
    for (auto n = rng() % 20; n > 0; --n)
      text += static_cast<char>(rng());
    BOOST_TEST_REQUIRE(parse_json(written(text), "it").has_value(),
                       "seed " << seed);
  }
}

BOOST_AUTO_TEST_CASE(every_number_reads_back_as_itself) {
  const auto seed = std::random_device{}();
  std::mt19937_64 rng{seed};
  for (int i = 0; i < 20'000; ++i) {
    double number = 0;
    const auto bits = rng();
    std::memcpy(&number, &bits, sizeof number);
    if (!std::isfinite(number))
      continue;
    const auto text = written_number(number);
    const auto read = parse_json(text, "it");
    BOOST_TEST_REQUIRE(read.has_value(), "seed " << seed << ": " << text);
    BOOST_TEST_REQUIRE(read->to_number<double>() == number,
                       "seed " << seed << ": " << text);
  }
}

BOOST_AUTO_TEST_CASE(numbers_that_json_does_not_have_become_null) {
  using limits = std::numeric_limits<double>;
  BOOST_TEST(written_number(limits::infinity()) == "null");
  BOOST_TEST(written_number(-limits::infinity()) == "null");
  BOOST_TEST(written_number(limits::quiet_NaN()) == "null");
}

BOOST_AUTO_TEST_SUITE_END()
