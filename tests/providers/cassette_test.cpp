#include <kestrion/examples/support/vendor_server.hpp>
#include <kestrion/providers/models/cassette.hpp>
#include <kestrion/providers/models/forbid.hpp>
#include <kestrion/providers/models/models.hpp>
#include <kestrion/providers/models/scripted.hpp>
#include <kestrion/tests/providers/wire_requests.hpp>
#include <kestrion/tests/support/http_calls.hpp>
#include <kestrion/tests/support/temp_folder.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <fstream>
#include <future>
#include <iterator>
#include <string>
#include <vector>

namespace kestrion::test {

namespace cassette_test {

constexpr auto key = "sk-secret-123456";

model_request saying(const std::string& text) {
  return wire_request({said(role::user, {text_part{text}})});
}

struct heard {
  std::string drafts;
  model_outcome outcome;
};

heard ask(model& m, const model_request& request, bool streamed) {
  auto out = std::make_shared<heard>();
  auto promise = std::make_shared<std::promise<void>>();
  auto ended = promise->get_future();
  const auto done = [out, promise](model_outcome o) {
    out->outcome = std::move(o);
    promise->set_value();
  };
  if (streamed)
    m.stream(
      request, {}, [out](const model_delta& d) { out->drafts += d.text; },
      done);
  else
    m.complete(request, {}, done);
  if (ended.wait_for(hang) != std::future_status::ready)
    throw std::runtime_error{"the call hangs"};
  return *out;
}

std::string text_in(const std::string& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

void write(const std::string& file, const std::string& text) {
  std::ofstream{file, std::ios::binary} << text;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// Overloaded at first, then it answers; hangs up when told so.
examples::vendor_turn answer(const examples::vendor_request& r, int call) {
  if (r.last_user_text == "hang up")
    return {.hang_up = true};
  if (call == 1)
    return {.text = "try later, " + std::string{key}, .status = 529};
  return {.text = "you said " + r.last_user_text};
}

/// A server, and a cassette of what it says.
struct recorded {
  temp_folder folder;
  std::string file = folder / "tape.jsonl";
  std::vector<heard> live;

  recorded(const std::vector<std::pair<std::string, bool>>& calls,
           cassette_options options = {}) {
    std::atomic<int> count{0};
    const examples::vendor_server server{
      [&](const examples::vendor_request& r) {
        return answer(r, ++count);
      }};
    const auto tape = record(file, std::move(options));
    const auto model = anthropic({.model = "claude-opus-5-5",
                                  .base_url = server.url(),
                                  .api_key = key,
                                  .http = tape});
    for (const auto& [text, streamed] : calls)
      live.push_back(ask(*model, saying(text), streamed));
    tape->expect_all_used();
  }

  /// Has no server and no key.
  static model_ptr model_of(const cassette_ptr& tape) {
    return anthropic({.model = "claude-opus-5-5",
                      .base_url = "http://127.0.0.1:9",
                      .http = tape});
  }
};

} // namespace cassette_test

using namespace cassette_test;

BOOST_AUTO_TEST_SUITE(cassette_test)

BOOST_AUTO_TEST_CASE(what_was_recorded_comes_again_without_key_or_server) {
  const recorded r{
    {{"a", true}, {"a", true}, {"b", false}, {"hang up", false}}};
  BOOST_TEST(failure_in(r.live[0].outcome).http_status == 529);
  BOOST_TEST(r.live[1].drafts == "you said a");
  BOOST_TEST(failure_in(r.live[3].outcome).retryable);

  const auto tape = replay(r.file);
  const auto model = recorded::model_of(tape);

  BOOST_TEST(tape->unused().size() == 4u);
  const std::vector<std::pair<std::string, bool>> calls{
    {"a", true}, {"a", true}, {"b", false}, {"hang up", false}};
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const auto now = ask(*model, saying(calls[i].first), calls[i].second);
    BOOST_TEST(now.drafts == r.live[i].drafts);
    if (const auto* reply = std::get_if<model_reply>(&now.outcome)) {
      BOOST_CHECK(reply->parts == reply_in(r.live[i].outcome).parts);
      BOOST_CHECK(reply->usage == reply_in(r.live[i].outcome).usage);
    } else {
      BOOST_CHECK(failure_in(now.outcome).error.code
                  == failure_in(r.live[i].outcome).error.code);
      BOOST_TEST(failure_in(now.outcome).retryable
                 == failure_in(r.live[i].outcome).retryable);
    }
  }
  tape->expect_all_used();
}

BOOST_AUTO_TEST_CASE(a_cassette_is_lines_of_json_without_secrets) {
  const recorded r{{{"a", true}, {"my PIN is 4711", true}},
                   {.secrets = {"4711"}}};

  const auto text = text_in(r.file);

  BOOST_TEST_CONTEXT(text) {
    BOOST_CHECK(text.starts_with("{\"cassette\":1}\n{\"request\":"));
    BOOST_CHECK(has(text, "\n{\"chunk\":\"event: message_start\\ndata: "));
    BOOST_CHECK(has(text, "\n{\"end\":\"complete\"}\n"));
    BOOST_CHECK(!has(text, key));
    BOOST_CHECK(has(text, "try later, [removed]"));
    BOOST_CHECK(!has(text, "4711"));
    BOOST_CHECK(has(text, "my PIN is [removed]"));
    BOOST_CHECK(!has(text, "anthropic-version"));
  }
  // The same secrets are struck out of what is compared.
  const auto tape = replay(r.file, {.secrets = {"4711"}});
  const auto model = recorded::model_of(tape);
  ask(*model, saying("a"), true);
  const auto again = ask(*model, saying("my PIN is 4711"), true);
  BOOST_CHECK(std::holds_alternative<model_reply>(again.outcome));
}

BOOST_AUTO_TEST_CASE(keys_in_urls_are_removed_and_not_compared) {
  const temp_folder folder;
  const auto file = folder / "tape.jsonl";
  const auto url = [](const std::string& value) {
    return "http://127.0.0.1:1/v1/x?key=" + value + "&alt=sse";
  };
  const auto call = [&](const cassette_ptr& tape, const std::string& value) {
    std::promise<http_outcome> out;
    tape->request({.url = url(value)}, {},
                  [&](http_outcome o) { out.set_value(std::move(o)); });
    return std::get<http_failure>(out.get_future().get());
  };

  const auto live = call(record(file), "hidden");
  const auto again = call(replay(file), "another");

  BOOST_TEST(!has(text_in(file), "hidden"));
  BOOST_TEST(has(text_in(file), "?key=[removed]&alt=sse"));
  BOOST_CHECK(again.error == live.error);
  BOOST_CHECK(again.step == live.step);
}

BOOST_AUTO_TEST_CASE(a_request_that_differs_fails_and_says_where) {
  const recorded r{{{"a", false}, {"b", false}}};

  const auto tape = replay(r.file);
  const auto failed =
    failure_in(ask(*recorded::model_of(tape), saying("c"), false).outcome);

  BOOST_CHECK(failed.error.code == errc::refused);
  BOOST_TEST(!failed.retryable);
  const auto expected =
    "the request POST /v1/messages is not in the cassette " + r.file
    + ": it differs from that of line 2: POST /v1/messages: at "
      "/messages/0/content/0/text it has \"c\", recorded was \"a\"";
  BOOST_TEST(failed.error.detail == expected);
  // That a test can't miss it.
  BOOST_CHECK_EXCEPTION(
    tape->expect_all_used(), failure, [&](const failure& e) {
      return e.code() == errc::refused && e.error().detail == expected;
    });
}

BOOST_AUTO_TEST_CASE(members_that_are_more_or_fewer_are_named) {
  const recorded r{{{"a", false}, {"b", false}}};
  const auto tape = replay(r.file);
  const auto model = recorded::model_of(tape);

  auto request = saying("a");
  auto agent = *request.agent;
  agent.system.clear();
  request.agent = std::make_shared<const agent_definition>(agent);
  const auto fewer = failure_in(ask(*model, request, false).outcome);
  const auto longer =
    failure_in(ask(*model,
                   wire_request({said(role::user, {text_part{"a"}}),
                                 said(role::assistant, {text_part{"b"}}),
                                 said(role::user, {text_part{"c"}})}),
                   false)
                 .outcome);

  BOOST_TEST(fewer.error.detail.ends_with(
               "at /system it has nothing, recorded was \"Be brief.\""),
             fewer.error.detail);
  BOOST_TEST(longer.error.detail.ends_with(", recorded was nothing"),
             longer.error.detail);
}

BOOST_AUTO_TEST_CASE(what_nobody_asked_for_is_named) {
  const recorded r{{{"a", false}, {"b", false}}};
  const auto tape = replay(r.file);

  ask(*recorded::model_of(tape), saying("b"), false);

  BOOST_TEST(tape->unused()
               == std::vector<std::string>{"line 2: POST /v1/messages"},
             boost::test_tools::per_element());
  BOOST_CHECK_EXCEPTION(
    tape->expect_all_used(), failure, [&](const failure& e) {
      return e.error().detail
             == "1 of the 2 exchanges of the cassette " + r.file
                  + " were not asked for: line 2: POST /v1/messages.";
    });
}

BOOST_AUTO_TEST_CASE(an_exchange_is_used_once) {
  const recorded r{{{"a", false}, {"b", false}}};
  const auto tape = replay(r.file);
  const auto model = recorded::model_of(tape);
  ask(*model, saying("b"), false);
  ask(*model, saying("a"), false);

  const auto third = failure_in(ask(*model, saying("b"), false).outcome);

  BOOST_TEST(third.error.detail.ends_with(
               "it comes when all 2 exchanges have been used"),
             third.error.detail);
}

BOOST_AUTO_TEST_CASE(files_that_are_no_cassettes_are_errors_with_a_line) {
  const temp_folder folder;
  const auto file = folder / "tape.jsonl";
  struct bad_file {
    std::string text;
    errc code;
    std::string_view says;
  };
  const std::string request =
    R"({"request":{"method":"POST","url":"http://h/","body":{}}})"
    "\n";
  const std::string begin = "{\"cassette\":1}\n";
  const std::string streamed =
    request + R"({"response":{"status":200,"headers":{}}})" + "\n";
  for (const auto& bad : std::vector<bad_file>{
         {"", errc::corrupt, "is empty"},
         {"{}\n", errc::corrupt, "line 1: a cassette begins with"},
         {"{\"cassette\":2}\n", errc::unsupported, "its version is 2"},
         {begin + "no json\n", errc::corrupt, "line 2: "},
         {begin + "{\"x\":1}\n", errc::corrupt, "none of the lines"},
         {begin + request, errc::corrupt, "the last exchange has no end"},
         {begin + request + request, errc::corrupt, "line 3: the exchange"},
         {begin + "{\"chunk\":\"x\"}\n", errc::corrupt, "line 2: no streamed"},
         {begin + streamed + "{\"chunk\":7}\n", errc::corrupt, "line 4: "},
         {begin + "{\"request\":{}}\n", errc::corrupt, "line 2: "}}) {
    write(file, bad.text);
    BOOST_TEST_CONTEXT(bad.text)
    BOOST_CHECK_EXCEPTION(replay(file), failure, [&](const failure& e) {
      BOOST_TEST(has(e.error().detail, bad.says), e.what());
      return e.code() == bad.code && has(e.error().detail, file);
    });
  }
  BOOST_CHECK_EXCEPTION(
    replay(folder / "none.jsonl"), failure, [](const failure& e) {
      return e.code() == errc::not_found && has(e.what(), "KESTRION_RECORD=1");
    });
  BOOST_CHECK_EXCEPTION(record(folder / "no/such/folder.jsonl"), failure,
                        [](const failure& e) { return e.code() == errc::io; });
}

BOOST_AUTO_TEST_CASE(a_cut_answer_is_cut_again) {
  const temp_folder folder;
  const auto file = folder / "tape.jsonl";
  const recorded r{{{"x", true}, {"a", true}}};
  // The end is lost, as if the connection had been.
  auto text = text_in(r.file);
  const auto end = text.find("{\"chunk\":\"event: message_stop");
  BOOST_REQUIRE(end != std::string::npos);
  write(file, text.substr(0, end)
                + R"({"failure":{"code":"io","detail":"cut","step":"body",)"
                  R"("before_send":false}})"
                + "\n");

  const auto tape = replay(file);
  const auto model = recorded::model_of(tape);
  ask(*model, saying("x"), true);
  const auto cut = ask(*model, saying("a"), true);

  BOOST_TEST(cut.drafts == "you said a");
  BOOST_TEST(failure_in(cut.outcome).retryable);
}

BOOST_AUTO_TEST_CASE(real_calls_can_be_forbidden) {
  const recorded r{{{"a", false}, {"b", false}}};
  const examples::vendor_server server{
    [](const examples::vendor_request&) -> examples::vendor_turn {
      return {.text = "real"};
    }};
  const auto real = anthropic(
    {.model = "claude-opus-5-5", .base_url = server.url(), .api_key = key});
  const auto is_answered = [](model& m, const std::string& text) {
    return std::holds_alternative<model_reply>(
      ask(m, saying(text), false).outcome);
  };
  {
    const auto outer = forbid_model_calls();
    { const auto inner = forbid_model_calls(); }
    for (const bool streamed : {false, true}) {
      const auto failed = failure_in(ask(*real, saying("a"), streamed).outcome);
      BOOST_CHECK(failed.error.code == errc::refused);
      BOOST_TEST(!failed.retryable);
      BOOST_TEST(has(failed.error.detail,
                     "claude-opus-5-5 at " + server.url() + "/v1/messages"));
    }
    const auto recording = anthropic({.model = "claude-opus-5-5",
                                      .base_url = server.url(),
                                      .api_key = key,
                                      .http = record(r.folder / "new.jsonl")});
    BOOST_TEST(!is_answered(*recording, "a"));
    BOOST_TEST(server.requests() == 0u);
    BOOST_TEST(is_answered(*recorded::model_of(replay(r.file)), "b"));
    BOOST_TEST(is_answered(*scripted({says("x")}), "a"));
    BOOST_TEST(is_answered(
      *function_model([](const model_request&) { return says("x"); }), "a"));
  }
  BOOST_TEST(is_answered(*real, "a"));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
