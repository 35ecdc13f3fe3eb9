/// Runs that wait for permits of their model calls: what they see, and what
/// becomes of a permit when somebody gives up, dies or is refused. Virtual
/// time, seeded schedules.

#include <kestrion/store/faulty_store.hpp>
#include <kestrion/tests/support/family.hpp>

#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

namespace kestrion::test {

namespace permit_test {

using namespace std::chrono_literals;

/// A model behind a server that says what it allows.
class told_model final : public model {
public:
  explicit told_model(std::vector<limit_report> limits)
    : limits_(std::move(limits)) {}
  std::string name() const override { return "told"; }
  std::optional<model_price> price() const override { return {}; }
  model_endpoint endpoint() const override { return {provider, "k", false}; }
  void complete(model_request, std::stop_token, model_callback done) override {
    ++calls;
    if (fails_with)
      return done(*fails_with);
    if (holds)
      return held.push_back(std::move(done));
    auto reply = says("seen");
    reply.limits = limits_;
    done(std::move(reply));
  }
  int calls = 0;
  std::string provider = "vendor";
  std::optional<model_failure> fails_with;
  bool holds = false; ///< Answers never.
  std::vector<model_callback> held;

private:
  std::vector<limit_report> limits_;
};

struct waiters : family {
  std::shared_ptr<faulty_store> store;
  std::shared_ptr<patient_model> m = std::make_shared<patient_model>();

  /// @param limit  Of all calls.
  void boot_with(const rate_limit& limit, const std::vector<agent>& agents) {
    engine_options options;
    options.calls.limits = limit.specs();
    boot_with(std::move(options), agents);
  }

  void boot_with(engine_options options, const std::vector<agent>& agents) {
    options.supervision.intensity = 1'000;
    process.reset();
    store = std::make_shared<faulty_store>(disk);
    process.emplace(store, agents, 1, noon, std::move(options));
  }

  /// The run's actor ends, for its next append fails.
  void crash(const run_id& id) {
    store->fail_append(store->appends() + 1, faulty_store::moment::before);
    caf::anon_send(
      process->directory(),
      run_command{id, send_message{user_message("Hurry."), "ana", false, {}}});
    process->settle();
  }

  run_id start_as(const std::string& name, run_started options) {
    return ask<run_receipt>(
             *process,
             start_request{name, user_message("Go on."), std::move(options)})
      .value()
      .run;
  }

  template <class Answer, class Query>
  Answer ask_scheduler(Query q) {
    caf::scoped_actor self{process->system()};
    auto pending = self->request(process->actors().context->scheduler.get(),
                                 caf::infinite, std::move(q));
    process->settle();
    BOOST_REQUIRE(self->has_next_message());
    std::optional<Answer> out;
    pending.receive([&](Answer& x) { out = std::move(x); },
                    [](const caf::error&) {});
    return std::move(out.value());
  }

  scheduler_figures figures() {
    return ask_scheduler<scheduler_figures>(figures_query{});
  }

  std::optional<call_waiting> why(const run_id& id) {
    return ask_scheduler<waiting_answer>(waiting_query{id}).why;
  }

  void kill_scheduler() {
    caf::anon_send_exit(process->actors().context->scheduler.get(),
                        caf::exit_reason::kill);
  }

  /// Its calls have come back, all of them.
  void check_nothing_left() {
    process->settle();
    const auto f = figures();
    BOOST_CHECK_EQUAL(f.waiting, 0u);
    BOOST_CHECK_EQUAL(f.in_flight, 0u);
    BOOST_CHECK_EQUAL(process->actors().context->calls->waiting.load(), 0u);
  }
};

rate_limit one_at_a_time() {
  return rate_limit{}.concurrent_calls(1);
}

} // namespace permit_test

BOOST_FIXTURE_TEST_SUITE(permit_test, waiters)

// -- waiting ------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_call_that_does_not_fit_waits_and_says_for_what) {
  boot_with(one_at_a_time(), {scout(m)});
  const auto first = start("scout");
  const auto second = start("scout");
  const auto third = start("scout");
  BOOST_CHECK_EQUAL(m->calls.size(), 1u);
  BOOST_CHECK(!why(first));
  const auto waits = why(second);
  BOOST_REQUIRE(waits);
  BOOST_CHECK_EQUAL(waits->reason, "concurrency");
  BOOST_REQUIRE(why(third));
  BOOST_CHECK_EQUAL(process->actors().context->calls->waiting.load(), 2u);

