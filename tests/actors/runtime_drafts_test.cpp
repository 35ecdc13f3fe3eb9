/// Drafts as a program sees them: the runtime with its own threads, and servers
/// that stream over real connections.

#include <kestrion/kestrion.hpp>
#include <kestrion/tests/support/check_lines.hpp>
#include <kestrion/tests/support/draft_album.hpp>
#include <kestrion/tests/support/http_calls.hpp>
#include <kestrion/tests/support/loopback_server.hpp>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

namespace kestrion::test {

namespace runtime_drafts_test {

// -- a server that streams ----------------------------------------------------

std::string chunk(const std::string& bytes) {
  std::ostringstream size;
  size << std::hex << bytes.size();
  return size.str() + "\r\n" + bytes + "\r\n";
}

std::string head() {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
         "Transfer-Encoding: chunked\r\n\r\n"
         + chunk(
           "data: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\","
           "\"model\":\"claude-sonnet-4-6\",\"content\":[],"
           "\"usage\":{\"input_tokens\":3,\"output_tokens\":1}}}\n\n"
           "data: {\"type\":\"content_block_start\",\"index\":0,"
           "\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n");
}

std::string words(const std::string& text) {
  return chunk("data: {\"type\":\"content_block_delta\",\"index\":0,"
               "\"delta\":{\"type\":\"text_delta\",\"text\":\""
               + text + "\"}}\n\n");
}

std::string tail() {
  return chunk("data: {\"type\":\"content_block_stop\",\"index\":0}\n\n"
               "data: {\"type\":\"message_delta\",\"delta\":"
               "{\"stop_reason\":\"end_turn\"},"
               "\"usage\":{\"output_tokens\":2}}\n\n"
               "data: {\"type\":\"message_stop\"}\n\n")
         + "0\r\n\r\n";
}

agent poet(const loopback_server& server) {
  agent a{"poet"};
  a.model(anthropic({.model = "claude-sonnet-4-6",
                     .base_url = server.url(),
                     .api_key = "k-123456"}))
    .streams();
  return a;
}

// -- a model that speaks when it may ------------------------------------------

/// Says "Roses ", and what it is told.
class shy_model final : public model {
public:
  std::string name() const override { return "shy"; }
  std::optional<model_price> price() const override { return {}; }
  void complete(model_request, std::stop_token, model_callback) override {
    throw std::logic_error{"nobody sees this"};
  }
  void stream(model_request, std::stop_token, delta_sink on_delta,
              model_callback done) override {
    on_delta({delta_kind::text, 0, 0, "Roses "});
    calls_.set_value({std::move(on_delta), std::move(done)});
  }

  struct call {
    delta_sink say;
    model_callback done;
  };
  /// Blocks until it is called.
  call wait_for_call() { return calls_.get_future().get(); }

private:
  std::promise<call> calls_;
};

/// What a callback saw, for the thread of the test.
class watcher {
public:
  void add(draft_update x) {
    const std::lock_guard lock{mutex_};
    updates_.push_back(std::move(x));
    changed_.notify_all();
  }

  /// Blocks until that much text of the last draft was seen.
  void wait_for(const std::string& text) {
    std::unique_lock lock{mutex_};
    const bool seen = changed_.wait_for(lock, hang, [&] {
      std::string now;
      for (const auto& x : updates_)
        now = x.draft == updates_.back().draft ? now + text_of(x) : "";
      return now == text;
    });
    BOOST_REQUIRE(seen);
  }

