/// Tool calls as users declare them, in a process of simulated threads: how
/// they wait, are timed, tried again and taken over by another life.

#include <kestrion/tests/support/check_lines.hpp>
#include <kestrion/tests/support/family.hpp>

#include <stdexcept>

using namespace kestrion;
using namespace kestrion::test;
using namespace std::chrono_literals;

namespace tool_call_test {

/// Asks for these tools at once, then is done.
model_ptr asks_once(const std::vector<scripted_call>& wanted) {
  return by_turn({calls(wanted), says("done")});
}

struct count_to {
  int value;
};
BOOST_DESCRIBE_STRUCT(count_to, (), (value))

scripted_call numbered(const std::string& tool, int value) {
  return {tool, "{\"value\":" + std::to_string(value) + "}"};
}

/// What its tools did, in order, and across crashes.
struct tool_story : family {
  std::vector<std::string> done;

  /// A tool that says what it was called with, after failing `failures` times.
  template <class... Options>
  agent flaky(int failures, Options... options) {
    return agent{"lead"}
      .model(asks_once({numbered("send", 1)}))
      .tool(
        "send", "Sends.",
        [this, failures](const count_to& x, const tool_context& c) {
          BOOST_CHECK(c.idempotency_key.ends_with("/c1.0"));
          done.push_back(std::to_string(x.value) + " at attempt "
                         + std::to_string(c.attempt));
          if (static_cast<int>(done.size()) <= failures)
            throw std::runtime_error("busy");
          return std::string{"sent"};
        },
        options...);
  }

  /// A run whose process ends while its tool runs.
  run_id dies_in_its_tool(const agent& a) {
    boot({a});
    process->hold_tools(true);
    const auto id = start();
    boot({a}, 2);
    process->settle();
    return id;
  }

  std::string result_of_tool(const run_id& id) {
    const auto all = results(id);
    BOOST_REQUIRE_EQUAL(all.size(), 1u);
    return (all[0].is_error ? "error: " : "") + all[0].content;
  }
};

} // namespace tool_call_test

BOOST_FIXTURE_TEST_SUITE(tool_call_test, tool_story)

BOOST_AUTO_TEST_CASE(a_call_that_waits_for_a_thread_is_not_run_after_a_cancel) {
  int runs = 0;
  agent a{"lead"};
  a.model(asks_once({{"count"}})).tool("count", "Counts.", [&] { ++runs; });
  boot({a});
  process->hold_tools(true);
  const auto id = start();
  BOOST_REQUIRE(tell(id, stop));
  process->hold_tools(false);
  process->settle();
  BOOST_CHECK_EQUAL(status(id), run_status::cancelled);
  BOOST_CHECK_EQUAL(runs, 0);
}

BOOST_AUTO_TEST_CASE(a_call_whose_time_was_up_before_it_ran_is_not_run) {
  int runs = 0;
  agent a{"lead"};
  a.model(asks_once({{"count"}}))
    .tool(
      "count", "Counts.", [&] { ++runs; }, timeout{5s});
  boot({a});
  process->hold_tools(true);
  const auto id = start();
  process->advance(6s);
  process->hold_tools(false);
  process->settle();
  check_error_result(id, "within 5000 ms");
  BOOST_CHECK_EQUAL(runs, 0);
}

// -- attempts -----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_tool_that_fails_is_tried_again_when_its_time_has_come) {
  boot({flaky(2, attempts(3))});
  const auto id = start();
  CHECK_LINES(done, "1 at attempt 1");
  process->advance(370ms);
  CHECK_LINES(done, "1 at attempt 1");
  process->advance(130ms);
  CHECK_LINES(done, "1 at attempt 1", "1 at attempt 2");
  process->advance(1s);
  CHECK_LINES(done, "1 at attempt 1", "1 at attempt 2", "1 at attempt 3");
  BOOST_CHECK_EQUAL(status(id), run_status::completed);
  BOOST_CHECK_EQUAL(result_of_tool(id), "sent");
}

BOOST_AUTO_TEST_CASE(after_the_last_attempt_the_model_reads_the_error) {
  boot({flaky(9, attempts(2))});
  const auto id = start();
  process->advance(1min);
  BOOST_CHECK_EQUAL(done.size(), 2u);
  BOOST_CHECK_EQUAL(result_of_tool(id), "error: busy");
}

