/// Calls of tools on real threads.

#include <kestrion/kestrion.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <barrier>
#include <condition_variable>
#include <mutex>
#include <set>

using namespace kestrion;
using namespace std::chrono_literals;

namespace tool_pool_test {

/// Something that one thread says and others wait for.
class sign {
public:
  void give() {
    const std::lock_guard lock{mutex_};
    given_ = true;
    changed_.notify_all();
  }
  /// @returns Whether it was given in time.
  bool wait() {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, 30s, [&] { return given_; });
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool given_ = false;
};

/// Asks for `wanted` at once, then is done.
model_ptr asks_once(std::vector<scripted_call> wanted) {
  return function_model(
    [wanted = std::move(wanted)](const model_request& r) -> model_outcome {
      return r.conversation.size() == 1 ? calls(wanted) : says("done");
    });
}

/// Wants to work three times at once, but may only once; each call works until
/// it is asked to stop.
agent until_stopped(sign& entered, int& runs) {
  return agent{"subject"}
    .model(asks_once({{"work"}, {"work"}, {"work"}}))
    .tool(
      "work", "Works until it is asked to stop.",
      [&](const tool_context& c) {
        sign stopped;
        const std::stop_callback ask{c.stop, [&] {
                                       stopped.give();
                                     }};
        ++runs;
        entered.give();
        stopped.wait();
      },
      concurrency{1});
}

} // namespace tool_pool_test

BOOST_AUTO_TEST_SUITE(tool_pool_test)

BOOST_AUTO_TEST_CASE(so_many_calls_at_once_over_all_runs_and_no_more) {
  constexpr int runs_count = 8;
  std::mutex mutex;
  int inside = 0;
  int most = 0;
  std::barrier pair{2}; // Each waits for another: there are two at once.
  agent a{"pairs"};
  a.model(asks_once({{"meet"}, {"meet"}, {"meet"}}))
    .tool(
      "meet", "Meets.",
      [&] {
        {
          const std::lock_guard lock{mutex};
          most = std::max(most, ++inside);
        }
        pair.arrive_and_wait();
        const std::lock_guard lock{mutex};
        --inside;
      },
      concurrency{2});
  runtime rt{{.store = "memory:"}, {a}};
  std::vector<run> runs;
  runs.reserve(runs_count);
  for (int i = 0; i < runs_count; ++i)
    runs.push_back(rt.start("pairs", "Go."));
  for (const auto& r : runs)
    BOOST_CHECK(r.wait().status == run_status::completed);
  BOOST_CHECK_EQUAL(most, 2);
}

BOOST_AUTO_TEST_CASE(who_waits_holds_no_thread) {
  sign quick_ran;
  agent a{"one_by_one"};
  a.model(asks_once({{"slow"}, {"slow"}, {"slow"}, {"quick"}}))
    .tool(
      "slow", "Waits.",
      [&] { return quick_ran.wait() ? "in time" : "nobody came"; },
      concurrency{1})
    .tool("quick", "Does not.", [&] { quick_ran.give(); });
  runtime rt{{.store = "memory:", .tool_threads_max = 2}, {a}};
  const auto id = rt.start("one_by_one", "Go.").wait().id;
  std::multiset<std::string> results;
  for (const auto& e : rt.events(id))
    if (const auto* x = std::get_if<tool_call_completed>(&e.event))
      results.insert(x->content);
  BOOST_CHECK_EQUAL(results.count("in time"), 3u);
}

BOOST_AUTO_TEST_CASE(who_is_cancelled_while_it_waits_never_runs) {
  sign entered;
  sign leave;
  std::mutex mutex;
  std::set<std::string> ran;
  agent a{"subject"};
  a.model(asks_once({{"work"}}))
    .tool(
      "work", "Works.",
      [&](const tool_context& c) {
        {
          const std::lock_guard lock{mutex};
          ran.insert(c.run.str());
        }
        entered.give();
        leave.wait();
      },
      concurrency{1});
  runtime rt{{.store = "memory:"}, {a}};
  const auto first = rt.start("subject", "Go.");
  BOOST_REQUIRE(entered.wait());
  const auto second = rt.start("subject", "Go.");
  const auto third = rt.start("subject", "Go.");
  rt.cancel(second.id(), "ana", "enough");
  BOOST_CHECK(second.wait().status == run_status::cancelled);
  leave.give();
  BOOST_CHECK(first.wait().status == run_status::completed);
  BOOST_CHECK(third.wait().status == run_status::completed);
  const std::set<std::string> expected{first.id().str(), third.id().str()};
  BOOST_CHECK(ran == expected);
}

BOOST_AUTO_TEST_CASE(of_a_cancelled_batch_no_call_begins_in_place_of_another) {
  sign entered;
  int runs = 0;
  {
    runtime rt{{.store = "memory:"}, {until_stopped(entered, runs)}};
    const auto r = rt.start("subject", "Go.");
    BOOST_REQUIRE(entered.wait());
    rt.cancel(r.id(), "ana", "enough");
    BOOST_CHECK(r.wait().status == run_status::cancelled);
  }
  BOOST_CHECK_EQUAL(runs, 1);
}

BOOST_AUTO_TEST_CASE(a_runtime_ends_while_calls_wait) {
  sign entered;
  int runs = 0;
  {
    runtime rt{{.store = "memory:"}, {until_stopped(entered, runs)}};
    rt.start("subject", "Go.");
    BOOST_REQUIRE(entered.wait());
  }
  BOOST_CHECK_EQUAL(runs, 1);
}

BOOST_AUTO_TEST_CASE(a_timed_out_attempt_is_tried_again_on_another_thread) {
  sign second_ran;
  agent a{"subject"};
  a.model(asks_once({{"work"}}))
    .tool(
      "work", "Hangs at first.",
      [&](const tool_context& c) {
        if (c.attempt == 1)
          second_ran.wait();
        else
          second_ran.give();
        return "attempt " + std::to_string(c.attempt);
      },
      timeout{50ms}, attempts(100).backoff(1ms, 1ms));
  runtime rt{{.store = "memory:", .tool_threads_max = 1}, {a}};
  const auto r = rt.start("subject", "Go.").wait();
  BOOST_CHECK(r.status == run_status::completed);
  std::vector<std::string> log;
  for (const auto& e : rt.events(r.id))
    log.emplace_back(tag_of(e.event));
  // More than one if the machine is busy.
  BOOST_CHECK_GE(std::count(log.begin(), log.end(), "tool_attempt_failed"), 1);
  BOOST_CHECK_EQUAL(std::count(log.begin(), log.end(), "tool_call_completed"),
                    1);
}

BOOST_AUTO_TEST_SUITE_END()
