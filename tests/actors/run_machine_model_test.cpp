#include <boost/test/unit_test.hpp>

#include <kestrion/tests/support/check_lines.hpp>
#include <kestrion/tests/support/machine_dsl.hpp>

using namespace kestrion;
using namespace std::chrono_literals;
using test::machine_story;

namespace run_machine_model_test {

model_done failed_at(std::int64_t attempt, std::uint32_t jitter = 0) {
  model_done done;
  done.call = "m1";
  done.outcome = model_failure{{errc::unavailable, "down"}, true, {}, 503};
  done.attempt = attempt;
  done.jitter = jitter;
  return done;
}

} // namespace run_machine_model_test

BOOST_FIXTURE_TEST_SUITE(run_machine_model_test, machine_story)

BOOST_AUTO_TEST_CASE(a_failure_that_may_pass_is_tried_again_later) {
  starts();
  model_fails(errc::unavailable);
  CHECK_LINES(events(), "model_call_failed m1 unavailable 1");
  CHECK_LINES(owes(), "call_model m1 2 2026-01-02T00:00:00.500000Z",
              "wake_up 2026-02-01T00:00:00.000000Z");
  BOOST_CHECK(status() == run_status::running);
  const auto failed = decided<model_call_failed>();
  BOOST_CHECK_EQUAL(failed.detail, "the vendor says no");
  BOOST_CHECK(failed.retry_at.value() == now + 500ms);
}

BOOST_AUTO_TEST_CASE(delays_double_and_the_last_attempt_ends_the_run) {
  starts();
  for (const auto delay : {500ms, 1'000ms, 2'000ms, 4'000ms, 8'000ms}) {
    model_fails(errc::rate_limited);
    BOOST_CHECK(decided<model_call_failed>().retry_at.value() == now + delay);
    passes(delay);
  }
  model_fails(errc::rate_limited);
  CHECK_LINES(events(), "model_call_failed m1 rate_limited 6",
              "run_failed rate_limited");
  BOOST_CHECK(!decided<model_call_failed>().retry_at);
  BOOST_CHECK_EQUAL(state.progress.reason, "model call m1 failed at attempt 6: "
                                           "the vendor says no");
  CHECK_LINES(owes());
}

BOOST_AUTO_TEST_CASE(the_server_says_when_to_come_back) {
  starts();
  model_fails(errc::rate_limited, true, 42s);
  BOOST_CHECK(decided<model_call_failed>().retry_at.value() == now + 42s);
}

BOOST_AUTO_TEST_CASE(
  a_server_that_never_wants_to_see_us_again_overflows_nothing) {
  starts();
  model_fails(errc::rate_limited, true, duration::max());
  BOOST_CHECK(decided<model_call_failed>().retry_at.value()
              == timestamp::max());
}

BOOST_AUTO_TEST_CASE(jitter_takes_up_to_a_quarter_off) {
  starts();
  take(failed_at(1, 0x80000000U));
  BOOST_CHECK(decided<model_call_failed>().retry_at.value() == now + 437'500us);
}

BOOST_AUTO_TEST_CASE(a_failure_that_stays_ends_the_run_at_once) {
  for (const auto code :
       {errc::unauthenticated, errc::quota_exhausted, errc::invalid_argument}) {
    machine_story story;
    story.starts();
    story.model_fails(code, false, 1s);
    CHECK_LINES(story.events(),
                "model_call_failed m1 " + std::string{to_string(code)} + " 1",
                "run_failed " + std::string{to_string(code)});
    BOOST_CHECK(story.status() == run_status::failed);
    BOOST_CHECK_EQUAL(story.state.progress.code, to_string(code));
  }
}

BOOST_AUTO_TEST_CASE(an_answer_after_retries_says_which_attempt_it_was) {
  starts();
  model_fails(errc::timeout);
  passes(1s);
  model_says("at last");
  BOOST_CHECK_EQUAL(decided<model_call_completed>().attempt, 2);
  BOOST_CHECK_EQUAL(decided<model_call_completed>().call, "m1");
  BOOST_CHECK(status() == run_status::completed);
}

BOOST_AUTO_TEST_CASE(each_model_call_has_its_attempts_anew) {
  starts();
  model_fails(errc::timeout);
  model_calls({{"look", "{}"}});
  tool_returns("c1.0", "3");
  BOOST_CHECK_EQUAL(owes().at(0), "call_model m2 1");
  model_fails(errc::timeout);
  CHECK_LINES(events(), "model_call_failed m2 timeout 1");
}

BOOST_AUTO_TEST_CASE(one_attempt_at_the_most_means_no_retry) {
  machine_story story{test::ops_agent({.model_attempts_max = 1})};
  story.starts();
  story.model_fails(errc::timeout);
  CHECK_LINES(story.events(), "model_call_failed m1 timeout 1",
              "run_failed timeout");
}

BOOST_AUTO_TEST_CASE(an_outcome_that_comes_twice_counts_once) {
  starts();
  take(failed_at(1));
  CHECK_LINES(events(), "model_call_failed m1 unavailable 1");
  take(failed_at(1));
  CHECK_LINES(events());
  take(failed_at(2));
  CHECK_LINES(events(), "model_call_failed m1 unavailable 2");
}

BOOST_AUTO_TEST_CASE(an_answer_to_another_call_is_dropped) {
  starts();
  take(model_done{"m2", model_reply{}, {}, {}});
  CHECK_LINES(events());
  model_calls({{"look", "{}"}});
  take(model_done{"m1", model_reply{}, {}, {}});
  CHECK_LINES(events());
  take(model_done{"", model_reply{}, {}, {}});
  CHECK_LINES(events());
}

BOOST_AUTO_TEST_CASE(an_answer_after_the_end_is_dropped) {
  starts();
  is_cancelled();
  take(model_done{"m1", model_reply{}, {}, {}});
  CHECK_LINES(events());
  BOOST_CHECK(status() == run_status::cancelled);
}

BOOST_AUTO_TEST_SUITE_END()