BOOST_AUTO_TEST_CASE(a_wait_for_the_next_attempt_outlives_the_process) {
  const auto a = flaky(1, attempts(2).backoff(10s, 10s));
  boot({a});
  const auto id = start();
  const auto began = process->now();
  boot({a}, 2, began + 3s);
  process->advance(4s);
  BOOST_CHECK_EQUAL(done.size(), 1u);
  process->advance(4s);
  CHECK_LINES(done, "1 at attempt 1", "1 at attempt 2");
  BOOST_CHECK_EQUAL(result_of_tool(id), "sent");
}

BOOST_AUTO_TEST_CASE(a_cancel_while_it_waits_for_its_next_attempt_ends_it) {
  boot({flaky(1, attempts(2))});
  const auto id = start();
  BOOST_REQUIRE(tell(id, stop));
  process->advance(1min);
  BOOST_CHECK_EQUAL(status(id), run_status::cancelled);
  BOOST_CHECK_EQUAL(done.size(), 1u);
}

BOOST_AUTO_TEST_CASE(a_tool_says_which_errors_will_not_pass) {
  int tries = 0;
  const auto tries_of = [&](auto code) {
    tries = 0;
    agent a{"lead"};
    a.model(asks_once({{"work"}})).tool("work", "Works.", code, attempts(2));
    disk = open_store("memory:").value();
    boot({a});
    start();
    process->advance(1s);
    return tries;
  };
  BOOST_CHECK_EQUAL(tries_of([&] {
                      ++tries;
                      throw permanent_failure{"no such file"};
                    }),
                    1);
  BOOST_CHECK_EQUAL(tries_of([&]() -> result<std::string> {
                      ++tries;
                      return error{errc::not_found, "no such file"};
                    }),
                    1);
  BOOST_CHECK_EQUAL(tries_of([&]() -> result<std::string> {
                      ++tries;
                      return error{errc::unavailable, "busy"};
                    }),
                    2);
  BOOST_CHECK_EQUAL(tries_of([&] {
                      ++tries;
                      throw failure{{errc::forbidden, "not you"}};
                    }),
                    1);
  BOOST_CHECK_EQUAL(tries_of([&] {
                      ++tries;
                      throw failure{{errc::io, "cut off"}};
                    }),
                    2);
}

BOOST_AUTO_TEST_CASE(a_probe_is_asked_before_the_next_attempt) {
  boot({flaky(1, attempts(3), probe_with{[](const count_to&) {
                return std::optional<std::string>{"it was sent"};
              }})});
  const auto id = start();
  process->advance(1s);
  BOOST_CHECK_EQUAL(done.size(), 1u);
  BOOST_CHECK_EQUAL(result_of_tool(id), "it was sent");
}

BOOST_AUTO_TEST_CASE(an_attempt_that_takes_too_long_is_followed_by_the_next) {
  boot({flaky(0, timeout{5s}, attempts(2))});
  process->hold_tools(true);
  const auto id = start();
  process->advance(5100ms);
  process->hold_tools(false);
  process->advance(1s);
  CHECK_LINES(done, "1 at attempt 2");
  BOOST_CHECK_EQUAL(result_of_tool(id), "sent");
}

// -- a crash while the tool runs ----------------------------------------------

BOOST_AUTO_TEST_CASE(pure_and_idempotent_tools_run_again) {
  for (auto contract : {effect_contract::pure, effect_contract::idempotent}) {
    disk = open_store("memory:").value();
    done.clear();
    const auto id = dies_in_its_tool(flaky(0, contract));
    CHECK_LINES(done, "1 at attempt 1");
    BOOST_CHECK_EQUAL(result_of_tool(id), "sent");
  }
}

BOOST_AUTO_TEST_CASE(a_probe_decides_whether_the_tool_runs_again) {
  for (bool happened : {true, false}) {
    disk = open_store("memory:").value();
    done.clear();
    const auto id = dies_in_its_tool(flaky(
      0, probe_with{[&](const count_to&) {
        return happened ? std::optional<std::string>{"found"} : std::nullopt;
      }}));
    BOOST_CHECK_EQUAL(result_of_tool(id), happened ? "found" : "sent");
    BOOST_CHECK_EQUAL(done.size(), happened ? 0u : 1u);
  }
}

