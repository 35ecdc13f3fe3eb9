#include <kestrion/messages/boxed.hpp>
#include <kestrion/messages/described.hpp>

#include <boost/test/unit_test.hpp>

#include <string>

using namespace kestrion;

namespace boxed_test {

struct note {
  boxed<std::string> text;
  bool operator==(const note&) const = default;
};
BOOST_DESCRIBE_STRUCT(note, (), (text))

} // namespace boxed_test

BOOST_AUTO_TEST_SUITE(boxed_test)

BOOST_AUTO_TEST_CASE(a_copy_is_a_value_of_its_own) {
  boxed<std::string> a{std::string{"x"}};
  auto b = a;
  BOOST_TEST((a == b));
  b = std::string{"y"};
  BOOST_TEST(*a == "x");
  BOOST_TEST(!(a == b));
  b.reset();
  BOOST_TEST(!b);
  BOOST_TEST(!(a == b));
  BOOST_TEST((b == boxed<std::string>{}));
}

BOOST_AUTO_TEST_CASE(it_is_written_and_read_as_an_optional_member) {
  BOOST_TEST(encode_json(note{}) == "{}");
  const note there{std::string{"x"}};
  BOOST_TEST(encode_json(there) == R"({"text":"x"})");
  const auto json = parse_json(R"({"text":"x"})", "a note").value();
  BOOST_TEST((decode_json<note>(json).value() == there));
  const auto none = parse_json("{}", "a note").value();
  BOOST_TEST((decode_json<note>(none).value() == note{}));
}

BOOST_AUTO_TEST_SUITE_END()
