#include <kestrion/messages/json_text.hpp>
#include <kestrion/messages/utf8.hpp>

#include <boost/test/unit_test.hpp>

using namespace kestrion;

namespace long_text_test {

/// Longer than what is looked at in one step, at whatever offset.
constexpr std::size_t length = 40;

/// `text` at each place among plain letters.
template <class F>
void at_each_place(std::string_view text, F check) {
  for (std::size_t at = 0; at <= length; ++at) {
    const std::string before(at, 'a');
    const std::string after(length - at, 'z');
    check(before, before + std::string{text} + after, after);
  }
}

} // namespace long_text_test

BOOST_AUTO_TEST_SUITE(long_text_test)

BOOST_AUTO_TEST_CASE(a_bad_byte_is_found_wherever_it_stands) {
  for (const auto* bad : {"\x80", "\xC2", "\xED\xA0\x80", "\xFF"})
    at_each_place(bad, [](auto&, const auto& text, auto&) {
      BOOST_TEST(!is_valid_utf8(text));
    });
  for (const auto* good : {"", "\x7F", "\xC3\xA4", "\xF0\x9F\x98\x80"})
    at_each_place(good, [](auto&, const auto& text, auto&) {
      BOOST_TEST(is_valid_utf8(text));
    });
}

BOOST_AUTO_TEST_CASE(each_byte_is_escaped_or_not_wherever_it_stands) {
  for (int c = 0; c < 0x80; ++c) {
    const std::string byte(1, static_cast<char>(c));
    std::string alone;
    append_json_string(alone, byte);
    const auto escaped = alone.substr(1, alone.size() - 2);
    const bool must_be = c < 0x20 || c == '"' || c == '\\';
    BOOST_TEST((escaped != byte) == must_be, "byte " << c);
    at_each_place(byte,
                  [&](const auto& before, const auto& text, const auto& after) {
                    std::string json;
                    append_json_string(json, text);
                    BOOST_TEST(json == '"' + before + escaped + after + '"');
                  });
  }
}

BOOST_AUTO_TEST_CASE(letters_beyond_ascii_need_no_escape) {
  for (const auto* letter : {"\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"})
    at_each_place(letter, [](auto&, const auto& text, auto&) {
      std::string json;
      append_json_string(json, text);
      BOOST_TEST(json == '"' + text + '"');
    });
}

BOOST_AUTO_TEST_SUITE_END()
