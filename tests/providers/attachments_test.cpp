#include <kestrion/examples/support/vendor_server.hpp>
#include <kestrion/messages/base64.hpp>
#include <kestrion/providers/models/attachments.hpp>
#include <kestrion/providers/models/models.hpp>
#include <kestrion/tests/providers/wire_requests.hpp>
#include <kestrion/tests/support/http_calls.hpp>

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <future>

namespace kestrion::test {

namespace attachments_test {

const std::string picture{"\0\xff picture", 10};

result<std::string> read_blob(const std::string& hash) {
  if (hash == "abc")
    return picture;
  return error{errc::not_found, "there is no blob \"" + hash + "\""};
}

conversation look_at(part shown) {
  return {said(role::user, {text_part{"What is it?"}, std::move(shown)})};
}

model_outcome ask(model& m, const model_request& request) {
  auto promise = std::make_shared<std::promise<model_outcome>>();
  auto outcome = promise->get_future();
  m.complete(request, {},
             [promise](model_outcome o) { promise->set_value(std::move(o)); });
  if (outcome.wait_for(hang) != std::future_status::ready)
    throw std::runtime_error{"the call hangs"};
  return outcome.get();
}

} // namespace attachments_test

BOOST_AUTO_TEST_SUITE(attachments_test)

BOOST_AUTO_TEST_CASE(a_blob_becomes_its_bytes_and_the_rest_is_shared) {
  auto talk = look_at(image_part{"image/png", "", "abc"});
  talk.push_back(said(role::assistant, {text_part{"A cat."}}));
  BOOST_TEST(has_blobs(*talk[0]));
  BOOST_TEST(!has_blobs(*talk[1]));
  const auto out = with_blobs(talk, read_blob).value();
  BOOST_TEST((std::get<image_part>(out[0]->parts[1])
              == image_part{"image/png",
                            "data:image/png;base64," + base64(picture), ""}));
  BOOST_TEST((out[0]->parts[0] == talk[0]->parts[0]));
  BOOST_TEST(out[1] == talk[1]);
  // What the run holds stays as it is.
  BOOST_TEST((std::get<image_part>(talk[0]->parts[1]).blob == "abc"));
}

BOOST_AUTO_TEST_CASE(blobs_of_documents_and_tool_results_become_bytes_too) {
  const document_part pdf{"application/pdf", "a.pdf", "", "abc"};
  conversation talk{said(
    role::tool,
    {pdf,
     tool_result_part{"c1.0", "", "f", "", false, {{text_part{"see"}, pdf}}}})};
  BOOST_TEST(has_blobs(*talk[0]));
  const auto out = with_blobs(talk, read_blob).value();
  BOOST_TEST(!has_blobs(*out[0]));
  const document_part read{"application/pdf", "a.pdf",
                           data_url("application/pdf", picture), ""};
  BOOST_TEST((out[0]->parts[0] == part{read}));
  BOOST_TEST((std::get<tool_result_part>(out[0]->parts[1]).attachments->at(1)
              == content_part{read}));
}

BOOST_AUTO_TEST_CASE(what_is_no_image_is_refused) {
  const auto refusal = [](part shown) {
    return with_blobs(look_at(std::move(shown)), read_blob).error().code;
  };
  BOOST_TEST((refusal(document_part{"image/png", "", "", "abc"})
              == errc::invalid_argument));
  BOOST_TEST((refusal(image_part{"image/png", "", "abd"}) == errc::not_found));
  BOOST_TEST((refusal(image_part{"", "", "abc"}) == errc::invalid_argument));
  BOOST_TEST(
    (refusal(image_part{"text/plain", "", "abc"}) == errc::invalid_argument));
}

BOOST_AUTO_TEST_CASE(only_what_is_no_plain_text_counts_as_a_document) {
  BOOST_TEST(!has_documents(look_at(image_part{"", "https://x", ""})));
  BOOST_TEST(has_images(look_at(image_part{"", "https://x", ""})));
  const document_part note{"text/plain", "", "", "abc"};
  BOOST_TEST(!has_documents(look_at(note)));
  BOOST_TEST(!has_images(look_at(note)));
  BOOST_TEST(has_documents(look_at(document_part{"", "", "https://x", ""})));
  BOOST_TEST(has_documents({said(
    role::tool,
    {tool_result_part{"c1.0",
                      "",
                      "f",
                      "",
                      false,
                      {{document_part{"application/pdf", "", "", "abc"}}}}})}));
}

BOOST_AUTO_TEST_CASE(plain_text_becomes_words_with_its_name) {
  const auto words = [](const document_part& document) {
    const auto out = as_words(document, "acme");
    return out ? *out : out.error().detail;
  };
  BOOST_TEST(words({"", "a.md", data_url("text/markdown", "# Hi"), ""})
             == "Document \"a.md\":\n# Hi\n");
  BOOST_TEST(words({"", "", data_url("text/plain", "\xff"), ""})
             == "Document:\n\xEF\xBF\xBD\n");
  BOOST_TEST(words({"text/plain", "a", "https://x", ""})
             == "acme fetches no documents of plain text; expected one from "
                "the blob store or with a data: URL");
  BOOST_TEST(words({"", "a", "data:text/plain;base64,***", ""})
             == "the document \"a\" holds no base64");
  BOOST_TEST(words({"", "a", data_url("application/pdf", "x"), ""})
             == "acme takes no documents but plain text; \"a\" is another");
}

BOOST_AUTO_TEST_CASE(each_vendor_gets_the_bytes_of_a_blob) {
  std::string body;
  examples::vendor_server server{[&](const examples::vendor_request& r) {
    body = boost::json::serialize(r.body);
    return examples::vendor_turn{.text = "a cat"};
  }};
  const auto bytes = base64(picture);
  const std::vector<std::pair<model_ptr, std::string>> expected{
    {anthropic({.model = "claude-sonnet-4-6",
                .base_url = server.url(),
                .api_key = "k-123456"}),
     R"({"type":"image","source":{"type":"base64","media_type":"image/png",)"
     R"("data":")"
       + bytes + R"("}})"},
    {openai({.model = "gpt-5.4", .base_url = server.openai_url()}),
     R"({"type":"image_url","image_url":{"url":"data:image/png;base64,)" + bytes
       + R"("}})"},
    {ollama({.model = "qwen3", .base_url = server.url()}),
     R"("content":"What is it?","images":[")" + bytes + R"("])"}};
  for (const auto& [model, wire] : expected)
    BOOST_TEST_CONTEXT(model->name()) {
      const auto talk =
        with_blobs(look_at(image_part{"image/png", "", "abc"}), read_blob)
          .value();
      reply_in(ask(*model, wire_request(talk)));
      BOOST_TEST(body.find(wire) != std::string::npos, body);
    }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