BOOST_AUTO_TEST_CASE(what_runs_once_waits_for_a_person_who_has_three_answers) {
  const auto doubt = [&] {
    disk = open_store("memory:").value();
    done.clear();
    const auto id = dies_in_its_tool(flaky(0, effect_contract::once));
    BOOST_CHECK_EQUAL(status(id), run_status::waiting_on_human);
    const auto r = wait(id);
    BOOST_REQUIRE_EQUAL(r.in_doubt.size(), 1u);
    BOOST_CHECK_EQUAL(r.in_doubt[0].tool, "send");
    return id;
  };
  const auto say = [&](const run_id& id, doubt_answer answer) {
    BOOST_REQUIRE(tell(
      id, resolve_doubt{{.answer = answer, .by = "ana", .content = "ok"}, {}}));
    process->settle();
    BOOST_CHECK_EQUAL(status(id), run_status::completed);
  };
  auto id = doubt();
  say(id, doubt_answer::happened);
  BOOST_CHECK_EQUAL(result_of_tool(id), "ok");
  BOOST_CHECK(done.empty());
  id = doubt();
  say(id, doubt_answer::did_not_happen);
  BOOST_CHECK_EQUAL(result_of_tool(id),
                    "error: The call was interrupted and did not happen.");
  BOOST_CHECK(done.empty());
  id = doubt();
  say(id, doubt_answer::run_again);
  BOOST_CHECK_EQUAL(result_of_tool(id), "sent");
  CHECK_LINES(done, "1 at attempt 2");
}

// -- concurrency --------------------------------------------------------------

namespace {

/// `count` runs want the tool once each; `held` of them have a thread.
struct queue_story : tool_story {
  std::vector<run_id> runs;

  void open(int count, std::int64_t at_once) {
    agent a{"lead"};
    a.model(asks_once({{"work"}}))
      .tool(
        "work", "Works.",
        [this](const tool_context& c) {
          const auto run = std::find(runs.begin(), runs.end(), c.run);
          done.push_back(std::to_string(run - runs.begin()));
        },
        concurrency{at_once}, timeout{5s});
    boot({a});
    process->hold_tools(true);
    for (int i = 0; i < count; ++i)
      runs.push_back(start());
  }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(calls_of_a_tool_take_their_turns_in_order,
                        queue_story) {
  open(6, 1);
  BOOST_CHECK_EQUAL(process->tools_at_work(), 1u);
  process->hold_tools(false);
  process->settle();
  CHECK_LINES(done, "0", "1", "2", "3", "4", "5");
}

BOOST_FIXTURE_TEST_CASE(only_so_many_have_a_thread, queue_story) {
  open(6, 4);
  BOOST_CHECK_EQUAL(process->tools_at_work(), 4u);
  process->hold_tools(false);
  process->settle();
  BOOST_CHECK_EQUAL(done.size(), 6u);
  for (const auto& id : runs)
    BOOST_CHECK_EQUAL(status(id), run_status::completed);
}

BOOST_FIXTURE_TEST_CASE(who_is_cancelled_leaves_the_queue_at_once,
                        queue_story) {
  open(3, 1);
  BOOST_REQUIRE(tell(runs[1], stop));
  process->hold_tools(false);
  process->settle();
  CHECK_LINES(done, "0", "2");
}

BOOST_FIXTURE_TEST_CASE(the_time_of_a_call_begins_when_its_turn_comes,
                        queue_story) {
  open(2, 1);
  process->advance(6s);
  check_error_result(runs[0], "within 5000 ms");
  BOOST_CHECK_EQUAL(status(runs[1]), run_status::running);
  // The code of the first has not returned, so it is still the only one.
  BOOST_CHECK_EQUAL(process->tools_at_work(), 1u);
  process->run_tool();
  BOOST_CHECK_EQUAL(process->tools_at_work(), 1u);
  process->advance(4s);
  BOOST_CHECK_EQUAL(status(runs[1]), run_status::running);
  process->advance(2s);
  check_error_result(runs[1], "within 5000 ms");
}

BOOST_FIXTURE_TEST_CASE(what_waits_when_the_process_ends_runs_in_the_next,
                        queue_story) {
  open(3, 1);
  const auto ids = runs;
  agent again{"lead"};
  again.model(asks_once({{"work"}})).tool("work", "Works.", [] {});
  boot({again}, 2);
  process->settle();
  BOOST_CHECK(done.empty());
  for (const auto& id : ids)
    BOOST_CHECK_EQUAL(status(id), run_status::completed);
}

BOOST_AUTO_TEST_SUITE_END()
