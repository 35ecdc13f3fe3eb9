#include <kestrion/kestrion.hpp>

#include <kestrion/tests/peers/peer_process.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <future>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

/// All vendors' models, over the real HTTP client, against a server that is
/// not ours.
using namespace kestrion;
using namespace std::chrono_literals;

namespace aimock_test {

constexpr auto hang = 60s; // No call takes this long.

struct spoken_vendor {
  std::string name;
  std::function<model_ptr(bool stream, http_headers headers)> make;
};

std::vector<spoken_vendor> vendors() {
  const auto url = test::aimock::get().url();
  return {{"anthropic",
           [=](bool stream, http_headers headers) {
             return anthropic({.model = "claude-opus-5-5",
                               .base_url = url,
                               .api_key = "k-123456",
                               .stream = stream,
                               .headers = std::move(headers)});
           }},
          {"openai",
           [=](bool stream, http_headers headers) {
             return openai({.model = "gpt-6-sol",
                            .base_url = url + "/v1",
                            .stream = stream,
                            .headers = std::move(headers)});
           }},
          {"responses",
           [=](bool stream, http_headers headers) {
             return openai_responses({.model = "gpt-6-sol",
                                      .base_url = url + "/v1",
                                      .stream = stream,
                                      .headers = std::move(headers)});
           }},
          {"ollama", [=](bool stream, http_headers headers) {
             return ollama({.model = "qwen3",
                            .base_url = url,
                            .stream = stream,
                            .headers = std::move(headers)});
           }}};
}

/// `agent` has the tool `look`, whose result says what it saw.
struct place {
  int n;
};
BOOST_DESCRIBE_STRUCT(place, (), (n))

agent watcher(std::string name, model_ptr model) {
  return agent(std::move(name))
    .model(std::move(model))
    .system("Be brief.")
    .tool("look", "Looks at a place.",
          [](const place& p) { return "seen " + std::to_string(p.n); });
}

struct graded {
  int grade;
  std::optional<std::string> why;
};
BOOST_DESCRIBE_STRUCT(graded, (), (grade, why))

struct answer {
  std::string shown; ///< All texts of the draft.
  model_outcome outcome;
};

/// Asks once, in one piece or streamed.
answer ask(const model_ptr& m, message prompt, bool stream) {
  model_request request{watcher("watcher", m).build().value()->definition,
                        {std::make_shared<const message>(std::move(prompt))},
                        "run_1/m1"};
  auto got = std::make_shared<answer>();
  auto promise = std::make_shared<std::promise<void>>();
  auto ended = promise->get_future();
  const auto done = [got, promise](model_outcome o) {
    got->outcome = std::move(o);
    promise->set_value();
  };
  if (stream)
    m->stream(
      std::move(request), {},
      [got](const model_delta& d) {
        if (d.kind == delta_kind::text)
          got->shown += d.text;
      },
      done);
  else
    m->complete(std::move(request), {}, done);
  if (ended.wait_for(hang) != std::future_status::ready)
    throw std::runtime_error("the call hangs");
  return *got;
}

answer ask(const model_ptr& m, const std::string& prompt, bool stream) {
  return ask(m, user_message(prompt), stream);
}

/// Each vendor, streamed and not.
template <class F>
void with_each(F f) {
  for (const auto& vendor : vendors())
    for (const bool stream : {false, true})
      BOOST_TEST_CONTEXT(vendor.name << (stream ? ", streamed" : ""))
  f(vendor, stream);
}

const model_reply& reply_in(const answer& a) {
  if (const auto* failed = std::get_if<model_failure>(&a.outcome))
    throw std::runtime_error("expected a reply, got "
                             + to_string(failed->error));
  return std::get<model_reply>(a.outcome);
}

model_failure failure_in(const answer& a) {
  if (const auto* failed = std::get_if<model_failure>(&a.outcome))
    return *failed;
  BOOST_ERROR("expected a failure, got a reply");
  return {};
}

std::string text_in(const model_reply& reply) {
  return text_of({role::assistant, reply.parts});
}

/// A header that makes aimock do this to a request.
http_headers chaos(const char* what) {
  return {{std::string{"x-aimock-chaos-"} + what, "1"}};
}

} // namespace aimock_test

BOOST_AUTO_TEST_SUITE(aimock_test,
                      *boost::unit_test::precondition(test::wants_peers))

