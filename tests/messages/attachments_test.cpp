#include <kestrion/messages/attachments.hpp>

#include <boost/test/unit_test.hpp>

namespace kestrion::test {

BOOST_AUTO_TEST_SUITE(attachments_test)

BOOST_AUTO_TEST_CASE(a_data_url_is_told_from_others) {
  const auto url = data_url("image/png", "foo");
  BOOST_TEST(url == "data:image/png;base64,Zm9v");
  const auto data = data_in(url);
  BOOST_REQUIRE(data.has_value());
  BOOST_TEST(data->media_type == "image/png");
  BOOST_TEST(data->base64 == "Zm9v");
  for (const auto* other : {"", "https://x/y.png", "data:,plain",
                            "data:;base64,Zm9v", "https://x/;base64,Zm9v"})
    BOOST_TEST(!data_in(other).has_value());
}

BOOST_AUTO_TEST_CASE(a_reference_is_to_one_thing_of_a_known_kind) {
  BOOST_TEST(!flaw_in(image_part{"", "https://x", ""}));
  BOOST_TEST(!flaw_in(image_part{"image/png", "", "abc"}));
  BOOST_TEST(!flaw_in(image_part{"", data_url("image/png", "x"), ""}));
  BOOST_TEST(flaw_in(image_part{}).value_or("")
             == "has neither a URL nor a blob; expected one of the two");
  BOOST_TEST(flaw_in(image_part{"image/png", "https://x", "abc"}).value_or("")
             == "has a URL and a blob; expected one of the two");
  BOOST_TEST(flaw_in(image_part{"", "", "abc"}).value_or("")
             == "has the media type \"\"; expected one like \"image/png\"");
  BOOST_TEST(flaw_in(image_part{"image/png", "data:,x", ""}).value_or("")
             == "");
  BOOST_TEST(!flaw_in(document_part{"", "", "https://x", ""}));
  BOOST_TEST(!flaw_in(document_part{"application/pdf", "", "", "abc"}));
  BOOST_TEST(!flaw_in(document_part{"", "", data_url("text/csv", "x"), ""}));
  BOOST_TEST(flaw_in(document_part{"video/mp4", "", "", "abc"}).value_or("")
             == "has the media type \"video/mp4\"; expected "
                "\"application/pdf\" or one of text");
}

BOOST_AUTO_TEST_CASE(what_the_url_says_counts) {
  BOOST_TEST(is_plain_text({"text/plain", "", "", "abc"}));
  BOOST_TEST(is_plain_text({"", "", data_url("text/markdown", "x"), ""}));
  BOOST_TEST(
    !is_plain_text({"text/plain", "", data_url("application/pdf", "x"), ""}));
  BOOST_TEST(!is_plain_text({"", "", "https://x", ""}));
}

BOOST_AUTO_TEST_CASE(all_are_visited_once_in_their_order) {
  const document_part note{"text/plain", "n", "", "2"};
  std::vector<part> parts{
    image_part{"image/png", "", "1"}, text_part{"hi"}, note,
    tool_result_part{"c1.0",
                     "",
                     "f",
                     "",
                     false,
                     {{image_part{"image/png", "", "3"}, text_part{"x"}}}},
    tool_result_part{"c1.1", "", "f", "", false, {}}};
  std::string seen;
  visit_attachments(parts, [&](auto& x) {
    seen += x.blob;
    x.blob = "seen";
  });
  BOOST_TEST(seen == "123");
  BOOST_TEST((std::get<document_part>(parts[2]).blob == "seen"));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
