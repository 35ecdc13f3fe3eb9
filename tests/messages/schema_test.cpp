#include <kestrion/messages/json_text.hpp>
#include <kestrion/messages/schema.hpp>

#include <boost/test/unit_test.hpp>

using namespace kestrion;

namespace schema_test {

constexpr const char* scale = R"({
  "type": "object",
  "properties": {
    "name": {"type": "string", "minLength": 1},
    "replicas": {"type": "integer", "minimum": 0, "maximum": 10}
  },
  "required": ["name", "replicas"],
  "additionalProperties": false
})";

std::shared_ptr<const schema> compiled(std::string_view text) {
  auto out = schema::compile(text);
  BOOST_TEST_REQUIRE(out.has_value(), text);
  return *out;
}

result<void> check(std::string_view schema_text, std::string_view json) {
  return compiled(schema_text)->validate(parse_json(json, "it").value());
}

} // namespace schema_test

BOOST_AUTO_TEST_SUITE(schema_test)

BOOST_AUTO_TEST_CASE(what_fits_passes) {
  BOOST_TEST(check(scale, R"({"name":"api","replicas":3})").has_value());
  BOOST_TEST(check("{}", "[1]").has_value());
}

BOOST_AUTO_TEST_CASE(each_place_that_does_not_fit_is_named) {
  const auto out = check(scale, R"({"name":"","replicas":"3","x":1})");
  BOOST_TEST_REQUIRE(!out);
  BOOST_TEST((out.error().code == errc::invalid_argument));
  for (const auto* part : {"name", "replicas", "x"})
    BOOST_TEST(out.error().detail.find(part) != std::string::npos,
               out.error().detail);
}

BOOST_AUTO_TEST_CASE(a_missing_member_is_named) {
  const auto out = check(scale, R"({"name":"api"})");
  BOOST_TEST_REQUIRE(!out);
  BOOST_TEST(out.error().detail.find("replicas") != std::string::npos,
             out.error().detail);
}

BOOST_AUTO_TEST_CASE(strings_are_no_numbers_and_numbers_no_strings) {
  BOOST_TEST(!check(R"({"type":"integer"})", "\"2\""));
  BOOST_TEST(!check(R"({"type":"string"})", "2"));
  BOOST_TEST(!check(R"({"type":"boolean"})", "\"true\""));
  BOOST_TEST(!check(R"({"type":"integer"})", "2.5"));
  BOOST_TEST(!check(R"({"type":"object"})", "[]"));
}

BOOST_AUTO_TEST_CASE(what_is_no_schema_is_refused) {
  for (const auto* text :
       {"", "{", "[]", "true", "7", R"({"type":"objekt"})", R"({"type":7})",
        R"({"properties":[]})", R"({"required":"name"})",
        R"({"$ref":"https://example.com/s.json"})",
        R"({"$ref":"#/definitions/none"})"}) {
    const auto out = schema::compile(text);
    BOOST_TEST_REQUIRE(!out, text);
    BOOST_TEST((out.error().code == errc::invalid_argument));
    BOOST_TEST(out.error().detail.starts_with("the schema "),
               out.error().detail);
  }
}

BOOST_AUTO_TEST_CASE(references_inside_the_schema_work) {
  constexpr auto tree = R"({
    "type": "object",
    "properties": {"next": {"$ref": "#"}},
    "additionalProperties": false
  })";
  BOOST_TEST(check(tree, R"({"next":{"next":{}}})").has_value());
  BOOST_TEST(!check(tree, R"({"next":{"next":1}})"));
}

BOOST_AUTO_TEST_CASE(a_schema_that_only_refers_to_itself_is_refused) {
  for (const auto* text :
       {R"({"$ref":"#"})", R"({"allOf":[{"$ref":"#"}]})",
        R"({"anyOf":[{"type":"string"},{"not":{"$ref":"#"}}]})",
        R"({"definitions":{"a":{"$ref":"#/definitions/b"},)"
        R"("b":{"$ref":"#/definitions/a"}},"$ref":"#/definitions/a"})"}) {
    const auto out = schema::compile(text);
    if (out)
      BOOST_TEST(!(*out)->validate(boost::json::object{}), text);
  }
}

BOOST_AUTO_TEST_CASE(patterns_are_checked) {
  constexpr auto name = R"({"type":"string","pattern":"^[a-z]+$"})";
  BOOST_TEST(check(name, "\"abc\"").has_value());
  BOOST_TEST(!check(name, "\"Abc\""));
  BOOST_TEST(!schema::compile(R"({"pattern":"("})"));
}

// std::regex recurses for each character: 16 KiB are the end of a thread.
BOOST_AUTO_TEST_CASE(a_long_text_against_a_pattern_is_refused_not_a_crash) {
  const boost::json::value fits(std::string(4'096, 'a'));
  const boost::json::value longer(std::string(4'097, 'a'));
  for (const auto* text :
       {R"({"pattern":"^(a|b)*$"})", R"({"anyOf":[{"pattern":"^(a|b)*$"}]})",
        R"({"$ref":"#/definitions/x","definitions":{"x":{"pattern":"a"}}})"}) {
    BOOST_TEST(compiled(text)->validate(fits).has_value(), text);
    const auto out = compiled(text)->validate(longer);
    BOOST_TEST_REQUIRE(!out, text);
    BOOST_TEST((out.error().code == errc::invalid_argument));
  }
}

BOOST_AUTO_TEST_CASE(only_texts_that_a_pattern_is_about_have_to_be_short) {
  const std::string longer(100'000, 'a');
  const auto validator = compiled(R"({
    "type": "object",
    "properties": {
      "name": {"pattern": "^[a-z]+$"},
      "tags": {"type": "array", "items": {"pattern": "^(a|b)*$"}},
      "yaml": {"type": "string"}
    }
  })");
  const auto check_member = [&](const char* name, boost::json::value value) {
    return validator->validate(boost::json::object{{name, std::move(value)}});
  };
  BOOST_TEST(check_member("yaml", boost::json::string{longer}).has_value());
  const auto out = check_member("name", boost::json::string{longer});
  BOOST_TEST_REQUIRE(!out);
  BOOST_TEST(out.error().detail
             == "the text \"name\" is longer than 4096 bytes, too long to "
                "match it against a pattern");
  BOOST_TEST(!check_member("tags", boost::json::array{longer}));
  BOOST_TEST(!check_member(longer.c_str(), 1));
}

BOOST_AUTO_TEST_CASE(a_pattern_reached_by_reference_is_about_any_member) {
  const auto validator = compiled(R"({
    "properties": {
      "name": {"pattern": "^(a|b)*$"},
      "other": {"$ref": "#/properties/name"}
    }
  })");
  BOOST_TEST(!validator->validate(
    boost::json::object{{"other", std::string(100'000, 'a')}}));
}

BOOST_AUTO_TEST_SUITE_END()
