#include <kestrion/providers/models/scripted.hpp>
#include <kestrion/tests/providers/wire_requests.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace kestrion::test {

namespace scripted_test {

model_outcome ask(model& m, const std::string& key = {},
                  std::stop_token stop = {}) {
  model_outcome out;
  int times = 0;
  model_request request;
  request.idempotency_key = key;
  m.complete(std::move(request), std::move(stop), [&](model_outcome o) {
    out = std::move(o);
    ++times;
  });
  BOOST_TEST(times == 1);
  return out;
}

} // namespace scripted_test

BOOST_AUTO_TEST_SUITE(scripted_test)

BOOST_AUTO_TEST_CASE(a_script_is_played_in_order_and_remembers_the_requests) {
  const auto m = scripted({calls({{"add", R"({"a":1})"}, {"list"}}, "wait"),
                           says("done"), fails(errc::unavailable, true)},
                          "m");
  const auto first = reply_in(ask(*m, "k1"));
  BOOST_TEST((first.parts
              == std::vector<part>{text_part{"wait"},
                                   tool_call_part{"", "", "add", R"({"a":1})"},
                                   tool_call_part{"", "", "list", "{}"}}));
  BOOST_TEST((first.stop == stop_reason::tool_use));
  BOOST_TEST(
    (reply_in(ask(*m, "k2")).parts == std::vector<part>{text_part{"done"}}));
  BOOST_TEST(m->remaining() == 1u);
  BOOST_TEST(failure_in(ask(*m, "k3")).retryable);
  BOOST_TEST(m->remaining() == 0u);
  BOOST_TEST(m->requests().size() == 3u);
  BOOST_TEST(m->requests()[1].idempotency_key == "k2");
  BOOST_TEST(m->name() == "m");
}

BOOST_AUTO_TEST_CASE(a_stream_shows_the_reply_word_by_word) {
  const auto m = scripted({calls({{"add", R"({"a": 1})"}}, "one two"),
                           fails(errc::unavailable, true)});
  std::vector<model_delta> deltas;
  model_outcome outcome;
  const auto note = [&](model_delta d) {
    deltas.push_back(std::move(d));
  };
  m->stream({}, {}, note, [&](model_outcome o) { outcome = std::move(o); });
  const std::vector<model_delta> expected{
    {delta_kind::text, 0, 0, "one "},
    {delta_kind::text, 0, 4, "two"},
    {delta_kind::tool_name, 1, 0, "add"},
    {delta_kind::tool_arguments, 1, 0, R"({"a": )"},
    {delta_kind::tool_arguments, 1, 6, "1}"}};
  BOOST_TEST((deltas == expected));
  BOOST_TEST(reply_in(outcome).parts.size() == 2u);
  m->stream({}, {}, note, [&](model_outcome o) { outcome = std::move(o); });
  BOOST_TEST(failure_in(outcome).retryable);
  BOOST_TEST(deltas.size() == expected.size());
}

BOOST_AUTO_TEST_CASE(a_model_that_knows_no_streams_shows_its_reply_in_blocks) {
  const auto m = function_model([](const model_request&) -> model_outcome {
    model_reply reply = calls({{"add"}}, "one two");
    reply.parts.insert(reply.parts.begin(), reasoning_part{"v", "hm", "{}"});
    return reply;
  });
  std::vector<model_delta> deltas;
  int done = 0;
  m->stream(
    {}, {}, [&](model_delta d) { deltas.push_back(std::move(d)); },
    [&](const model_outcome&) { ++done; });
  const std::vector<model_delta> expected{
    {delta_kind::reasoning, 0, 0, "hm"},
    {delta_kind::text, 1, 0, "one two"},
    {delta_kind::tool_name, 2, 0, "add"},
    {delta_kind::tool_arguments, 2, 0, "{}"}};
  BOOST_TEST((deltas == expected));
  BOOST_TEST(done == 1);
}

