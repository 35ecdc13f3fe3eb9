/// The handle that programs' actors have stays good, and every request gets an
/// answer, whatever crashes behind it. Virtual time, seeded schedules.

#include <kestrion/actors/front_actor.hpp>
#include <kestrion/tests/support/family.hpp>
#include <kestrion/tests/support/outside.hpp>

#include <iostream>

namespace kestrion::test {

using namespace std::chrono_literals;

namespace front_test {

struct fronted : family {
  void kill_directory() {
    if (const auto directory = process->directory())
      caf::anon_send_exit(directory, caf::exit_reason::kill);
  }
  void kill_journal() {
    caf::anon_send_exit(process->actors().context->journal.get(),
                        caf::exit_reason::kill);
  }

  std::size_t times_heard(const run_id& id, const std::string& by) {
    const auto log = load_events(*disk, id).value();
    return static_cast<std::size_t>(
      std::count_if(log.begin(), log.end(), [&](const auto& e) {
        const auto* x = std::get_if<message_received>(&e.event);
        return x && x->by == by;
      }));
  }
};

} // namespace front_test

BOOST_FIXTURE_TEST_SUITE(front_test, fronted)

BOOST_AUTO_TEST_CASE(what_was_asked_of_a_directory_that_dies_is_answered) {
  for (std::uint32_t seed = 1; seed <= 150; ++seed)
    BOOST_TEST_CONTEXT("seed " << seed) {
      disk = open_store("memory:").value();
      boot({plain_lead(), gated_scout()}, seed);
      using asked = request_to_front<run_result>;
      std::vector<std::unique_ptr<asked>> ends;
      for (int i = 0; i < 4; ++i)
        ends.push_back(std::make_unique<asked>(
          *process, run_to_end{{"lead", user_message("Go on."), {}}}));
      for (int i = 0; i < 4; ++i) {
        process->settle(static_cast<int>(process->random() % 60));
        if (process->random() % 3 == 0)
          kill_journal();
        else
          kill_directory();
        if (process->random() % 2 == 0)
          process->advance(10ms);
      }
      process->advance(1s);
      for (const auto& row : disk->list({}).value())
        if (row.agent == "scout")
          BOOST_CHECK(
            ask_front<run_receipt>(*process, run_command{row.id, yes}));
      process->advance(1s);
      for (const auto& end : ends)
        BOOST_CHECK_EQUAL(end->answer().value().output, "done");
      BOOST_CHECK_EQUAL(disk->list({}).value().size(), 8u); // None twice.
    }
}

BOOST_AUTO_TEST_CASE(what_would_be_heard_twice_is_not_said_again) {
  int unsure = 0;
  for (std::uint32_t seed = 1; seed <= 200; ++seed)
    BOOST_TEST_CONTEXT("seed " << seed) {
      disk = open_store("memory:").value();
      boot({gated_scout()}, seed);
      const auto id = start("scout");
      const request_to_front<run_receipt> said{
        *process,
        run_command{id, send_message{user_message("Look."), "ana", false, {}}}};
      process->settle(static_cast<int>(process->random() % 12));
      if (process->random() % 2 == 0)
        kill_directory();
      else
        kill_journal();
      process->advance(1s);
      const auto times = times_heard(id, "ana");
      if (said.answer()) {
        BOOST_CHECK_EQUAL(times, 1u);
      } else {
        BOOST_CHECK(said.answer().error().code == errc::unavailable);
        BOOST_CHECK_LE(times, 1u);
        ++unsure;
      }
    }
  BOOST_CHECK_GT(unsure, 0);
  BOOST_CHECK_LT(unsure, 200);
}

BOOST_AUTO_TEST_CASE(what_twice_is_once_may_be_repeated) {
  BOOST_CHECK(may_repeat(cancel_run{"ana", "", {}}));
  BOOST_CHECK(may_repeat(approve_call{{.call = "c1.0"}, {}}));
  BOOST_CHECK(may_repeat(deny_call{{.call = "c1.0"}, {}}));
  BOOST_CHECK(may_repeat(answer_question{{.call = "c1.0"}, {}}));
  BOOST_CHECK(!may_repeat(approve_call{{.tool = "gated"}, {}}));
  BOOST_CHECK(!may_repeat(deny_call{}));
  BOOST_CHECK(!may_repeat(answer_question{}));
  BOOST_CHECK(!may_repeat(send_message{}));
  BOOST_CHECK(!may_repeat(signal_run{}));
  BOOST_CHECK(!may_repeat(unpark_run{}));
  BOOST_CHECK(!may_repeat(resolve_doubt{}));
}

BOOST_AUTO_TEST_CASE(a_runtime_that_gave_up_answers_that_it_has_stopped) {
  engine_options options;
  options.supervision.intensity = 3;
  process.emplace(disk, std::vector{gated_scout()}, 1, noon, options);
  const auto id = start("scout");
  const request_to_front<run_result> before{*process,
                                            await_run{id, wait_until::ended}};
  process->settle();
  for (int i = 0; i < 20; ++i) {
    kill_directory();
    process->advance(100ms);
  }
  process->advance(front_patience + 1s);
  BOOST_CHECK(before.answer().error().code == errc::unavailable);
  const request_to_front<run_result> after{*process, await_run{id}};
  process->advance(front_patience + 1s);
  BOOST_CHECK(after.answer().error().code == errc::unavailable);
}

BOOST_AUTO_TEST_CASE(who_waits_when_the_runtime_stops_is_told) {
  boot({gated_scout()});
  const auto id = start("scout");
  const request_to_front<run_result> waits{*process,
                                           await_run{id, wait_until::ended}};
  process->settle();
  BOOST_CHECK(!waits.is_answered());
  process->actors().stop();
  process->settle();
  BOOST_CHECK(waits.answer().error().code == errc::unavailable);
  BOOST_CHECK_EQUAL(status(id), run_status::waiting_on_human);
}

BOOST_AUTO_TEST_CASE(a_refusal_is_an_answer) {
  boot({gated_scout()});
  const auto r = ask_front<run_receipt>(
    *process, start_request{"nobody", user_message("Go on."), {}});
  BOOST_CHECK(r.error().code == errc::not_found);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
