/// Many runs for one question: some at a time, all of them, the first of them.
/// Virtual time, seeded schedules.

#include <kestrion/tests/support/family.hpp>
#include <kestrion/tests/support/outside.hpp>

namespace kestrion::test {

using namespace std::chrono_literals;

namespace fan_out_test {

struct fans : family {
  std::shared_ptr<patient_model> m = std::make_shared<patient_model>();

  static std::vector<start_request> requests(std::size_t n) {
    std::vector<start_request> out;
    for (std::size_t i = 0; i < n; ++i)
      out.push_back({"scout", user_message(std::to_string(i)), {}});
    return out;
  }

  /// Whose prompt this was.
  static std::string prompt_of(const patient_model::call& c) {
    return text_of(*c.request.conversation.front());
  }

  void says_to(const std::string& prompt, model_outcome what) {
    const auto call =
      std::find_if(m->calls.begin(), m->calls.end(),
                   [&](const auto& c) { return prompt_of(c) == prompt; });
    BOOST_REQUIRE(call != m->calls.end());
    call->done(std::move(what));
    process->settle();
  }

  std::size_t count(run_status s) {
    run_query query;
    query.statuses = {s};
    return disk->list(query).value().size();
  }
};

} // namespace fan_out_test

BOOST_FIXTURE_TEST_SUITE(fan_out_test, fans)

// -- all of -------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(all_are_answered_in_their_order_and_so_many_at_a_time) {
  for (std::uint32_t seed = 1; seed <= 20; ++seed)
    BOOST_TEST_CONTEXT("seed " << seed) {
      disk = open_store("memory:").value();
      m->calls.clear();
      boot({scout(m)}, seed);
      const request_to_front<fan_out_results> all{
        *process, start_all_of{requests(10), {.at_once = 3}}};
      process->settle();
      for (std::size_t ended = 0; ended < 10; ++ended) {
        BOOST_REQUIRE(!all.is_answered());
        BOOST_CHECK_EQUAL(m->calls.size(),
                          std::min<std::size_t>(3, 10 - ended));
        const auto i = process->random() % m->calls.size();
        auto call = std::move(m->calls[i]);
        m->calls.erase(m->calls.begin() + static_cast<std::ptrdiff_t>(i));
        call.done(echo(call));
        process->settle();
      }
      const auto& results = all.answer().value().results;
      BOOST_REQUIRE_EQUAL(results.size(), 10u);
      for (std::size_t i = 0; i < 10; ++i)
        BOOST_CHECK_EQUAL(results[i].output, "seen: " + std::to_string(i));
    }
}

BOOST_AUTO_TEST_CASE(one_that_fails_or_can_t_be_started_is_a_result_too) {
  boot({scout(m)});
  auto wanted = requests(3);
  wanted[1].agent = "nobody";
  const request_to_front<fan_out_results> all{*process, start_all_of{wanted}};
  process->settle();
  says_to("0", fails(errc::refused));
  says_to("2", says("seen"));
  const auto& results = all.answer().value().results;
  BOOST_CHECK_EQUAL(results[0].status, run_status::failed);
  BOOST_CHECK_EQUAL(results[1].status, run_status::failed);
  BOOST_CHECK(!results[1].id);
  BOOST_CHECK_EQUAL(results[1].code, "not_found");
  BOOST_CHECK_EQUAL(results[2].output, "seen");
}

BOOST_AUTO_TEST_CASE(a_parked_one_does_not_hold_up_the_answer) {
  boot({scout(m)});
  const request_to_front<fan_out_results> all{*process,
                                              start_all_of{requests(1)}};
  process->settle();
  BOOST_REQUIRE(
    tell(disk->list({}).value()[0].id, park_run{"crashed too often", {}}));
  BOOST_CHECK_EQUAL(all.answer().value().results[0].status, run_status::parked);
}

BOOST_AUTO_TEST_CASE(of_nothing_all_have_ended) {
  boot({scout(m)});
  BOOST_CHECK(ask_front<fan_out_results>(*process, start_all_of{})
                .value()
                .results.empty());
}

BOOST_AUTO_TEST_CASE(who_asks_no_more_starts_no_more) {
  boot({scout(m)});
  {
    const request_to_front<fan_out_results> all{
      *process, start_all_of{requests(10), {.at_once = 2}}};
    process->settle();
  }
  process->settle();
  says_to("0", says("seen"));
  BOOST_CHECK_EQUAL(disk->list({}).value().size(), 2u);
  BOOST_CHECK_EQUAL(count(run_status::running), 1u); // What started goes on.
}