// -- answers ------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_text_comes_whole_and_in_pieces) {
  with_each([](const spoken_vendor& vendor, bool stream) {
    const auto got = ask(vendor.make(stream, {}), "say hello", stream);
    const auto& reply = reply_in(got);
    BOOST_CHECK_EQUAL(text_in(reply), "Hello there, dear w\u00f6rld");
    BOOST_CHECK_EQUAL(got.shown, stream ? text_in(reply) : "");
    BOOST_CHECK(reply.stop == stop_reason::end_turn);
    if (vendor.name != "ollama") { // There aimock counts nothing.
      BOOST_CHECK_EQUAL(reply.usage.input_tokens, 11);
      BOOST_CHECK_EQUAL(reply.usage.output_tokens, 7);
    }
  });
}

BOOST_AUTO_TEST_CASE(two_tools_are_called_at_once) {
  with_each([](const spoken_vendor& vendor, bool stream) {
    const auto got = ask(vendor.make(stream, {}), "look at both", stream);
    const auto& reply = reply_in(got);
    std::vector<std::string> calls;
    std::set<std::string> ids;
    for (const auto& p : reply.parts)
      if (const auto* call = std::get_if<tool_call_part>(&p)) {
        calls.push_back(call->name + call->arguments);
        ids.insert(call->vendor_id);
      }
    const std::vector<std::string> expected{R"(look{"n":1})", R"(look{"n":2})"};
    BOOST_CHECK_EQUAL_COLLECTIONS(calls.begin(), calls.end(), expected.begin(),
                                  expected.end());
    BOOST_CHECK_EQUAL(ids.size(), vendor.name == "ollama" ? 1u : 2u);
    BOOST_CHECK(reply.stop == stop_reason::tool_use);
  });
}

BOOST_AUTO_TEST_CASE(thoughts_are_kept_apart_from_the_answer) {
  with_each([](const spoken_vendor& vendor, bool stream) {
    if (vendor.name == "ollama")
      return; // aimock has no thoughts there.
    const auto got = ask(vendor.make(stream, {}), "think first", stream);
    const auto& reply = reply_in(got);
    BOOST_CHECK_EQUAL(text_in(reply), "Yes.");
    const auto* thought = std::get_if<reasoning_part>(&reply.parts.front());
    BOOST_REQUIRE(thought);
    BOOST_CHECK_EQUAL(thought->text, "Hm, let me see.");
  });
}

BOOST_AUTO_TEST_CASE(what_is_said_may_have_images_and_documents) {
  with_each([](const spoken_vendor& vendor, bool stream) {
    auto said = user_message("say hello");
    said.parts.push_back(
      image_part{"image/png", data_url("image/png", "\x89PNG"), ""});
    said.parts.push_back(document_part{
      "text/plain", "notes.txt", data_url("text/plain", "Be brief."), ""});
    if (vendor.name != "ollama") // It takes no PDF.
      said.parts.push_back(
        document_part{"application/pdf", "report.pdf",
                      data_url("application/pdf", "%PDF-1.7"), ""});
    const auto got = ask(vendor.make(stream, {}), said, stream);
    BOOST_CHECK_EQUAL(text_in(reply_in(got)), "Hello there, dear w\u00f6rld");
  });
}

// -- failures -----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(slow_down_says_for_how_long) {
  with_each([](const spoken_vendor& vendor, bool stream) {
    const auto failed =
      failure_in(ask(vendor.make(stream, {}), "too many", stream));
    BOOST_CHECK(failed.error.code == errc::rate_limited);
    BOOST_CHECK_EQUAL(failed.http_status, 429);
    BOOST_CHECK(failed.retryable);
    BOOST_CHECK(failed.retry_after == duration{3s});
    BOOST_CHECK(!failed.limits.empty());
  });
}

BOOST_AUTO_TEST_CASE(an_overloaded_server_may_be_asked_again) {
  with_each([](const spoken_vendor& vendor, bool stream) {
    const auto failed =
      failure_in(ask(vendor.make(stream, {}), "too busy", stream));
    BOOST_CHECK(failed.error.code == errc::unavailable);
    BOOST_CHECK_EQUAL(failed.http_status, 529);
    BOOST_CHECK(failed.retryable);
  });
}

BOOST_AUTO_TEST_CASE(a_stream_that_ends_early_is_no_answer) {
  const std::string cut = "cut yourself short";         // After some pieces.
  for (const auto& how : {cut, std::string{"hang up"}}) // After some time.
    for (const auto& vendor : vendors())
      BOOST_TEST_CONTEXT(vendor.name << ", " << how) {
        const auto got = ask(vendor.make(true, {}), how, true);
        const auto failed = failure_in(got);
        BOOST_CHECK_EQUAL(to_string(failed.error.code), "io");
        BOOST_CHECK(failed.retryable);
        const std::string whole =
          "This text is long, much longer than it has to be, so that nobody "
          "will ever read how it goes on and what it ends with.";
        BOOST_CHECK(whole.starts_with(got.shown) && got.shown != whole);
        if (how == cut)
          BOOST_CHECK(!got.shown.empty());
      }
}

