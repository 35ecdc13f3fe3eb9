#include <boost/test/unit_test.hpp>

#include <kestrion/tests/support/check_lines.hpp>
#include <kestrion/tests/support/machine_dsl.hpp>

/// Another model takes over when one is out.
using namespace kestrion;
using namespace std::chrono_literals;
using test::machine_story;

namespace run_machine_fallback_test {

/// Models "scripted", "second" and "third".
agent_definition agent_with_fallbacks() {
  auto a = test::ops_agent();
  a.fallbacks = {{"second", model_price{3'000'000, 0, 0, 0}}, {"third", {}}};
  return prepare(std::move(a)).value();
}

struct fallbacks : machine_story {
  fallbacks() : machine_story(agent_with_fallbacks()) {}

  /// The open call moves on to the model at the next place.
  void is_switched(errc code = errc::quota_exhausted) {
    model_fails(code, false);
    BOOST_REQUIRE_NO_THROW(decided<model_switched>());
  }

  std::string call_owed() const { return owes().at(0); }
};

} // namespace run_machine_fallback_test

BOOST_FIXTURE_TEST_SUITE(run_machine_fallback_test, fallbacks)

BOOST_AUTO_TEST_CASE(after_two_attempts_the_next_model_takes_over_at_once) {
  starts();
  model_fails(errc::unavailable);
  CHECK_LINES(events(), "model_call_failed m1 unavailable 1");
  BOOST_CHECK_EQUAL(call_owed(), "call_model m1 2 2026-01-02T00:00:00.500000Z");
  passes(1s);
  model_fails(errc::unavailable);
  CHECK_LINES(events(), "model_call_failed m1 unavailable 2",
              "model_switched m1 scripted -> second unavailable");
  BOOST_CHECK(decided<model_call_failed>().retry_at.value() == now);
  BOOST_CHECK_EQUAL(decided<model_switched>().place, 1);
  BOOST_CHECK(decided<model_switched>().until == now + 1min);
  BOOST_CHECK_EQUAL(call_owed(),
                    "call_model m1 3 2026-01-02T00:00:01.000000Z place 1");
  model_says("done");
  BOOST_CHECK(status() == run_status::completed);
}

BOOST_AUTO_TEST_CASE(what_waiting_does_not_help_switches_at_once) {
  starts();
  model_fails(errc::quota_exhausted, false);
  CHECK_LINES(events(), "model_call_failed m1 quota_exhausted 1",
              "model_switched m1 scripted -> second quota_exhausted");
  model_fails(errc::unsupported, false); // Images, say.
  CHECK_LINES(events(), "model_call_failed m1 unsupported 2",
              "model_switched m1 second -> third unsupported");
  BOOST_CHECK(decided<model_switched>().until == now + 1min);
  BOOST_CHECK(status() == run_status::running);
}

BOOST_AUTO_TEST_CASE(a_long_wait_is_not_waited_for) {
  starts();
  model_fails(errc::rate_limited, true, 5s);
  CHECK_LINES(events(), "model_call_failed m1 rate_limited 1");
  passes(5s);
  model_fails(errc::rate_limited, true, 90s);
  CHECK_LINES(events(), "model_call_failed m1 rate_limited 2",
              "model_switched m1 scripted -> second rate_limited");
  // The server knows better than we when it is back.
  BOOST_CHECK(decided<model_switched>().until == now + 90s);
  model_fails(errc::rate_limited, true, 6s);
  CHECK_LINES(events(), "model_call_failed m1 rate_limited 3",
              "model_switched m1 second -> third rate_limited");
}

BOOST_AUTO_TEST_CASE(a_mistake_is_no_reason_for_another_model) {
  for (const auto code : {errc::unauthenticated, errc::invalid_argument,
                          errc::refused, errc::limit_exceeded, errc::corrupt}) {
    fallbacks story;
    story.starts();
    story.model_fails(code, false);
    BOOST_CHECK_EQUAL(story.events().size(), 2u);
    BOOST_CHECK(story.status() == run_status::failed);
    BOOST_CHECK_EQUAL(story.state.progress.code, to_string(code));
  }
}

