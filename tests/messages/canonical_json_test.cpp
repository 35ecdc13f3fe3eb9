#include <kestrion/messages/canonical_json.hpp>
#include <kestrion/messages/json_text.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <bit>
#include <random>

using namespace kestrion;

namespace canonical_json_test {

std::string canonical(std::string_view text) {
  return canonical_json(parse_json(text, "the test's input").value());
}

std::string canonical_number(std::uint64_t bits) {
  return canonical_json(std::bit_cast<double>(bits));
}

} // namespace canonical_json_test

BOOST_AUTO_TEST_SUITE(canonical_json_test)

// RFC 8785 §3.2.2 and §3.2.3: its sample, in and out.
BOOST_AUTO_TEST_CASE(the_sample_of_the_rfc_comes_out_as_printed_there) {
  BOOST_TEST(canonical(R"({
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3,
                  0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    })")
             == R"({"literals":[null,true,false],)"
                R"("numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],)"
                "\"string\":\"\xE2\x82\xAC$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
}

// RFC 8785 §3.2.3: UTF-16 code units decide, not UTF-8 bytes.
BOOST_AUTO_TEST_CASE(members_sort_by_utf16_code_units) {
  BOOST_TEST(canonical(R"({
      "\u20ac": "Euro Sign", "\r": "Carriage Return",
      "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control",
      "\u00f6": "Latin Small Letter O With Diaeresis"
    })")
             == "{\"\\r\":\"Carriage Return\",\"1\":\"One\","
                "\"\xC2\x80\":\"Control\","
                "\"\xC3\xB6\":\"Latin Small Letter O With Diaeresis\","
                "\"\xE2\x82\xAC\":\"Euro Sign\","
                "\"\xF0\x9F\x98\x80\":\"Emoji: Grinning Face\","
                "\"\xEF\xAC\xB3\":\"Hebrew Letter Dalet With Dagesh\"}");
}

// RFC 8785, appendix B: IEEE 754 bits and their text.
BOOST_AUTO_TEST_CASE(numbers_are_written_as_ecmascript_does) {
  const std::pair<std::uint64_t, const char*> samples[] = {
    {0x0000000000000000, "0"},
    {0x8000000000000000, "0"},
    {0x0000000000000001, "5e-324"},
    {0x8000000000000001, "-5e-324"},
    {0x7fefffffffffffff, "1.7976931348623157e+308"},
    {0xffefffffffffffff, "-1.7976931348623157e+308"},
    {0x4340000000000000, "9007199254740992"},
    {0xc340000000000000, "-9007199254740992"},
    {0x4430000000000000, "295147905179352830000"},
    {0x44b52d02c7e14af5, "9.999999999999997e+22"},
    {0x44b52d02c7e14af6, "1e+23"},
    {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
    {0x444b1ae4d6e2ef4e, "999999999999999700000"},
    {0x444b1ae4d6e2ef4f, "999999999999999900000"},
    {0x444b1ae4d6e2ef50, "1e+21"},
    {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
    {0x3eb0c6f7a0b5ed8d, "0.000001"},
    {0x41b3de4355555553, "333333333.3333332"},
    {0x41b3de4355555554, "333333333.33333325"},
    {0x41b3de4355555555, "333333333.3333333"},
    {0x41b3de4355555556, "333333333.3333334"},
    {0x41b3de4355555557, "333333333.33333343"},
    {0xbecbf647612f3696, "-0.0000033333333333333333"},
    {0x43143ff3c1cb0959, "1424953923781206.2"},
  };
  for (const auto& [bits, text] : samples)
    BOOST_TEST(canonical_number(bits) == text);
}

BOOST_AUTO_TEST_CASE(what_json_can_not_say_becomes_null) {
  BOOST_TEST(canonical_number(0x7fffffffffffffff) == "null");
  BOOST_TEST(canonical_number(0x7ff0000000000000) == "null");
}

BOOST_AUTO_TEST_CASE(integers_keep_all_their_digits) {
  BOOST_TEST(canonical("9007199254740993") == "9007199254740993");
  BOOST_TEST(canonical("18446744073709551615") == "18446744073709551615");
  BOOST_TEST(canonical("-9223372036854775808") == "-9223372036854775808");
}

BOOST_AUTO_TEST_CASE(one_number_has_one_text_however_it_was_written) {
  for (const auto* text : {"1", "1.0", "1e0", "10e-1", "1.000"})
    BOOST_TEST(canonical(text) == "1");
  for (const auto* text : {"0", "-0", "0.0", "-0.0", "0e5"})
    BOOST_TEST(canonical(text) == "0");
}

// RFC 8785 §3.2.2.2: the short escapes, else \u00hh in lower case.
BOOST_AUTO_TEST_CASE(control_characters_have_their_one_escape) {
  BOOST_TEST(canonical(R"("\u0008\u0009\u000a\u000c\u000d\u0000\u001F\u007f")")
             == "\"\\b\\t\\n\\f\\r\\u0000\\u001f\x7F\"");
}

BOOST_AUTO_TEST_CASE(the_order_of_members_in_the_input_does_not_matter) {
  const auto seed = std::random_device{}();
  std::mt19937 rng{seed};
  std::vector<std::string> names;
  names.reserve(30);
  for (int i = 0; i < 30; ++i)
    names.push_back("k" + std::to_string(i));
  std::string first;
  for (int round = 0; round < 50; ++round) {
    std::shuffle(names.begin(), names.end(), rng);
    boost::json::object object;
    for (const auto& name : names)
      object[name] = boost::json::array{name, boost::json::object{{"b", 1}}};
    const auto text = canonical_json(object);
    if (first.empty())
      first = text;
    BOOST_TEST_REQUIRE(text == first, "seed " << seed);
  }
}

BOOST_AUTO_TEST_CASE(canonical_text_is_its_own_canonical_text) {
  for (const auto* text :
       {R"({})", R"([])", R"([[],{},""])", R"({"":{"":[]}})", R"([1.5e-9,"é"])",
        R"({"a":[null,true,{"b":"\b\f\u0001"}]})"})
    BOOST_TEST(canonical(canonical(text)) == canonical(text));
}

BOOST_AUTO_TEST_SUITE_END()