BOOST_AUTO_TEST_CASE(a_connection_that_ends_before_an_answer_is_none) {
  with_each([](const spoken_vendor& vendor, bool stream) {
    const auto failed = failure_in(
      ask(vendor.make(stream, chaos("disconnect")), "say hello", stream));
    BOOST_CHECK_EQUAL(to_string(failed.error.code), "io");
    BOOST_CHECK(failed.retryable);
  });
}

BOOST_AUTO_TEST_CASE(a_body_that_is_no_json_may_be_better_next_time) {
  with_each([](const spoken_vendor& vendor, bool stream) {
    const auto failed = failure_in(
      ask(vendor.make(stream, chaos("malformed")), "say hello", stream));
    BOOST_CHECK_EQUAL(to_string(failed.error.code), "corrupt");
    BOOST_CHECK(failed.retryable);
  });
}

BOOST_AUTO_TEST_CASE(errors_out_of_the_blue_have_their_codes) {
  with_each([](const spoken_vendor& vendor, bool stream) {
    const auto dropped =
      failure_in(ask(vendor.make(stream, chaos("drop")), "say hello", stream));
    BOOST_CHECK_EQUAL(dropped.http_status, 500);
    BOOST_CHECK(dropped.error.code == errc::unavailable && dropped.retryable);
    const auto limited = failure_in(
      ask(vendor.make(stream, chaos("ratelimit")), "say hello", stream));
    BOOST_CHECK_EQUAL(limited.http_status, 429);
    BOOST_CHECK(limited.error.code == errc::rate_limited && limited.retryable);
    const auto unknown =
      failure_in(ask(vendor.make(stream, {}), "nobody scripted this", stream));
    BOOST_CHECK_EQUAL(unknown.http_status, 503);
  });
}

// -- whole runs ---------------------------------------------------------------

BOOST_AUTO_TEST_CASE(runs_of_all_vendors_use_their_tools) {
  std::vector<agent> agents;
  for (const auto& vendor : vendors())
    agents.push_back(watcher(vendor.name, vendor.make(true, {})));
  runtime rt{{.store = "memory:"}, agents};
  std::vector<run> runs;
  for (int i = 0; i < 10; ++i)
    for (const auto& a : agents)
      runs.push_back(rt.start(a.name(), "look at both"));
  for (const auto& each : runs) {
    const auto result = each.wait_until_ended();
    BOOST_CHECK_EQUAL(result.output, "Both are there.");
    BOOST_CHECK_EQUAL(result.turns, 2);
    BOOST_CHECK_EQUAL(result.tool_calls, 2);
  }
}

BOOST_AUTO_TEST_CASE(a_run_asks_again_what_the_server_was_too_busy_for) {
  for (const auto& vendor : vendors())
    BOOST_TEST_CONTEXT(vendor.name) {
      runtime rt{{.store = "memory:"},
                 {watcher("watcher", vendor.make(true, {}))}};
      const auto run = rt.start("watcher", "busy at first: " + vendor.name);
      BOOST_CHECK_EQUAL(run.wait_until_ended().output, "Here I am.");
      const auto events = rt.events(run.id());
      BOOST_CHECK_EQUAL(
        std::count_if(events.begin(), events.end(),
                      [](const auto& e) {
                        return std::holds_alternative<model_call_failed>(
                          e.event);
                      }),
        1);
    }
}

BOOST_AUTO_TEST_CASE(answers_of_a_type_are_mended_natively_and_by_a_tool) {
  auto all = vendors();
  all.push_back({"an older claude", [](bool stream, http_headers headers) {
                   return anthropic({.model = "claude-3-7-sonnet",
                                     .base_url = test::aimock::get().url(),
                                     .api_key = "k-123456",
                                     .stream = stream,
                                     .headers = std::move(headers)});
                 }});
  for (const auto& vendor : all)
    BOOST_TEST_CONTEXT(vendor.name) {
      auto grader = watcher("grader", vendor.make(true, {}));
      grader.output<graded>();
      runtime rt{{.store = "memory:"}, {grader}};
      const auto result = rt.start("grader", "grade it").wait_until_ended();
      BOOST_CHECK_EQUAL(result.output_as<graded>().grade, 5);
      BOOST_CHECK_EQUAL(result.turns, 2);
      BOOST_CHECK_EQUAL(result.tool_calls, 0);
    }
}

BOOST_AUTO_TEST_SUITE_END()