// -- first of -----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(the_first_answer_cancels_the_others) {
  boot({scout(m)});
  const request_to_front<run_result> first{
    *process, start_first_of{requests(5), {.at_once = 4}}};
  process->settle();
  says_to("2", fails(errc::refused)); // No answer: the fifth may start.
  BOOST_CHECK(!first.is_answered());
  says_to("1", says("seen"));
  BOOST_CHECK_EQUAL(first.answer().value().output, "seen");
  // Durably: before the answer came.
  BOOST_CHECK_EQUAL(disk->list({}).value().size(), 5u);
  BOOST_CHECK_EQUAL(count(run_status::cancelled), 3u);
  for (const auto& c : m->calls)
    if (prompt_of(c) != "1" && prompt_of(c) != "2")
      BOOST_CHECK(c.stop.stop_requested());
}

BOOST_AUTO_TEST_CASE(what_has_not_started_by_then_never_does) {
  boot({scout(m)});
  const request_to_front<run_result> first{
    *process, start_first_of{requests(5), {.at_once = 2}}};
  process->settle();
  says_to("0", says("seen"));
  BOOST_CHECK_EQUAL(first.answer().value().output, "seen");
  BOOST_CHECK_EQUAL(disk->list({}).value().size(), 2u);
}

BOOST_AUTO_TEST_CASE(an_end_without_an_answer_may_be_enough) {
  boot({scout(m)});
  const request_to_front<run_result> first{
    *process, start_first_of{requests(3), {.first = first_that::ended}}};
  process->settle();
  says_to("2", fails(errc::refused));
  BOOST_CHECK_EQUAL(first.answer().value().status, run_status::failed);
  BOOST_CHECK_EQUAL(count(run_status::cancelled), 2u);
}

BOOST_AUTO_TEST_CASE(if_none_answers_it_is_the_last_to_end) {
  boot({scout(m)});
  const request_to_front<run_result> first{*process,
                                           start_first_of{requests(2)}};
  process->settle();
  says_to("1", fails(errc::refused));
  says_to("0", fails(errc::unauthenticated));
  BOOST_CHECK_EQUAL(first.answer().value().code, "unauthenticated");
}

// -- crashes ------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(with_a_key_it_is_asked_again_after_crashes_and_done_once) {
  std::size_t answered = 0;
  for (std::uint32_t seed = 1; seed <= 40; ++seed)
    BOOST_TEST_CONTEXT("seed " << seed) {
      disk = open_store("memory:").value();
      const start_all_of wanted{requests(6), {.at_once = 2, .key = "night"}};
      for (int life = 0; life < 4; ++life) {
        m = std::make_shared<patient_model>();
        // Each at its time, so that no two make the same ids.
        boot({scout(m)}, seed, noon + std::chrono::hours{life});
        const request_to_front<fan_out_results> all{*process, wanted};
        process->settle(static_cast<int>(process->random() % 200));
        for (int i = 0; i < 2 && !m->calls.empty(); ++i) {
          auto call = std::move(m->calls.back());
          m->calls.pop_back();
          ++answered;
          call.done(echo(call));
          process->settle(static_cast<int>(process->random() % 40));
        }
      }
      m = std::make_shared<patient_model>();
      boot({scout(m)}, seed, noon + 5h);
      const request_to_front<fan_out_results> all{*process, wanted};
      for (process->settle(); !m->calls.empty(); process->settle()) {
        auto call = std::move(m->calls.back());
        m->calls.pop_back();
        call.done(echo(call));
      }
      const auto& results = all.answer().value().results;
      for (std::size_t i = 0; i < 6; ++i)
        BOOST_CHECK_EQUAL(results[i].output, "seen: " + std::to_string(i));
      BOOST_CHECK_EQUAL(disk->list({}).value().size(), 6u);
    }
  BOOST_CHECK_GT(answered, 0u);
}

BOOST_AUTO_TEST_CASE(
  others_are_cancelled_also_if_the_directory_dies_meanwhile) {
  for (std::uint32_t seed = 1; seed <= 100; ++seed)
    BOOST_TEST_CONTEXT("seed " << seed) {
      disk = open_store("memory:").value();
      m->calls.clear();
      boot({scout(m)}, seed);
      const request_to_front<run_result> first{*process,
                                               start_first_of{requests(4)}};
      process->settle();
      m->calls.at(seed % 4).done(says("seen"));
      process->settle(static_cast<int>(process->random() % 20));
      if (const auto directory = process->directory())
        caf::anon_send_exit(directory, caf::exit_reason::kill);
      process->advance(1s);
      BOOST_CHECK_EQUAL(first.answer().value().output, "seen");
      BOOST_CHECK_EQUAL(count(run_status::cancelled), 3u);
    }
}

// -- bad input ----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_fan_out_that_makes_no_sense_is_refused) {
  boot({scout(m)});
  const auto none_at_once =
    ask_front<fan_out_results>(*process, start_all_of{requests(1), {0}});
  BOOST_CHECK(none_at_once.error().code == errc::invalid_argument);
  const auto of_none = ask_front<run_result>(*process, start_first_of{});
  BOOST_CHECK(of_none.error().code == errc::invalid_argument);
  BOOST_CHECK(!check({}, fan_out_runs_max + 1, false));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