BOOST_AUTO_TEST_CASE(a_call_beyond_the_script_fails_for_good) {
  const auto m = scripted({says("one"), says("two")});
  ask(*m);
  ask(*m);
  const auto failure = failure_in(ask(*m));
  BOOST_TEST(failure.error.detail == "the script of 2 replies is exhausted");
  BOOST_TEST(!failure.retryable);
}

BOOST_AUTO_TEST_CASE(a_stopped_call_takes_nothing_from_the_script) {
  const auto m = scripted({says("one")});
  std::stop_source source;
  source.request_stop();
  BOOST_TEST((failure_in(ask(*m, "", source.get_token())).error.code
              == errc::cancelled));
  BOOST_TEST(m->remaining() == 1u);
}

BOOST_AUTO_TEST_CASE(threads_that_call_at_once_share_the_script) {
  constexpr int count = 200;
  std::vector<model_outcome> script;
  script.reserve(count);
  for (int i = 0; i < count; ++i)
    script.emplace_back(says(std::to_string(i)));
  const auto m = scripted(script);
  std::atomic<int> answered{0};
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < count / 4; ++i)
        m->complete({}, {}, [&](const model_outcome& o) {
          answered += std::holds_alternative<model_reply>(o) ? 1 : 0;
        });
    });
  for (auto& t : threads)
    t.join();
  BOOST_TEST(answered == count);
  BOOST_TEST(m->remaining() == 0u);
}

BOOST_AUTO_TEST_CASE(a_function_is_a_model_and_its_exception_a_failure) {
  const auto m = function_model([](const model_request& r) -> model_outcome {
    if (r.idempotency_key.empty())
      throw std::runtime_error{"no key"};
    return says(r.idempotency_key);
  });
  BOOST_TEST(
    (reply_in(ask(*m, "k")).parts == std::vector<part>{text_part{"k"}}));
  const auto failure = failure_in(ask(*m));
  BOOST_TEST(failure.error.detail.find("no key") != std::string::npos);
  BOOST_TEST(!failure.retryable);
}

BOOST_AUTO_TEST_CASE(what_is_left_of_a_script_is_named) {
  const auto m = scripted({says("hi"), calls({{"add"}, {"list"}}, "wait"),
                           fails(errc::unavailable, true)},
                          "m");
  ask(*m);

  BOOST_TEST(m->unused()
               == (std::vector<std::string>{
                 "reply 2: says \"wait\", calls add, calls list",
                 "reply 3: fails with unavailable"}),
             boost::test_tools::per_element());
  BOOST_CHECK_EXCEPTION(m->expect_all_used(), failure, [](const failure& e) {
    return e.error().detail
           == "of the script of model m nobody asked for reply 2: says "
              "\"wait\", calls add, calls list; reply 3: fails with "
              "unavailable";
  });
  ask(*m);
  ask(*m);
  m->expect_all_used();
  ask(*m);
  BOOST_CHECK_EXCEPTION(m->expect_all_used(), failure, [](const failure& e) {
    return e.error().detail
           == "the model m was asked 4 times, but its script has 3 replies";
  });
}

BOOST_AUTO_TEST_CASE(a_script_by_turn_answers_a_turn_as_often_as_it_is_asked) {
  const auto m = model_by_turn({calls({{"add"}}), says("done")});
  const auto ask_after = [&](std::size_t turns) {
    conversation so_far{said(role::user, {text_part{"go"}})};
    for (std::size_t i = 0; i < turns; ++i)
      so_far.push_back(said(role::assistant, {text_part{"x"}}));
    model_outcome out;
    m->complete({{}, so_far, "k"}, {},
                [&](model_outcome o) { out = std::move(o); });
    return out;
  };

  for (int i = 0; i < 2; ++i) {
    BOOST_CHECK(reply_in(ask_after(0)) == calls({{"add"}}));
    BOOST_CHECK(reply_in(ask_after(1)) == says("done"));
  }
  BOOST_CHECK(failure_in(ask_after(2)).error.code == errc::refused);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
