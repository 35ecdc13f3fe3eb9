#include "described_sample.hpp"

#include <kestrion/messages/json_schema.hpp>
#include <kestrion/messages/schema.hpp>

#include <boost/test/unit_test.hpp>

using namespace kestrion;
using namespace sample;

namespace described_test {

template <class T>
result<T> read(std::string_view text) {
  auto json = parse_json(text, "the test's input");
  BOOST_TEST_REQUIRE(json.has_value(), text);
  return decode_json<T>(*json);
}

/// The sentence about why `text` is no T.
template <class T>
std::string why_not(std::string_view text) {
  const auto out = read<T>(text);
  BOOST_TEST_REQUIRE(!out, text);
  BOOST_TEST((out.error().code == errc::invalid_argument));
  return out.error().detail;
}

} // namespace described_test

BOOST_AUTO_TEST_SUITE(described_test)

// -- encode and decode --------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_struct_is_written_in_the_order_of_its_description) {
  BOOST_TEST(encode_json(filled()) == filled_text);
}

BOOST_AUTO_TEST_CASE(what_was_written_reads_back_equal) {
  BOOST_TEST((read<everything>(filled_text).value() == filled()));
  BOOST_TEST(
    (read<everything>(encode_json(everything{})).value() == everything{}));
}

BOOST_AUTO_TEST_CASE(an_empty_optional_member_is_left_out) {
  BOOST_TEST(encode_json(point{1, {}}) == R"({"x":1})");
  BOOST_TEST((read<point>(R"({"x":1})").value() == point{1, {}}));
  BOOST_TEST((read<point>(R"({"x":1,"y":null})").value() == point{1, {}}));
}

BOOST_AUTO_TEST_CASE(empty_optionals_of_an_array_keep_their_places) {
  const std::vector<std::optional<int>> some{1, std::nullopt, 3};
  BOOST_TEST(encode_json(some) == "[1,null,3]");
  BOOST_TEST(
    (read<std::vector<std::optional<int>>>("[1,null,3]").value() == some));
}

BOOST_AUTO_TEST_CASE(integers_keep_their_whole_range) {
  BOOST_TEST(read<std::int64_t>("-9223372036854775808").value()
             == std::numeric_limits<std::int64_t>::min());
  BOOST_TEST(read<std::uint64_t>("18446744073709551615").value()
             == std::numeric_limits<std::uint64_t>::max());
  BOOST_TEST(encode_json(std::numeric_limits<std::uint64_t>::max())
             == "18446744073709551615");
  BOOST_TEST(read<int>("3.0").value() == 3);
  BOOST_TEST(read<int>("3e2").value() == 300);
}

BOOST_AUTO_TEST_CASE(times_are_microseconds) {
  BOOST_TEST(encode_json(timestamp{duration{-5}}) == "-5");
  BOOST_TEST((read<timestamp>("-5").value() == timestamp{duration{-5}}));
  BOOST_TEST((read<duration>("7").value() == duration{7}));
}

// -- errors of decode ---------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_wrong_kind_is_named_with_what_was_expected) {
  BOOST_TEST(why_not<point>(R"({"x":"1"})")
             == "\"x\" is \"1\"; expected an integer from -2147483648 to "
                "2147483647");
  BOOST_TEST(why_not<std::string>("1")
             == "the document is 1; expected a string");
  BOOST_TEST(why_not<bool>("0") == "the document is 0; expected true or false");
  BOOST_TEST(why_not<double>("\"1\"")
             == "the document is \"1\"; expected a number");
  BOOST_TEST(why_not<std::vector<int>>("{}")
             == "the document is {}; expected an array");
  BOOST_TEST((why_not<std::map<std::string, int>>("[]"))
             == "the document is []; expected an object");
  BOOST_TEST(why_not<point>("[1,2]")
             == "the document is [1,2]; expected an object");
}

BOOST_AUTO_TEST_CASE(an_integer_that_does_not_fit_is_refused) {
  for (const auto* text : {"256", "-1", "1.5", "1e30", "18446744073709551616"})
    BOOST_TEST(why_not<std::uint8_t>(text).ends_with(
      "expected an integer from 0 to 255"));
  BOOST_TEST(why_not<std::int64_t>("9223372036854775808")
               .ends_with("to 9223372036854775807"));
}

BOOST_AUTO_TEST_CASE(a_missing_and_an_unknown_member_are_named) {
  BOOST_TEST(why_not<point>("{}") == "the document lacks the member \"x\"");
  BOOST_TEST(why_not<point>(R"({"x":1,"z":2})")
             == "the document has an unknown member \"z\"");
  // A mistyped name is both; the missing one is what helps.
  BOOST_TEST(why_not<point>(R"({"X":1})")
             == "the document lacks the member \"x\"");
}

