#include <kestrion/examples/support/vendor_server.hpp>
#include <kestrion/messages/base64.hpp>
#include <kestrion/providers/models/images.hpp>
#include <kestrion/providers/models/models.hpp>
#include <kestrion/tests/providers/wire_requests.hpp>
#include <kestrion/tests/support/http_calls.hpp>

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <future>

namespace kestrion::test {

namespace images_test {

const std::string picture{"\0\xff picture", 10};

result<std::string> read_blob(const std::string& hash) {
  if (hash == "abc")
    return picture;
  return error{errc::not_found, "there is no blob \"" + hash + "\""};
}

conversation look_at(image_part image) {
  return {said(role::user, {text_part{"What is it?"}, std::move(image)})};
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

} // namespace images_test

BOOST_AUTO_TEST_SUITE(images_test)

BOOST_AUTO_TEST_CASE(a_data_url_is_told_from_others) {
  const auto data = image_data_of("data:image/png;base64,Zm9v");
  BOOST_REQUIRE(data.has_value());
  BOOST_TEST(data->media_type == "image/png");
  BOOST_TEST(data->base64 == "Zm9v");
  for (const auto* other : {"", "https://x/y.png", "data:,plain",
                            "data:;base64,Zm9v", "https://x/;base64,Zm9v"})
    BOOST_TEST(!image_data_of(other).has_value());
}

BOOST_AUTO_TEST_CASE(a_blob_becomes_its_bytes_and_the_rest_is_shared) {
  auto talk = look_at({"image/png", "", "abc"});
  talk.push_back(said(role::assistant, {text_part{"A cat."}}));
  BOOST_TEST(has_blobs(*talk[0]));
  BOOST_TEST(!has_blobs(*talk[1]));
  const auto out = with_images(talk, read_blob).value();
  BOOST_TEST((std::get<image_part>(out[0]->parts[1])
              == image_part{"image/png",
                            "data:image/png;base64," + base64(picture), ""}));
  BOOST_TEST((out[0]->parts[0] == talk[0]->parts[0]));
  BOOST_TEST(out[1] == talk[1]);
  // What the run holds stays as it is.
  BOOST_TEST((std::get<image_part>(talk[0]->parts[1]).blob == "abc"));
}

BOOST_AUTO_TEST_CASE(what_is_no_image_is_refused) {
  const auto refusal = [](image_part image) {
    return with_images(look_at(std::move(image)), read_blob).error().code;
  };
  BOOST_TEST((refusal({"image/png", "", "abd"}) == errc::not_found));
  BOOST_TEST((refusal({"", "", "abc"}) == errc::invalid_argument));
  BOOST_TEST((refusal({"text/plain", "", "abc"}) == errc::invalid_argument));
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
        with_images(look_at({"image/png", "", "abc"}), read_blob).value();
      reply_in(ask(*model, wire_request(talk)));
      BOOST_TEST(body.find(wire) != std::string::npos, body);
    }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