BOOST_AUTO_TEST_CASE(the_last_model_gets_all_the_attempts_there_are) {
  starts();
  is_switched();
  is_switched();
  for (int n = 1; n < 6; ++n) {
    model_fails(errc::unavailable);
    BOOST_REQUIRE_EQUAL(events().size(), 1u);
    BOOST_CHECK(status() == run_status::running);
  }
  model_fails(errc::unavailable);
  CHECK_LINES(events(), "model_call_failed m1 unavailable 8",
              "run_failed unavailable");
  BOOST_CHECK_EQUAL(state.progress.reason, "model call m1 failed at attempt 8: "
                                           "the vendor says no");
}

BOOST_AUTO_TEST_CASE(calls_that_follow_soon_go_to_the_model_that_works) {
  starts();
  is_switched();
  model_calls({{"look", "{}"}});
  passes(59s);
  tool_returns("c1.0", "seen");
  BOOST_CHECK_EQUAL(call_owed(), "call_model m2 1 place 1");
  model_calls({{"look", "{}"}});
  passes(1s);
  tool_returns("c2.0", "seen");
  BOOST_CHECK_EQUAL(call_owed(), "call_model m3 1"); // The first, again.
}

BOOST_AUTO_TEST_CASE(a_model_that_is_still_out_is_left_alone_for_longer) {
  agent.limits.turns_max = 1'000;
  starts();
  is_switched(errc::unavailable);
  auto rest = 1min;
  for (int turn = 1; turn < 9; ++turn) {
    model_calls({{"look", "{}"}});
    passes(rest);
    tool_returns("c" + std::to_string(turn) + ".0", "seen");
    model_fails(errc::unavailable); // One attempt is enough to see it.
    rest = std::min(2 * rest, 30min);
    BOOST_CHECK(decided<model_switched>().until == now + rest);
  }
}

BOOST_AUTO_TEST_CASE(a_model_that_is_back_is_trusted_again) {
  starts();
  is_switched();
  model_calls({{"look", "{}"}});
  passes(1min);
  tool_returns("c1.0", "seen");
  model_calls({{"look", "{}"}}); // By the first.
  BOOST_CHECK(!state.progress.detour);
  tool_returns("c2.0", "seen");
  model_fails(errc::unavailable);
  CHECK_LINES(events(), "model_call_failed m3 unavailable 1");
  model_fails(errc::unavailable);
  BOOST_CHECK(decided<model_switched>().until == now + 1min);
}

BOOST_AUTO_TEST_CASE(a_call_that_began_with_another_has_the_first_left) {
  starts();
  is_switched();
  model_calls({{"look", "{}"}});
  tool_returns("c1.0", "seen");
  BOOST_CHECK_EQUAL(call_owed(), "call_model m2 1 place 1");
  is_switched();
  CHECK_LINES(events(), "model_call_failed m2 quota_exhausted 1",
              "model_switched m2 second -> third quota_exhausted");
  is_switched();
  CHECK_LINES(events(), "model_call_failed m2 quota_exhausted 2",
              "model_switched m2 third -> scripted quota_exhausted");
  model_fails(errc::quota_exhausted, false);
  BOOST_CHECK(status() == run_status::failed);
}

BOOST_AUTO_TEST_CASE(what_is_lost_costs_as_much_as_the_model_that_made_it) {
  starts(user_message(std::string(4'000, 'x'))); // 1,000 tokens, $1 each.
  recovers();
  BOOST_CHECK_EQUAL(decided<run_recovered>().lost_usd_micros_estimate, 1'000);
  is_switched();
  recovers();
  BOOST_CHECK_EQUAL(decided<run_recovered>().lost_usd_micros_estimate, 3'000);
  BOOST_CHECK_EQUAL(call_owed(),
                    "call_model m1 2 2026-01-02T00:00:00.000000Z place 1");
  is_switched();
  is_told("Hurry.", true);
  BOOST_CHECK_EQUAL(decided<model_call_interrupted>().lost_usd_micros_estimate,
                    0); // Nobody knows.
  BOOST_CHECK_EQUAL(call_owed(),
                    "call_model m1 4 2026-01-02T00:00:00.000000Z place 2");
}

BOOST_AUTO_TEST_CASE(a_list_that_became_shorter_does_no_harm) {
  starts();
  is_switched();
  is_switched();
  agent.fallbacks.clear();
  recovers();
  BOOST_CHECK_EQUAL(decided<run_recovered>().lost_usd_micros_estimate, 0);
  model_fails(errc::quota_exhausted, false);
  CHECK_LINES(events(), "model_call_failed m1 quota_exhausted 3",
              "run_failed quota_exhausted");
}

BOOST_AUTO_TEST_SUITE_END()
