#include <kestrion/scheduler/token_scheduler.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace kestrion;
using namespace std::chrono_literals;

namespace token_scheduler_test {

struct fixture {
  token_scheduler s;
  timestamp now{std::chrono::hours{500'000}};
  std::vector<call_ticket> granted;
  std::vector<call_refused> refused;

  fixture() { declare("slots", limit_kind::concurrency, 1); }

  void declare(const std::string& name, limit_kind kind, std::int64_t amount,
               route_matcher covers = {}) {
    s.declare(
       {name, std::move(covers), kind, amount, 1min, limit_shape::continuous},
       now)
      .value();
  }

  call_request call(std::uint64_t run, std::string model = "m") const {
    call_request out;
    out.tenant = "t";
    out.run = run_id::make(now, 0, run);
    out.route = {"vendor", std::move(model), "key"};
    out.input_tokens = 100;
    out.output_tokens_max = 100;
    return out;
  }

  call_ticket ask(const call_request& request) {
    const auto out = s.reserve(request, now).value();
    poll();
    return out;
  }

  void poll() {
    for (const auto& outcome : s.poll(now))
      if (const auto* g = std::get_if<call_granted>(&outcome))
        granted.push_back(g->ticket);
      else
        refused.push_back(std::get<call_refused>(outcome));
  }

  void commit(call_ticket ticket) {
    call_usage used;
    used.tokens.input_tokens = 100;
    used.tokens.output_tokens = 10;
    s.commit(ticket, used, now);
    poll();
  }

  bool has(call_ticket ticket) const {
    return std::find(granted.begin(), granted.end(), ticket) != granted.end();
  }
};

} // namespace token_scheduler_test

BOOST_FIXTURE_TEST_SUITE(token_scheduler_test, fixture)

BOOST_AUTO_TEST_CASE(a_permit_that_ends_goes_to_the_next) {
  const auto a = ask(call(1));
  const auto b = ask(call(2));
  BOOST_TEST(has(a));
  BOOST_TEST(!has(b));
  commit(a);
  BOOST_TEST(has(b));
  s.release(b, true, now); // Its holder died.
  const auto c = ask(call(3));
  BOOST_TEST(has(c));
  s.commit(b, {}, now); // Late: ignored.
  BOOST_TEST(s.figures(now).in_flight == 1u);
}

BOOST_AUTO_TEST_CASE(a_limit_blocks_only_what_it_covers) {
  declare("big", limit_kind::total_tokens, 300, {"", "big", ""});
  declare("all", limit_kind::concurrency, 10);
  s.declare({"slots", {}, limit_kind::concurrency, 10}, now).value();
  BOOST_TEST(has(ask(call(1, "big"))));
  const auto waits = ask(call(2, "big"));
  BOOST_TEST(!has(waits));
  BOOST_TEST(has(ask(call(3, "small"))));
  BOOST_TEST(s.waiting(waits, now)->reason == "big");
  now = s.next_event(now).value();
  poll();
  BOOST_TEST(has(waits));
}

BOOST_AUTO_TEST_CASE(a_big_call_is_not_starved_by_small_ones_of_another_model) {
  s.declare({"slots", {}, limit_kind::concurrency, 1'000}, now).value();
  declare("tokens", limit_kind::input_tokens, 6'000);
  auto big = call(1, "big");
  big.input_tokens = 5'900;
  BOOST_TEST(has(ask(big)));
  big.run = run_id::make(now, 0, 2);
  const auto waits = ask(big);
  for (std::uint64_t i = 3; i < 200 && !has(waits); ++i) {
    now += 1s;
    ask(call(i, "small"));
  }
  BOOST_TEST(has(waits));
}

BOOST_AUTO_TEST_CASE(who_is_cancelled_is_out_at_once) {
  const auto a = ask(call(1));
  const auto b = ask(call(2));
  BOOST_TEST(s.cancel(b, now));
  BOOST_TEST(!s.cancel(b, now));
  commit(a);
  BOOST_TEST(!has(b));
  BOOST_TEST(s.figures(now).waiting == 0u);
}

BOOST_AUTO_TEST_CASE(whose_holder_died_is_out_whether_it_waited_or_not) {
  const auto a = ask(call(1));
  const auto b = ask(call(2));
  const auto c = ask(call(3));
  BOOST_TEST(s.calls_waiting() == 2u);
  s.release(b, true, now);
  BOOST_TEST(s.calls_waiting() == 1u);
  BOOST_TEST(!s.waiting(b, now));
  s.release(a, false, now);
  poll();
  BOOST_TEST(has(c));
  BOOST_TEST(!has(b));
  BOOST_TEST(s.calls_waiting() == 0u);
  BOOST_TEST(s.figures(now).cancelled == 1u);
  BOOST_TEST(s.figures(now).released == 1u);
}

BOOST_AUTO_TEST_CASE(a_deadline_refuses_while_it_waits_and_early_if_hopeless) {
  ask(call(1));
  auto hasty = call(2);
  hasty.deadline = now + 5s;
  const auto b = ask(hasty);
  BOOST_CHECK(s.next_event(now) == now + 5s);
  now += 5s;
  poll();
  BOOST_REQUIRE(refused.size() == 1u);
  BOOST_TEST(refused[0].ticket == b);
  BOOST_CHECK(refused[0].why.code == errc::timeout);
  BOOST_CHECK(s.reserve(hasty, now).error().code == errc::timeout);
}

BOOST_AUTO_TEST_CASE(urgent_calls_go_first) {
  const auto a = ask(call(1));
  const auto b = ask(call(2));
  auto person = call(3);
  person.lane = call_lane::interactive;
  const auto c = ask(person);
  commit(a);
  BOOST_TEST(has(c));
  BOOST_TEST(!has(b));
}

BOOST_AUTO_TEST_CASE(urgent_calls_without_an_end_leave_a_share_to_batch) {
  const auto batch = ask(call(1));
  BOOST_TEST(has(batch));
  const auto waits = ask(call(2));
  auto last = batch;
  for (std::uint64_t i = 3; i < 2'000 && !has(waits); ++i) {
    auto person = call(i);
    person.lane = call_lane::interactive;
    ask(person);
    commit(last);
    last = granted.back();
  }
  BOOST_TEST(has(waits));
}

BOOST_AUTO_TEST_CASE(slow_down_pauses_everybody_and_ends) {
  const auto a = ask(call(1));
  s.throttled(a, {.retry_after = 7s}, now);
  const auto b = ask(call(2));
  BOOST_TEST(!has(b));
  BOOST_TEST(s.waiting(b, now)->reason == "pause");
  BOOST_CHECK(s.next_event(now) == now + 7s);
  now += 7s;
  poll();
  BOOST_TEST(has(b));
}

BOOST_AUTO_TEST_CASE(a_used_up_quota_fails_who_waits_and_who_comes) {
  const auto a = ask(call(1));
  const auto b = ask(call(2));
  s.throttled(a, {.quota_exhausted = true}, now);
  poll();
  BOOST_REQUIRE(refused.size() == 1u);
  BOOST_TEST(refused[0].ticket == b);
  BOOST_CHECK(refused[0].why.code == errc::quota_exhausted);
  BOOST_CHECK(s.reserve(call(3), now).error().code == errc::quota_exhausted);
  now += 1min;
  BOOST_TEST(has(ask(call(4))));
}

BOOST_AUTO_TEST_CASE(a_budget_that_is_reserved_is_waited_for) {
  s.declare({"slots", {}, limit_kind::concurrency, 10}, now).value();
  s.set_budget("run", "", {.tokens_max = 1'000}, now).value();
  auto request = call(1);
  request.budget = "run";
  request.most = {0, 700, 1};
  const auto a = ask(request);
  const auto b = ask(request);
  BOOST_TEST(s.waiting(b, now)->reason == "budget");
  commit(a); // It used 110.
  BOOST_TEST(has(b));
}

BOOST_AUTO_TEST_CASE(a_budget_that_is_used_up_refuses_and_can_be_raised) {
  s.set_budget("run", "", {.tokens_max = 100}, now).value();
  auto request = call(1);
  request.budget = "run";
  request.most = {0, 700, 1};
  ask(request);
  BOOST_REQUIRE(refused.size() == 1u);
  BOOST_CHECK(refused[0].why.code == errc::limit_exceeded);
  BOOST_TEST(refused[0].budget->node == "run");
  s.set_budget("run", "", {.tokens_max = 1'000}, now).value();
  BOOST_TEST(has(ask(request)));
}

BOOST_AUTO_TEST_CASE(siblings_wait_until_the_first_has_warmed_the_cache) {
  s.declare({"slots", {}, limit_kind::concurrency, 10}, now).value();
  auto request = call(1);
  request.prefix = "the same beginning";
  const auto a = ask(request);
  const auto b = ask(request);
  BOOST_TEST(s.waiting(b, now)->reason == "prefix");
  commit(a);
  BOOST_TEST(has(b));
}

BOOST_AUTO_TEST_CASE(a_full_queue_refuses_clearly) {
  s = token_scheduler{{.waiting_max = 2}};
  declare("slots", limit_kind::concurrency, 1);
  ask(call(1));
  ask(call(2));
  ask(call(3));
  BOOST_CHECK(s.reserve(call(4), now).error().code == errc::unavailable);
  BOOST_TEST(s.figures(now).refused_queue_full == 1u);
}

BOOST_AUTO_TEST_CASE(limits_that_nobody_declared_are_learnt) {
  s.declare({"slots", {}, limit_kind::concurrency, 100}, now).value();
  const auto a = ask(call(1));
  s.report(a, {limit_kind::requests, 2, 1, now + 30s}, now);
  commit(a);
  const auto b = ask(call(2));
  const auto c = ask(call(3));
  BOOST_TEST(has(b));
  BOOST_TEST(!has(c));
}

BOOST_AUTO_TEST_CASE(a_call_above_every_limit_goes_alone) {
  declare("tokens", limit_kind::input_tokens, 1'000);
  auto request = call(1);
  request.input_tokens = 1'000'000;
  BOOST_TEST(has(ask(request)));
}

BOOST_AUTO_TEST_CASE(bad_input_is_refused_with_a_code) {
  BOOST_CHECK(s.declare({"x", {}, limit_kind::requests, 0}, now).error().code
              == errc::invalid_argument);
  auto request = call(1);
  request.budget = "nobody's";
  BOOST_CHECK(s.reserve(request, now).error().code == errc::not_found);
  request = call(1);
  request.priority = 101;
  BOOST_CHECK(s.reserve(request, now).error().code == errc::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
