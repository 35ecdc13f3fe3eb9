#include <kestrion/messages/utf8.hpp>

#include <kestrion/messages/valid_text.hpp>

#include <boost/describe/class.hpp>
#include <boost/test/unit_test.hpp>

#include <random>

using namespace kestrion;

namespace utf8_test {

struct inner {
  std::string text;
  bool operator==(const inner&) const = default;
};
BOOST_DESCRIBE_STRUCT(inner, (), (text))

struct outer {
  std::optional<std::string> maybe;
  std::vector<inner> many;
  std::map<std::string, std::string> named;
  std::variant<inner, std::string> either;
  int number = 0;
};
BOOST_DESCRIBE_STRUCT(outer, (), (maybe, many, named, either, number))

const std::string replacement = "\xEF\xBF\xBD";

} // namespace utf8_test

BOOST_AUTO_TEST_SUITE(utf8_test)

// RFC 3629 §4: the edges of each row of its table.
BOOST_AUTO_TEST_CASE(every_well_formed_sequence_is_valid) {
  for (const auto* text :
       {"", "plain", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80",
        "\xEC\xBF\xBF", "\xED\x80\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
        "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF3\xBF\xBF\xBF",
        "\xF4\x80\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    BOOST_TEST(is_valid_utf8(text));
    BOOST_TEST(to_valid_utf8(text) == text);
  }
  BOOST_TEST(is_valid_utf8(std::string_view("\0", 1)));
}

BOOST_AUTO_TEST_CASE(what_the_rfc_forbids_is_not_valid) {
  for (const auto* text :
       {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2\x41",
        "\xE0\x80\x80", "\xE0\x9F\xBF", "\xE2\x82", "\xED\xA0\x80",
        "\xED\xBF\xBF", "\xF0\x80\x80\x80", "\xF0\x8F\xBF\xBF", "\xF0\x9F\x98",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFE", "\xFF", "a\xFFz"})
    BOOST_TEST(!is_valid_utf8(text));
}

BOOST_AUTO_TEST_CASE(each_bad_byte_becomes_one_replacement) {
  BOOST_TEST(to_valid_utf8("a\xFFz") == "a" + replacement + "z");
  BOOST_TEST(to_valid_utf8("\xE2\x82") == replacement + replacement);
  BOOST_TEST(to_valid_utf8("\xED\xA0\x80")
             == replacement + replacement + replacement);
  BOOST_TEST(to_valid_utf8("\xE2\x82\xAC\xE2") == "\xE2\x82\xAC" + replacement);
}

BOOST_AUTO_TEST_CASE(whatever_bytes_come_in_what_comes_out_is_valid) {
  const auto seed = std::random_device{}();
  std::mt19937 rng{seed};
  // Lead and continuation bytes more often than chance has them.
  const std::string likely = "\xC2\xE0\xED\xEF\xF0\xF4\x80\x9F\xA0\xBF\x8F\x90";
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (auto n = rng() % 12; n > 0; --n)
      text += rng() % 3 == 0 ? static_cast<char>(rng())
                             : likely[rng() % likely.size()];
    const auto valid = to_valid_utf8(text);
    BOOST_TEST_REQUIRE(is_valid_utf8(valid), "seed " << seed);
    BOOST_TEST_REQUIRE((is_valid_utf8(text) == (valid == text)),
                       "seed " << seed);
  }
}

BOOST_AUTO_TEST_CASE(every_text_of_a_struct_is_made_valid_however_deep) {
  outer x;
  x.maybe = "\xFF";
  x.many = {{"ok"}, {"\xFF"}};
  x.named = {{"k\xFF", "v\xFF"}};
  x.either = inner{"\xFF"};
  make_valid_text(x);
  BOOST_TEST(*x.maybe == replacement);
  BOOST_TEST(x.many[0].text == "ok");
  BOOST_TEST(x.many[1].text == replacement);
  BOOST_TEST(x.named.at("k" + replacement) == "v" + replacement);
  BOOST_TEST(std::get<inner>(x.either).text == replacement);
}

BOOST_AUTO_TEST_SUITE_END()