  auto shown = result_of(second, process->load(second));
  BOOST_CHECK_EQUAL(shown.status, run_status::running); // As the log knows it.
  show_throttled(shown, *waits);
  BOOST_CHECK_EQUAL(shown.status, run_status::throttled);
  BOOST_CHECK_NE(shown.reason.find("\"concurrency\""), std::string::npos);

  for (std::size_t i = 0; i < 3; ++i) {
    BOOST_REQUIRE_EQUAL(m->calls.size(), i + 1);
    m->calls[i].done(says("seen"));
    process->settle();
  }
  for (const auto& id : {first, second, third})
    BOOST_CHECK_EQUAL(status(id), run_status::completed);
  check_nothing_left();
}

BOOST_AUTO_TEST_CASE(who_is_cancelled_leaves_the_queue_at_once) {
  boot_with(one_at_a_time(), {scout(m)});
  start("scout");
  const auto second = start("scout");
  const auto third = start("scout");
  BOOST_REQUIRE(tell(second, stop));
  BOOST_CHECK_EQUAL(status(second), run_status::cancelled);
  BOOST_CHECK_EQUAL(figures().waiting, 1u);
  BOOST_CHECK_EQUAL(figures().cancelled, 1u);
  m->calls.at(0).done(says("seen"));
  process->settle();
  BOOST_REQUIRE_EQUAL(m->calls.size(), 2u);
  m->calls[1].done(says("seen"));
  BOOST_CHECK_EQUAL(wait(third).status, run_status::completed);
  check_nothing_left();
}

BOOST_AUTO_TEST_CASE(a_cancelled_call_gives_its_permit_back_at_once) {
  boot_with(one_at_a_time(), {scout(m)});
  const auto first = start("scout");
  start("scout");
  BOOST_REQUIRE(tell(first, stop));
  process->settle();
  BOOST_CHECK_EQUAL(m->calls.size(), 2u); // Though the first never answered.
}

BOOST_AUTO_TEST_CASE(an_interrupt_while_it_waits_leaves_one_reservation) {
  boot_with(one_at_a_time(), {scout(m)});
  start("scout");
  const auto second = start("scout");
  BOOST_REQUIRE(
    tell(second, send_message{user_message("No!"), "ana", true, {}}));
  process->settle();
  BOOST_CHECK_EQUAL(figures().waiting, 1u);
  m->calls.at(0).done(says("seen"));
  process->settle();
  BOOST_REQUIRE_EQUAL(m->calls.size(), 2u);
  BOOST_CHECK_EQUAL(text_of(*m->calls[1].request.conversation.back()), "No!");
  m->calls[1].done(says("fine"));
  BOOST_CHECK_EQUAL(wait(second).output, "fine");
  check_nothing_left();
}

BOOST_AUTO_TEST_CASE(a_model_that_takes_over_is_asked_for_under_its_limits) {
  auto first = std::make_shared<told_model>(std::vector<limit_report>{});
  first->fails_with = fails(errc::quota_exhausted);
  auto spare = std::make_shared<told_model>(std::vector<limit_report>{});
  spare->provider = "spare";
  spare->holds = true;
  engine_options options;
  options.calls.limits = rate_limit("spare").concurrent_calls(1).specs();
  boot_with(std::move(options), {agent{"scout"}.model(first).fallback(spare)});
  const auto one = start("scout");
  const auto two = start("scout");
  BOOST_CHECK_EQUAL(spare->calls, 1);
  BOOST_CHECK(!why(one));
  BOOST_REQUIRE(why(two)); // Nothing limits the first model.
  BOOST_CHECK_EQUAL(why(two)->reason, "spare concurrency");
  BOOST_CHECK_EQUAL(first->calls, 1); // Its quota is used up for all.
}

