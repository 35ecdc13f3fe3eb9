#include <boost/test/unit_test.hpp>

#include <kestrion/messages/base64.hpp>

using namespace kestrion;

BOOST_AUTO_TEST_SUITE(base64_test)

// RFC 4648, section 10.
BOOST_AUTO_TEST_CASE(the_examples_of_the_standard_come_out) {
  BOOST_TEST(base64("") == "");
  BOOST_TEST(base64("f") == "Zg==");
  BOOST_TEST(base64("fo") == "Zm8=");
  BOOST_TEST(base64("foo") == "Zm9v");
  BOOST_TEST(base64("foob") == "Zm9vYg==");
  BOOST_TEST(base64("fooba") == "Zm9vYmE=");
  BOOST_TEST(base64("foobar") == "Zm9vYmFy");
  BOOST_TEST(base64("\xfb\xff\xfe") == "+//+");
}

BOOST_AUTO_TEST_CASE(bytes_come_back) {
  std::string bytes;
  for (int n = 0; n < 1'000; ++n) {
    BOOST_TEST_REQUIRE((from_base64(base64(bytes)) == bytes));
    bytes += static_cast<char>(n * 7);
  }
  const std::string large(7'000'001, '\0'); // More than is taken at once.
  BOOST_TEST((from_base64(base64(large)) == large));
}

BOOST_AUTO_TEST_CASE(what_base64_does_not_write_is_none) {
  for (const auto* text : {"Z", "Zg", "Zg=", "Zh==", "Zg==Zg==", "Zm9v\n",
                           " Zm9", "Zm9-", "====", "=Zm9", "Zm9v===="})
    BOOST_TEST(!from_base64(text).has_value(), text);
}

BOOST_AUTO_TEST_SUITE_END()