  std::vector<std::string> lines() {
    const std::lock_guard lock{mutex_};
    draft_album album;
    for (const auto& x : updates_)
      album.add(x);
    return album.lines();
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<draft_update> updates_;
};

} // namespace runtime_drafts_test

BOOST_AUTO_TEST_SUITE(runtime_drafts_test)

// -- over connections ---------------------------------------------------------

BOOST_AUTO_TEST_CASE(words_are_seen_before_the_server_has_said_all) {
  std::promise<void> is_watched;
  std::promise<void> was_seen;
  loopback_server server{[&](loopback_connection& c) {
    c.read_request();
    is_watched.get_future().wait();
    c.write(head() + words("Roses "));
    was_seen.get_future().wait(); // Else it would wait for ever.
    c.write(words("are ") + words("red.") + tail());
    c.wait_for_close();
  }};
  runtime rt{{.store = "memory:"}, {poet(server)}};
  const auto run = rt.start("poet", "Go on.");
  watcher called;
  const auto watching =
    rt.watch_drafts(run.id(), [&](const draft_update& x) { called.add(x); });
  draft_album looped;
  auto drafts = run.drafts();
  is_watched.set_value();
  for (const auto& x : drafts) {
    looped.add(x);
    if (looped.drafts().back().text() == "Roses " && !x.pieces.empty()) {
      called.wait_for("Roses ");
      was_seen.set_value();
    }
  }
  BOOST_TEST(run.wait().output == "Roses are red.");
  CHECK_LINES(looped.lines(), "m1 1 completed: Roses are red.");
  called.wait_for("Roses are red.");
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_cut_is_dropped_and_made_again) {
  loopback_server server{[&](loopback_connection& c) {
    c.read_request();
    if (c.index() == 0) {
      c.write(head() + words("Roses "));
      return; // The connection is cut.
    }
    c.write(head() + words("Violets ") + words("are blue.") + tail());
    c.wait_for_close();
  }};
  runtime rt{{.store = "memory:"}, {poet(server)}};
  const auto run = rt.start("poet", "Go on.");
  draft_album looped;
  for (const auto& x : run.drafts())
    looped.add(x);
  BOOST_TEST(run.wait().output == "Violets are blue.");
  // The first may have been over before anybody looked.
  const auto lines = looped.lines();
  BOOST_REQUIRE(!lines.empty());
  BOOST_TEST(lines.back() == "m1 2 completed: Violets are blue.");
  if (lines.size() == 2)
    BOOST_TEST(lines.front() == "m1 1 dropped: Roses ");
}

// -- loops and callbacks ------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_loop_ends_when_a_person_is_needed_and_begins_again) {
  agent a{"poet"};
  a.model(scripted({calls({{"publish"}}, "I publish it."), says("Done.")}))
    .tool(
      "publish", "Publishes.", [] { return "ran"; }, requires_approval{})
    .streams();
  runtime rt{{.store = "memory:"}, {a}};
  const auto run = rt.start("poet", "Go on.");
  for (const auto& x : run.drafts())
    BOOST_TEST(x.call == "m1");
  BOOST_TEST((run.result().status == run_status::waiting_on_human));
  auto drafts = run.drafts();
  BOOST_TEST(!drafts.next()); // It still waits.
  rt.approve(run.id(), {.by = "ana"});
  for (const auto& x : run.drafts())
    BOOST_TEST(x.call == "m2");
  BOOST_TEST(run.wait().output == "Done.");
}

BOOST_AUTO_TEST_CASE(who_leaves_early_hinders_nobody) {
  const auto m = std::make_shared<shy_model>();
  agent a{"poet"};
  a.model(m).streams();
  runtime rt{{.store = "memory:"}, {a}};
  const auto run = rt.start("poet", "Go on.");
  const auto call = m->wait_for_call();
  for (const auto& x : run.drafts()) {
    BOOST_TEST(text_of(x) == "Roses ");
    break;
  }
  std::atomic<int> calls{0};
  auto ends = rt.watch_drafts(run.id(), [&](const draft_update&) { ++calls; });
  auto throws = rt.watch_drafts(run.id(), [](const draft_update&) {
    throw std::runtime_error{"I saw enough"};
  });
  watcher stays;
  const auto watching =
    rt.watch_drafts(run.id(), [&](const draft_update& x) { stays.add(x); });
  stays.wait_for("Roses ");
  ends.reset();
  const int before = calls;
  call.say({delta_kind::text, 0, 0, "are red."});
  stays.wait_for("Roses are red.");
  call.done(says("Roses are red."));
  BOOST_TEST(run.wait().output == "Roses are red.");
  BOOST_TEST(calls == before);
}

BOOST_AUTO_TEST_CASE(a_loop_that_blocks_hears_that_the_runtime_stops) {
  const auto m = std::make_shared<shy_model>();
  agent a{"poet"};
  a.model(m).streams();
  std::promise<void> loops;
  std::future<errc> ended;
  {
    runtime rt{{.store = "memory:"}, {a}};
    const auto run = rt.start("poet", "Go on.");
    const auto call = m->wait_for_call();
    ended =
      std::async(std::launch::async, [&loops, drafts = run.drafts()]() mutable {
        try {
          for (const auto& x : drafts)
            if (x.state == draft_state::growing)
              loops.set_value();
        } catch (const failure& e) {
          return e.code();
        }
        return errc::ok;
      });
    loops.get_future().wait();
  }
  BOOST_TEST((ended.get() == errc::unavailable));
}

BOOST_AUTO_TEST_CASE(a_run_that_is_not_there_has_no_drafts_to_watch) {
  agent a{"poet"};
  a.model(scripted({})).streams();
  runtime rt{{.store = "memory:"}, {a}};
  try {
    rt.watch_drafts(run_id::make(timestamp{}, 1, 2),
                    [](const draft_update&) {});
    BOOST_ERROR("it was watched");
  } catch (const failure& e) {
    BOOST_TEST((e.code() == errc::not_found));
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