// -- deaths -------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_run_that_dies_gives_its_permit_back) {
  boot_with(one_at_a_time(), {scout(m)});
  const auto first = start("scout");
  const auto second = start("scout");
  BOOST_REQUIRE_EQUAL(m->calls.size(), 1u);
  crash(first);
  BOOST_REQUIRE_EQUAL(m->calls.size(), 2u); // The second got it.
  m->calls[1].done(says("seen"));
  BOOST_CHECK_EQUAL(wait(second).status, run_status::completed);
  process->advance(1min); // The first lives again and asks anew.
  BOOST_REQUIRE_EQUAL(m->calls.size(), 3u);
  m->calls[2].done(says("seen"));
  BOOST_CHECK_EQUAL(wait(first).status, run_status::completed);
  check_nothing_left();
}

BOOST_AUTO_TEST_CASE(a_run_that_dies_while_it_waits_leaves_the_queue) {
  boot_with(one_at_a_time(), {scout(m)});
  start("scout");
  const auto second = start("scout");
  crash(second);
  process->advance(1min); // It lives again, and waits again.
  BOOST_CHECK_EQUAL(figures().waiting, 1u);
  m->calls.at(0).done(says("seen"));
  process->settle();
  BOOST_REQUIRE_EQUAL(m->calls.size(), 2u);
  m->calls[1].done(says("seen"));
  BOOST_CHECK_EQUAL(wait(second).status, run_status::completed);
  check_nothing_left();
}

BOOST_AUTO_TEST_CASE(a_scheduler_that_dies_forgets_neither_permit_nor_waiter) {
  boot_with(one_at_a_time(), {scout(m)});
  const auto first = start("scout");
  const auto second = start("scout");
  kill_scheduler();
  const auto third = start("scout");
  process->advance(1s); // Another one was started.
  BOOST_CHECK_EQUAL(m->calls.size(), 1u);
  BOOST_CHECK_EQUAL(figures().waiting, 2u);

  // What is said to a dead one is not lost either.
  kill_scheduler();
  m->calls[0].done(says("seen"));
  process->advance(1s);
  BOOST_REQUIRE_EQUAL(m->calls.size(), 2u);
  kill_scheduler();
  const auto& key = m->calls[1].request.idempotency_key;
  const auto holder = key.starts_with(second.str()) ? second : third;
  BOOST_REQUIRE(tell(holder, stop));
  process->advance(1s);
  BOOST_REQUIRE_EQUAL(m->calls.size(), 3u);
  m->calls[2].done(says("seen"));
  BOOST_CHECK_EQUAL(wait(first).status, run_status::completed);
  BOOST_CHECK_EQUAL(wait(holder == second ? third : second).status,
                    run_status::completed);
  check_nothing_left();
}

BOOST_AUTO_TEST_CASE(who_dies_while_no_scheduler_lives_is_found_out) {
  boot_with(one_at_a_time(), {scout(m)});
  const auto first = start("scout");
  const auto second = start("scout");
  kill_scheduler();
  crash(first);
  process->advance(1min);
  BOOST_REQUIRE_EQUAL(m->calls.size(), 2u);
  m->calls[1].done(says("seen"));
  BOOST_CHECK_EQUAL(wait(second).status, run_status::completed);
}

