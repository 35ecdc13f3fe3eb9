#include <boost/test/unit_test.hpp>

#include <kestrion/messages/attachments.hpp>
#include <kestrion/tests/support/check_lines.hpp>
#include <kestrion/tests/support/machine_dsl.hpp>

/// Images and documents that people and tools show.
using namespace kestrion;
using test::machine_story;
using test::said;

BOOST_FIXTURE_TEST_SUITE(run_machine_parts_test, machine_story)

BOOST_AUTO_TEST_CASE(a_document_alone_is_a_prompt) {
  starts({role::user, {document_part{"application/pdf", "a.pdf", "", "abc"}}});
  BOOST_CHECK_EQUAL(refusal(), "");
  BOOST_CHECK(status() == run_status::running);
}

BOOST_AUTO_TEST_CASE(what_nobody_can_be_shown_is_no_prompt) {
  const auto sentence = [&](part p) {
    starts({role::user, {text_part{"hi"}, std::move(p)}});
    return refusal();
  };
  const std::string begin =
    "invalid_argument: the prompt for agent \"ops\" holds ";
  BOOST_CHECK_EQUAL(sentence(image_part{}),
                    begin
                      + "an image that has neither a URL nor a blob; "
                        "expected one of the two");
  BOOST_CHECK_EQUAL(sentence(document_part{"", "", "https://x", "abc"}),
                    begin
                      + "a document that has a URL and a blob; expected "
                        "one of the two");
  BOOST_CHECK_EQUAL(sentence(image_part{"text/plain", "", "abc"}),
                    begin
                      + "an image that has the media type \"text/plain\"; "
                        "expected one like \"image/png\"");
  BOOST_CHECK_EQUAL(
    sentence(document_part{"", "", data_url("image/png", "x"), ""}),
    begin
      + "a document that has the media type \"image/png\"; expected "
        "\"application/pdf\" or one of text");
  BOOST_CHECK_EQUAL(state.progress.seq, 0u);
}

BOOST_AUTO_TEST_CASE(a_result_may_have_several_parts) {
  starts();
  model_calls({{"look", "{}"}});
  take(tool_done{
    "c1.0",
    {"see:", {}, false, {image_part{"", "https://x", ""}, text_part{"left"}}},
    {},
    {}});
  CHECK_LINES(events(), "tool_call_completed c1.0");
  BOOST_CHECK_EQUAL(said(state).back(),
                    "tool: c1.0=see: + image https://x + left");
}

BOOST_AUTO_TEST_CASE(a_part_that_nobody_can_be_shown_is_an_error_result) {
  starts();
  model_calls({{"look", "{}"}});
  take(tool_done{"c1.0", {"", {}, false, {image_part{}}}, {}, {}});
  CHECK_LINES(events(), "tool_call_failed c1.0 failed");
  BOOST_CHECK_EQUAL(said(state).back(),
                    "tool: c1.0!the result holds an image that has neither a "
                    "URL nor a blob; expected one of the two");
}

BOOST_AUTO_TEST_CASE(parts_count_for_what_can_be_kept) {
  starts();
  model_calls({{"look", "{}"}});
  const image_part large{"", "https://" + std::string(16U << 20U, 'x'), ""};
  take(tool_done{"c1.0", {"", {}, false, {large}}, {}, {}});
  BOOST_CHECK_EQUAL(
    said(state).back(),
    "tool: c1.0!the result has 16777224 bytes; at most 16777216 can be kept");
}

BOOST_AUTO_TEST_SUITE_END()
