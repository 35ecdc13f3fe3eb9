/// Large texts and images, from end to end: on disk as blobs, whole in memory.

#include <kestrion/kestrion.hpp>

#include <kestrion/messages/digest.hpp>
#include <kestrion/store/event_store.hpp>
#include <kestrion/tests/support/temp_folder.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>

namespace kestrion::test {

namespace large_payload_test {

const std::string large = "A \"long\" line \xE2\x82\xAC.\n" // 21 bytes
                          + std::string(200'000, 'x');

/// Fetches a large text twice, and says how much of it it has seen.
agent reader() {
  agent a{"reader"};
  a.model(function_model([](const model_request& r) -> model_outcome {
     if (r.conversation.size() == 1)
       return calls({{"fetch", "{}"}, {"fetch", "{}"}});
     std::size_t seen = 0;
     for (const auto& p : r.conversation.back()->parts)
       seen += std::get<tool_result_part>(p).content == large ? 1 : 0;
     return says("seen " + std::to_string(seen) + " " + large);
   }))
    .tool("fetch", "Fetches.", [] { return large; });
  return a;
}

/// Tells the URL of the image that it is shown.
agent viewer() {
  agent a{"viewer"};
  a.model(function_model([](const model_request& r) -> model_outcome {
    const auto& image =
      std::get<image_part>(r.conversation.front()->parts.at(1));
    return says(image.url);
  }));
  return a;
}

constexpr auto report = "%PDF, nearly";

/// Shows what it finds: words, a picture as it is, and a document as a blob.
agent camera(const std::function<std::string(std::string_view)>& keep) {
  agent a{"camera"};
  a.model(function_model([](const model_request& r) -> model_outcome {
     if (r.conversation.size() == 1)
       return calls({{"look", "{}"}, {"read", "{}"}});
     std::string seen;
     for (const auto& p : r.conversation.back()->parts) {
       const auto& result = std::get<tool_result_part>(p);
       seen += result.content + "|";
       visit_attachments(*result.attachments,
                         [&](const auto& x) { seen += x.url + "|"; });
     }
     return says(seen);
   }))
    .tool("look", "Looks.",
          [] {
            return std::vector<content_part>{
              text_part{"a cat"},
              image_part{"", data_url("image/png", "the picture"), ""}};
          })
    .tool("read", "Reads.", [keep] {
      return document_part{"application/pdf", "a.pdf", "", keep(report)};
    });
  return a;
}

} // namespace large_payload_test

BOOST_AUTO_TEST_SUITE(large_payload_test)

BOOST_AUTO_TEST_CASE(a_large_text_is_whole_for_all_who_read_the_run) {
  const temp_folder folder;
  const auto url = "sqlite:///" + (folder / "runs.db");
  runtime rt{{.store = url}, {reader()}};
  const auto run = rt.start("reader", "Go on.");
  BOOST_CHECK(run.wait().output == "seen 2 " + large);
  BOOST_CHECK(run.result().output == "seen 2 " + large);
  std::size_t whole = 0;
  for (const auto& e : rt.events(run.id()))
    if (const auto* x = std::get_if<tool_call_completed>(&e.event))
      whole += x->content == large ? 1 : 0;
  BOOST_CHECK_EQUAL(whole, 2u);
}

BOOST_AUTO_TEST_CASE(a_model_gets_the_bytes_of_images_that_are_blobs) {
  const temp_folder folder;
  runtime rt{{.store = "sqlite:///" + (folder / "runs.db")}, {viewer()}};
  const auto hash = rt.put_blob("the picture");
  BOOST_CHECK_EQUAL(rt.put_blob("the picture"), hash);
  BOOST_CHECK_EQUAL(rt.get_blob(hash), "the picture");
  message question = user_message("What is it?");
  question.parts.emplace_back(image_part{"image/png", "", hash});
  BOOST_CHECK_EQUAL(rt.start("viewer", question).wait().output,
                    "data:image/png;base64,dGhlIHBpY3R1cmU=");
  // One that is not there costs the call, and says so.
  std::get<image_part>(question.parts[1]).blob = "0123";
  const auto lost = rt.start("viewer", question).wait();
  BOOST_CHECK(lost.status == run_status::failed);
  BOOST_CHECK_EQUAL(lost.code, "not_found");
  BOOST_CHECK_EXCEPTION(rt.get_blob("0123"), failure, [](const failure& e) {
    return e.code() == errc::not_found;
  });
}

BOOST_AUTO_TEST_CASE(tools_show_pictures_and_documents) {
  const temp_folder folder;
  const auto url = "sqlite:///" + (folder / "runs.db");
  const auto keep =
    [store = std::shared_ptr{open_store(url).value()}](std::string_view bytes) {
      return store->put_blob(bytes).value();
    };
  runtime rt{{.store = url}, {camera(keep)}};
  const auto run = rt.start("camera", "Go on.").wait();
  BOOST_CHECK_EQUAL(run.output,
                    "a cat|data:image/png;base64,dGhlIHBpY3R1cmU=||"
                    "data:application/pdf;base64,JVBERiwgbmVhcmx5|");
  BOOST_CHECK(!rt.replay(run.id).divergence);
  // Another store has all of it.
  const auto capsule = folder / "run.jsonl";
  rt.export_run(run.id, capsule);
  runtime other{{.store = "sqlite:///" + (folder / "other.db")},
                {camera(keep)}};
  other.import_runs(capsule);
  BOOST_CHECK_EQUAL(other.get_blob(sha256_hex(report)), report);
  BOOST_CHECK_EQUAL(other.result(run.id).output, run.output);
  // It goes with its run.
  other.retain({.older_than = {}});
  BOOST_CHECK_EXCEPTION(
    other.get_blob(sha256_hex(report)), failure,
    [](const failure& e) { return e.code() == errc::not_found; });
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