// -- refusals -----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_used_up_quota_fails_who_waits_and_who_comes) {
  boot_with(one_at_a_time(), {scout(m)});
  const auto first = start("scout");
  const auto second = start("scout");
  m->calls.at(0).done(fails(errc::quota_exhausted));
  process->settle();
  const auto third = start("scout");
  for (const auto& id : {first, second, third}) {
    const auto r = wait(id);
    BOOST_CHECK_EQUAL(r.status, run_status::failed);
    BOOST_CHECK_EQUAL(r.code, "quota_exhausted");
  }
  BOOST_CHECK_EQUAL(m->calls.size(), 1u); // The others were not made.
  check_nothing_left();
}

BOOST_AUTO_TEST_CASE(one_429_pauses_the_calls_of_all) {
  boot_with(rate_limit{}.concurrent_calls(2), {scout(m)});
  start("scout");
  start("scout");
  start("scout");
  BOOST_REQUIRE_EQUAL(m->calls.size(), 2u);
  m->calls[0].done(fails(errc::rate_limited, true, 20s));
  process->settle();
  m->calls[1].done(says("seen"));
  process->advance(15s);
  BOOST_CHECK_EQUAL(m->calls.size(), 2u); // There is room, but not yet.
  BOOST_CHECK_EQUAL(figures().pauses, 1u);
  for (int i = 0; i < 120 && m->calls.size() < 3; ++i)
    process->advance(1s);
  BOOST_REQUIRE_EQUAL(m->calls.size(), 3u);
}

BOOST_AUTO_TEST_CASE(a_full_queue_refuses_and_the_run_comes_again_later) {
  engine_options options;
  options.calls.limits = one_at_a_time().specs();
  options.calls.options.waiting_max = 1;
  boot_with(std::move(options), {scout(m)});
  start("scout");
  start("scout");
  const auto third = start("scout");
  BOOST_CHECK_EQUAL(figures().refused_queue_full, 1u);
  const auto log = load_events(*disk, third).value();
  BOOST_REQUIRE(std::holds_alternative<model_call_failed>(log.back().event));
  m->calls.at(0).done(says("seen"));
  process->advance(1min);
  BOOST_REQUIRE_EQUAL(m->calls.size(), 2u);
  m->calls[1].done(says("seen"));
  process->advance(1min);
  BOOST_REQUIRE_EQUAL(m->calls.size(), 3u);
  m->calls[2].done(says("seen"));
  BOOST_CHECK_EQUAL(wait(third).status, run_status::completed);
}

BOOST_AUTO_TEST_CASE(a_tenants_budget_stops_its_runs_and_no_others) {
  engine_options options;
  options.calls.budgets["acme"].calls_max = 1;
  boot_with(std::move(options), {scout(m)});
  run_started acme;
  acme.tenant = "acme";
  const auto first = start_as("scout", acme);
  const auto second = start_as("scout", acme); // Waits: it may come back.
  const auto other = start("scout");
  BOOST_REQUIRE_EQUAL(m->calls.size(), 2u);
  BOOST_REQUIRE(why(second));
  BOOST_CHECK_EQUAL(why(second)->reason, "budget");
  m->calls[0].done(says("seen"));
  m->calls[1].done(says("seen"));
  BOOST_CHECK_EQUAL(wait(first).status, run_status::completed);
  BOOST_CHECK_EQUAL(wait(other).status, run_status::completed);
  const auto r = wait(second);
  BOOST_CHECK_EQUAL(r.status, run_status::failed);
  BOOST_CHECK_EQUAL(r.code, "limit_exceeded");
  BOOST_CHECK_NE(r.reason.find("acme"), std::string::npos);
}

// -- who goes first, and who asks at all --------------------------------------

