/// What runs that belong together may use together. Virtual time, seeded
/// schedules.

#include <kestrion/tests/support/family.hpp>

#include <caf/exit_reason.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

namespace kestrion::test {

namespace run_budget_test {

using namespace std::chrono_literals;

struct spenders : family {
  std::shared_ptr<patient_model> m = std::make_shared<patient_model>();

  /// Four scouts are asked at once, and may use a hundred tokens together with
  /// who asks.
  void boot_four(std::uint32_t seed = 1) {
    auto four = lead(by_turn(
      {calls({ask_scout("a"), ask_scout("b"), ask_scout("c"), ask_scout("d")},
             {}, {.input_tokens = 10}),
       says("done")}));
    four.limits({.tokens_max = 100});
    boot({four, scout(m)}, seed);
  }

  /// The oldest call that has no answer yet.
  void answer(std::int64_t tokens) {
    m->calls.at(answered++).done(says("seen", {.input_tokens = tokens}));
    process->settle();
  }

  run_result child_result(const run_id& id, const char* call) {
    return result_of(child(id, call), process->load(child(id, call)));
  }

  bool has_budget(const run_id& id) {
    return process->actors().context->calls->has_budget(id);
  }

  void kill_scheduler() {
    caf::anon_send_exit(process->actors().context->scheduler.get(),
                        caf::exit_reason::kill);
    process->settle();
  }

  std::size_t answered = 0;
};

} // namespace run_budget_test

BOOST_FIXTURE_TEST_SUITE(run_budget_test, spenders)

BOOST_AUTO_TEST_CASE(children_that_work_at_once_cannot_overrun_their_parent) {
  for (std::uint32_t seed = 1; seed <= 20; ++seed)
    BOOST_TEST_CONTEXT("seed " << seed) {
      disk = open_store("memory:").value();
      *m = {};
      answered = 0;
      boot_four(seed);
      const auto id = start();
      BOOST_REQUIRE_EQUAL(m->calls.size(), 1u); // It may take all that is left.
      answer(60);
      BOOST_REQUIRE_EQUAL(m->calls.size(), 2u);
      answer(60);
      BOOST_CHECK_EQUAL(m->calls.size(), 2u); // Nothing is left for the others.
      const auto r = wait(id);
      BOOST_CHECK_EQUAL(r.status, run_status::failed);
      BOOST_CHECK_EQUAL(r.code, "limit_exceeded");
      BOOST_CHECK_EQUAL(r.usage.total(), 130);
      int refused = 0;
      for (const auto* call : {"c1.0", "c1.1", "c1.2", "c1.3"}) {
        const auto c = child_result(id, call);
        if (c.status == run_status::completed)
          continue;
        ++refused;
        BOOST_CHECK_EQUAL(c.code, "limit_exceeded");
        BOOST_CHECK_MESSAGE(c.reason.find("run " + id.str()) != c.reason.npos,
                            c.reason);
      }
      BOOST_CHECK_EQUAL(refused, 2);
    }
}

BOOST_AUTO_TEST_CASE(what_fits_goes_on_at_once) {
  auto two = lead(
    by_turn({calls({ask_scout("a"), ask_scout("b")}, {}, {.input_tokens = 10}),
             says("done")}));
  two.limits({.tokens_max = 100'000});
  boot({two, scout(m)});
  const auto id = start();
  BOOST_REQUIRE_EQUAL(m->calls.size(), 2u);
  answer(60);
  answer(60);
  BOOST_CHECK_EQUAL(wait(id).status, run_status::completed);
}

BOOST_AUTO_TEST_CASE(a_process_that_knows_nothing_reads_what_was_used) {
  boot_four();
  const auto id = start();
  answer(60);
  BOOST_REQUIRE_EQUAL(m->calls.size(), 2u);
  // One has ended, one was at work, two wait: the process dies.
  *m = {};
  answered = 0;
  boot_four(2);
  process->settle();
  BOOST_REQUIRE_EQUAL(m->calls.size(), 1u);
  answer(25);
  BOOST_REQUIRE_EQUAL(m->calls.size(), 2u); // 5 are left.
  answer(60);
  BOOST_CHECK_EQUAL(m->calls.size(), 2u);
  BOOST_CHECK_EQUAL(wait(id).code, "limit_exceeded");
}

BOOST_AUTO_TEST_CASE(the_schedulers_death_forgets_nothing) {
  boot_four();
  const auto id = start();
  kill_scheduler();
  answer(60);
  kill_scheduler();
  answer(60);
  BOOST_CHECK_EQUAL(m->calls.size(), 2u);
  BOOST_CHECK_EQUAL(wait(id).code, "limit_exceeded");
}

BOOST_AUTO_TEST_CASE(a_refused_answer_costs_nothing_and_an_unknown_end_all) {
  boot_four();
  start();
  const auto fails_with = [&](int http_status) {
    m->calls.at(answered++)
      .done(model_failure{
        {errc::invalid_argument, "no"}, false, std::nullopt, http_status});
    process->settle();
  };
  fails_with(400);
  BOOST_REQUIRE_EQUAL(m->calls.size(), 2u);
  m->calls.at(answered++)
    .done(model_failure{{errc::timeout, "late"}, false, std::nullopt, 0});
  process->settle();
  BOOST_CHECK_EQUAL(m->calls.size(), 2u);
}

BOOST_AUTO_TEST_CASE(budgets_go_with_their_runs) {
  boot_four();
  const auto id = start();
  const auto first = child(id);
  BOOST_CHECK(has_budget(id)); // It waits, out of memory, for those below it.
  BOOST_CHECK(has_budget(first));
  answer(1);
  while (answered < m->calls.size())
    answer(1);
  BOOST_CHECK_EQUAL(wait(id).status, run_status::completed);
  BOOST_CHECK(!has_budget(id));
  for (const auto* call : {"c1.0", "c1.1", "c1.2", "c1.3"})
    BOOST_CHECK(!has_budget(child(id, call)));
}

BOOST_AUTO_TEST_CASE(one_that_waits_for_people_alone_keeps_nothing) {
  auto asks = lead(by_turn({calls({{"gated"}}), says("done")}));
  asks.tool(
    "gated", "A gated tool.", [] { return "ran"; },
    requires_approval{"engineer"});
  boot({asks, scout(m)});
  const auto id = start();
  BOOST_CHECK_EQUAL(status(id), run_status::waiting_on_human);
  BOOST_CHECK(!has_budget(id));
  BOOST_REQUIRE(tell(id, yes));
  process->settle();
  BOOST_CHECK_EQUAL(status(id), run_status::completed);
  BOOST_CHECK(!has_budget(id));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