BOOST_AUTO_TEST_CASE(an_unknown_enumerator_is_named) {
  BOOST_TEST(why_not<color>("\"blue\"")
             == "the document is \"blue\", which is none of the known names");
  BOOST_TEST(why_not<color>("1") == "the document is 1; expected a string");
}

BOOST_AUTO_TEST_CASE(the_path_leads_to_the_place) {
  using deep = std::map<std::string, std::vector<point>>;
  BOOST_TEST(why_not<deep>(R"({"k":[{"x":1},{"x":true}]})")
             == "\"k[1].x\" is true; expected an integer from -2147483648 to "
                "2147483647");
  BOOST_TEST(why_not<deep>(R"({"k":[{"x":1},{}]})")
             == "\"k[1]\" lacks the member \"x\"");
}

BOOST_AUTO_TEST_CASE(a_long_value_is_cut_in_the_error) {
  BOOST_TEST(why_not<int>('"' + std::string(100'000, 'x') + '"').size() < 200u);
  BOOST_TEST(why_not<color>('"' + std::string(100'000, 'x') + '"').size()
             < 200u);
}

// -- schema -------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(the_schema_says_what_decode_takes) {
  BOOST_TEST(
    json_schema<everything>()
    == R"({"type":"object","properties":{"text":{"type":"string"},)"
       R"("flag":{"type":"boolean"},"big":{"type":"integer"},)"
       R"("small":{"type":"integer","minimum":0,"maximum":255},)"
       R"("ratio":{"type":"number"},)"
       R"("color":{"type":"string","enum":["red","green"]},)"
       R"("maybe":{"type":"string"},)"
       R"("points":{"type":"array","items":{"type":"object","properties":{)"
       R"("x":{"type":"integer","minimum":-2147483648,"maximum":2147483647},)"
       R"("y":{"type":"integer","minimum":-2147483648,"maximum":2147483647}},)"
       R"("required":["x"],"additionalProperties":false}},)"
       R"("counts":{"type":"object","additionalProperties":)"
       R"({"type":"integer","minimum":-2147483648,"maximum":2147483647}},)"
       R"("anything":{}},)"
       R"("required":["text","flag","big","small","ratio","color","points",)"
       R"("counts","anything"],"additionalProperties":false})");
  BOOST_TEST(json_schema<std::uint64_t>()
             == R"({"type":"integer","minimum":0})");
}

BOOST_AUTO_TEST_CASE(an_optional_member_may_be_allowed_to_be_null) {
  BOOST_TEST(
    json_schema<point>(empty_member::absent_or_null)
    == R"({"type":"object","properties":{"x":{"type":"integer","minimum":)"
       R"(-2147483648,"maximum":2147483647},"y":{"anyOf":[{"type":"integer",)"
       R"("minimum":-2147483648,"maximum":2147483647},{"type":"null"}]}},)"
       R"("required":["x"],"additionalProperties":false})");
  const auto text =
    json_schema<std::vector<point>>(empty_member::absent_or_null);
  const auto validator = schema::compile(text).value();
  for (const auto* good :
       {R"([{"x":1,"y":null}])", R"([{"x":1}])", R"([{"x":1,"y":2}])"}) {
    const auto json = parse_json(good, "it").value();
    BOOST_TEST(!validator->validate(json).has_error(), good);
    BOOST_TEST(decode_json<std::vector<point>>(json).has_value(), good);
  }
  BOOST_TEST(
    validator->validate(parse_json(R"([{"x":1,"y":"2"}])", "it").value())
      .has_error());
}

BOOST_AUTO_TEST_CASE(what_decode_refuses_the_schema_refuses_and_vice_versa) {
  const auto validator = schema::compile(json_schema<everything>()).value();
  auto good = parse_json(filled_text, "it").value();
  BOOST_TEST(validator->validate(good).has_value());
  const std::pair<const char*, const char*> bad[] = {
    {"text", "1"},
    {"flag", "\"true\""},
    {"big", "1.5"},
    {"small", "256"},
    {"ratio", "\"1\""},
    {"color", "\"blue\""},
    {"points", "[{}]"},
    {"points", "{}"},
    {"points", R"([{"x":"1"}])"},
    {"counts", "[]"},
    {"counts", R"({"k":"v"})"},
    {"other", "1"},
    {"maybe", "[]"},
  };
  for (const auto& [name, value] : bad) {
    auto json = good;
    json.as_object()[name] = parse_json(value, "it").value();
    BOOST_TEST(!validator->validate(json), name << ": " << value);
    BOOST_TEST(!decode_json<everything>(json), name << ": " << value);
  }
  for (const auto* name : {"text", "points", "anything"}) {
    auto json = good;
    json.as_object().erase(name);
    BOOST_TEST(!validator->validate(json), name);
    BOOST_TEST(!decode_json<everything>(json), name);
  }
}

BOOST_AUTO_TEST_SUITE_END()