BOOST_AUTO_TEST_CASE(whom_a_person_waits_for_goes_first) {
  boot_with(one_at_a_time(), {scout(m)});
  start("scout");
  const auto batch = start("scout");
  run_started urgent;
  urgent.lane = call_lane::interactive;
  urgent.priority = 5;
  const auto person = start_as("scout", urgent);
  // It uses what was reserved for it, so batch gets nothing back.
  m->calls.at(0).done(says("seen", {.output_tokens = 8'192}));
  process->settle();
  BOOST_REQUIRE_EQUAL(m->calls.size(), 2u);
  m->calls[1].done(says("for a person"));
  BOOST_CHECK_EQUAL(wait(person).output, "for a person");
  BOOST_CHECK_EQUAL(status(batch), run_status::running);
}

BOOST_AUTO_TEST_CASE(a_run_that_cannot_be_in_time_fails_instead_of_waiting) {
  boot_with(one_at_a_time(), {scout(m)});
  start("scout");
  run_started late;
  late.deadline = process->now() + 5s;
  const auto id = start_as("scout", late);
  BOOST_REQUIRE(why(id));
  process->advance(5s);
  const auto r = result_of(id, process->load(id));
  BOOST_CHECK_EQUAL(r.status, run_status::failed);
  BOOST_CHECK_EQUAL(r.code, "timeout");
  BOOST_CHECK_EQUAL(m->calls.size(), 1u);
}

BOOST_AUTO_TEST_CASE(lane_and_priority_are_durable_and_go_on_to_children) {
  boot({plain_lead(), scout(by_turn({says("seen")}))});
  run_started urgent;
  urgent.lane = call_lane::interactive;
  urgent.priority = 5;
  urgent.deadline = process->now() + 24h;
  const auto id = start_as("lead", urgent);
  BOOST_CHECK_EQUAL(wait(id).status, run_status::completed);
  for (const auto& each : {id, child(id)}) {
    const auto header = process->load(each).header;
    BOOST_CHECK(header->lane == call_lane::interactive);
    BOOST_CHECK(header->priority == 5);
    BOOST_CHECK(header->deadline == urgent.deadline);
  }
  urgent.priority = 101;
  const auto refused = ask<run_receipt>(
    *process, start_request{"lead", user_message("Go on."), urgent});
  BOOST_REQUIRE(!refused);
  BOOST_CHECK(refused.error().code == errc::invalid_argument);
}

BOOST_AUTO_TEST_CASE(where_nothing_is_declared_models_of_ours_do_not_ask) {
  boot({scout(m)});
  const auto id = start("scout");
  m->calls.at(0).done(says("seen"));
  BOOST_CHECK_EQUAL(wait(id).status, run_status::completed);
  BOOST_CHECK_EQUAL(figures().reserved, 0u);
}

BOOST_AUTO_TEST_CASE(limits_that_are_declared_later_hold_from_then_on) {
  boot({scout(m)});
  start("scout");
  BOOST_REQUIRE(ask_scheduler<bool>(declare_limits{one_at_a_time().specs()}));
  start("scout"); // The first one did not ask.
  start("scout");
  BOOST_CHECK_EQUAL(m->calls.size(), 2u);
  BOOST_CHECK_EQUAL(figures().waiting, 1u);
  BOOST_REQUIRE(ask_scheduler<bool>(
    declare_limits{rate_limit{}.concurrent_calls(2).specs()}));
  process->settle();
  BOOST_CHECK_EQUAL(m->calls.size(), 3u);
}

BOOST_AUTO_TEST_CASE(what_a_server_says_of_its_limits_is_kept_to) {
  const auto told = std::make_shared<told_model>(
    std::vector{limit_report{limit_kind::requests, 100, 0, noon + 30s}});
  boot({scout(told)});
  const auto first = start("scout");
  BOOST_CHECK_EQUAL(wait(first).status, run_status::completed);
  const auto second = start("scout");
  BOOST_CHECK_EQUAL(told->calls, 1);
  BOOST_REQUIRE(why(second));
  BOOST_CHECK_EQUAL(why(second)->reason, "learnt vendor told k requests");
  process->advance(2min);
  BOOST_CHECK_EQUAL(told->calls, 2);
  BOOST_CHECK_EQUAL(status(second), run_status::completed);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
