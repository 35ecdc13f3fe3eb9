/// What the actors do beside the machine: starting, waiting, waking up,
/// deadlines, restarts. Virtual time, seeded schedules.

#include <kestrion/kestrion.hpp>
#include <kestrion/store/faulty_store.hpp>
#include <kestrion/tests/support/ask.hpp>
#include <kestrion/tests/support/patient_model.hpp>
#include <kestrion/tests/support/sim.hpp>

#include <boost/test/unit_test.hpp>

namespace kestrion::test {

namespace fleet_test {

using namespace std::chrono_literals;

constexpr auto noon = timestamp{std::chrono::hours{500'004}};

struct fixture {
  std::shared_ptr<event_store> disk = open_store("memory:").value();
  int tool_runs = 0;

  agent make(model_ptr m) {
    agent a{"subject"};
    a.model(std::move(m))
      .tool("plain", "A tool.",
            [this] {
              ++tool_runs;
              return "ran";
            })
      .tool(
        "gated", "A gated tool.",
        [this] {
          ++tool_runs;
          return "ran";
        },
        requires_approval{"engineer"}.within(1h));
    return a;
  }

  /// A process over this disk whose model says `replies`.
  std::unique_ptr<sim> boot(std::vector<model_outcome> replies,
                            timestamp at = noon, std::uint32_t seed = 1) {
    return std::make_unique<sim>(
      disk, std::vector{make(scripted(std::move(replies)))}, seed, at);
  }

  static start_request go(std::optional<std::string> key = {}) {
    start_request r{"subject", user_message("Go on."), {}};
    r.options.key = std::move(key);
    return r;
  }

  static run_id start(sim& process) {
    return ask<run_receipt>(process, go()).value().run;
  }

  static run_result wait(sim& process, const run_id& id) {
    return ask<run_result>(process, await_run{id, wait_until::at_rest}).value();
  }

  static run_command approve(const run_id& id) {
    return {id, approve_call{{.by = "ana", .role = "engineer"}, {}}};
  }
};

std::vector<std::string> log_of(const event_store& disk, const run_id& id) {
  std::vector<std::string> out;
  for (const auto& e : load_events(disk, id).value())
    out.emplace_back(tag_of(e.event));
  return out;
}

bool contains(const std::vector<std::string>& log, const std::string& what) {
  return std::find(log.begin(), log.end(), what) != log.end();
}

} // namespace fleet_test

BOOST_FIXTURE_TEST_SUITE(fleet_test, fixture)

BOOST_AUTO_TEST_CASE(a_run_completes_and_its_waiters_hear_of_it) {
  auto process = boot({calls({{"plain"}}), says("done")});
  const auto id = start(*process);
  const auto r = wait(*process, id);
  BOOST_CHECK_EQUAL(to_string(r.status), "completed");
  BOOST_CHECK_EQUAL(r.output, "done");
  BOOST_CHECK_EQUAL(tool_runs, 1);
}

BOOST_AUTO_TEST_CASE(an_unknown_agent_is_named_with_those_that_are_known) {
  auto process = boot({});
  const auto r = ask<run_receipt>(
    *process, start_request{"nobody", user_message("Hi."), {}});
  BOOST_REQUIRE(!r);
  BOOST_CHECK(r.error().code == errc::not_found);
  BOOST_CHECK_EQUAL(r.error().detail, "agent \"nobody\" is not known to this "
                                      "runtime; it knows subject");
}

BOOST_AUTO_TEST_CASE(an_unknown_run_is_named) {
  auto process = boot({});
  const auto id = run_id::make(noon, 1, 2);
  const auto r = ask<run_receipt>(*process, approve(id));
  BOOST_REQUIRE(!r);
  BOOST_CHECK(r.error().code == errc::not_found);
  BOOST_CHECK(r.error().detail.find(id.str()) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_empty_prompt_leaves_no_run_behind) {
  auto process = boot({});
  const auto r = ask<run_receipt>(*process, start_request{"subject", {}, {}});
  BOOST_REQUIRE(!r);
  BOOST_CHECK(r.error().code == errc::invalid_argument);
  BOOST_CHECK(disk->list({}).value().empty());
}

BOOST_AUTO_TEST_CASE(the_same_key_is_the_same_run) {
  auto process = boot({says("one"), says("two")});
  const auto first = ask<run_receipt>(*process, go("k")).value();
  const auto again = ask<run_receipt>(*process, go("k")).value();
  BOOST_CHECK_EQUAL(first.run, again.run);
  BOOST_CHECK_EQUAL(disk->list({}).value().size(), 1u);
}

BOOST_AUTO_TEST_CASE(the_same_key_at_the_same_time_is_the_same_run) {
  for (std::uint32_t seed = 1; seed <= 50; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      disk = open_store("memory:").value();
      auto process = boot({says("one"), says("two")}, noon, seed);
      caf::scoped_actor a{process->system()};
      caf::scoped_actor b{process->system()};
      auto first = a->request(process->directory(), caf::infinite, go("k"));
      auto second = b->request(process->directory(), caf::infinite, go("k"));
      process->settle();
      std::vector<run_id> runs;
      const auto keep = [&](const run_receipt& r) {
        runs.push_back(r.run);
      };
      const auto fail = [](const caf::error& e) {
        BOOST_ERROR(from_caf(e).detail);
      };
      first.receive(keep, fail);
      second.receive(keep, fail);
      BOOST_REQUIRE_EQUAL(runs.size(), 2u);
      BOOST_CHECK_EQUAL(runs[0], runs[1]);
      BOOST_CHECK_EQUAL(disk->list({}).value().size(), 1u);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_waiting_run_leaves_memory_and_wakes_for_its_approval) {
  auto process = boot({calls({{"gated"}}), says("done")});
  const auto before = process->system().registry().running();
  const auto id = start(*process);
  BOOST_CHECK_EQUAL(to_string(wait(*process, id).status), "waiting_on_human");
  BOOST_CHECK_EQUAL(process->system().registry().running(), before);
  BOOST_REQUIRE(ask<run_receipt>(*process, approve(id)));
  BOOST_CHECK_EQUAL(to_string(wait(*process, id).status), "completed");
  BOOST_CHECK_EQUAL(tool_runs, 1);
}

BOOST_AUTO_TEST_CASE(a_refused_decision_keeps_no_waiting_run_in_memory) {
  auto process = boot({calls({{"gated"}}), says("done")});
  const auto before = process->system().registry().running();
  const auto id = start(*process);
  const auto refused = ask<run_receipt>(
    *process,
    run_command{id, approve_call{{.by = "ana", .role = "nobody"}, {}}});
  BOOST_CHECK(refused.error().code == errc::forbidden);
  BOOST_CHECK_EQUAL(process->system().registry().running(), before);
}

BOOST_AUTO_TEST_CASE(a_wait_for_the_end_goes_on_over_an_approval) {
  auto process = boot({calls({{"gated"}}), says("done")});
  const auto id = start(*process);
  question<run_result, await_run> ended{*process, {id, wait_until::ended}};
  BOOST_CHECK(!ended.is_answered());
  BOOST_REQUIRE(ask<run_receipt>(*process, approve(id)));
  BOOST_CHECK_EQUAL(ended.answer().value().output, "done");
}

BOOST_AUTO_TEST_CASE(run_to_end_answers_with_the_result) {
  auto process = boot({calls({{"plain"}}), says("done")});
  BOOST_CHECK_EQUAL(ask<run_result>(*process, run_to_end{go()}).value().output,
                    "done");
}

BOOST_AUTO_TEST_CASE(a_deadline_expires_the_run_without_anybody) {
  auto process = boot({calls({{"gated"}})});
  const auto id = start(*process);
  process->advance(59min);
  BOOST_CHECK_EQUAL(to_string(wait(*process, id).status), "waiting_on_human");
  process->advance(1min);
  const auto r = wait(*process, id);
  BOOST_CHECK_EQUAL(to_string(r.status), "expired");
  BOOST_CHECK_EQUAL(tool_runs, 0);
}

BOOST_AUTO_TEST_CASE(a_deadline_is_not_reset_by_a_restart) {
  auto process = boot({calls({{"gated"}})});
  const auto id = start(*process);
  process.reset();
  process = boot({}, noon + 50min);
  process->advance(9min);
  BOOST_CHECK_EQUAL(to_string(process->load(id).progress.status),
                    "waiting_on_human");
  process->advance(1min);
  BOOST_CHECK_EQUAL(to_string(process->load(id).progress.status), "expired");
}

BOOST_AUTO_TEST_CASE(a_deadline_that_passed_while_no_process_lived_expires) {
  auto process = boot({calls({{"gated"}})});
  const auto id = start(*process);
  process.reset();
  process = boot({}, noon + 2h);
  process->settle();
  BOOST_CHECK_EQUAL(to_string(process->load(id).progress.status), "expired");
}

BOOST_AUTO_TEST_CASE(a_retry_waits_for_the_servers_time) {
  auto process =
    boot({fails(errc::rate_limited, true, duration{20s}), says("done")});
  const auto id = start(*process);
  process->advance(19s);
  BOOST_CHECK_EQUAL(to_string(process->load(id).progress.status), "running");
  process->advance(2s);
  BOOST_CHECK_EQUAL(to_string(process->load(id).progress.status), "completed");
}

BOOST_AUTO_TEST_CASE(cancel_stops_the_model_call_and_no_effect_follows) {
  auto m = std::make_shared<patient_model>();
  sim process{disk, {make(m)}, 1, noon};
  const auto id = start(process);
  BOOST_REQUIRE_EQUAL(m->calls.size(), 1u);
  BOOST_REQUIRE(ask<run_receipt>(
    process, run_command{id, cancel_run{"ana", "enough", {}}}));
  BOOST_CHECK(m->calls[0].stop.stop_requested());
  m->calls[0].done(calls({{"plain"}})); // Too late.
  process.settle();
  BOOST_CHECK_EQUAL(tool_runs, 0);
  BOOST_CHECK_EQUAL(log_of(*disk, id).back(), "run_cancelled");
}

BOOST_AUTO_TEST_CASE(a_tool_that_hangs_is_an_error_result) {
  agent a{"subject"};
  a.model(scripted({calls({{"slow"}}), says("done")}))
    .tool(
      "slow", "Hangs.", [] { return "late"; }, timeout{5s});
  sim process{disk, {a}, 1, noon};
  process.hold_tools(true);
  const auto id = start(process);
  process.advance(6s);
  BOOST_CHECK_EQUAL(to_string(process.load(id).progress.status), "completed");
  BOOST_CHECK(contains(log_of(*disk, id), "tool_call_failed"));
  process.hold_tools(false); // It ends after all; nobody listens any more.
  process.settle();
  BOOST_CHECK(!contains(log_of(*disk, id), "tool_call_completed"));
}

BOOST_AUTO_TEST_CASE(
  a_tool_that_no_thread_was_free_for_never_starts_once_late) {
  const auto subject = make(scripted({calls({{"plain"}}), says("done")}));
  for (const bool cancels : {true, false}) {
    disk = open_store("memory:").value();
    tool_runs = 0;
    sim process{disk, {subject}, 1, noon};
    process.hold_tools(true);
    const auto id = start(process);
    if (cancels)
      BOOST_REQUIRE(ask<run_receipt>(
        process, run_command{id, cancel_run{"ana", "enough", {}}}));
    else
      process.advance(6min); // Its timeout.
    process.hold_tools(false);
    process.settle();
    BOOST_CHECK_EQUAL(tool_runs, 0);
  }
}

BOOST_AUTO_TEST_CASE(a_run_whose_append_fails_lives_again_and_completes) {
  for (std::uint64_t n = 2; n <= 4; ++n)
    for (auto when :
         {faulty_store::moment::before, faulty_store::moment::after}) {
      BOOST_TEST_CONTEXT("append " << n) {
        disk = open_store("memory:").value();
        auto store = std::make_shared<faulty_store>(disk);
        store->fail_append(n, when);
        sim process{store,
                    {make(function_model([](const model_request& r) {
                      return r.conversation.size() == 1
                               ? model_outcome{calls({{"plain"}})}
                               : model_outcome{says("done")};
                    }))},
                    1,
                    noon};
        const auto id = start(process);
        question<run_result, await_run> ended{process, {id, wait_until::ended}};
        process.advance(1s);
        BOOST_CHECK_EQUAL(ended.answer().value().output, "done");
      }
    }
}

BOOST_AUTO_TEST_CASE(a_log_that_can_not_be_read_parks_its_run_only) {
  auto process = boot({calls({{"gated"}}), calls({{"gated"}}), says("done")});
  const auto sound = start(*process);
  const auto broken = start(*process);
  const auto length = disk->find(broken).value()->last_seq;
  append_request rubbish;
  rubbish.run = broken;
  rubbish.expected_seq = length;
  rubbish.status = run_status::waiting_on_human;
  rubbish.events.push_back({noon, "no_such_event", "{}"});
  BOOST_REQUIRE(disk->append({&rubbish, 1})[0]);

  question<run_receipt, run_command> decision{*process, approve(broken)};
  process->advance(30s);
  BOOST_CHECK(!decision.answer());
  const auto row = disk->find(broken).value();
  BOOST_CHECK_EQUAL(to_string(row->status), "parked");
  const auto r = wait(*process, broken);
  BOOST_CHECK_EQUAL(to_string(r.status), "parked");
  BOOST_CHECK(r.reason.find("no_such_event") != std::string::npos);
  BOOST_CHECK(r.reason.find(broken.str()) != std::string::npos);

  BOOST_REQUIRE(ask<run_receipt>(*process, approve(sound)));
  BOOST_CHECK_EQUAL(to_string(wait(*process, sound).status), "completed");
}

BOOST_AUTO_TEST_CASE(a_run_that_keeps_crashing_is_parked_and_can_be_released) {
  auto store = std::make_shared<faulty_store>(disk);
  // Its third append never works; parking is the append that does.
  for (std::uint64_t n = 2; n <= 7; ++n)
    store->fail_append(n, faulty_store::moment::before);
  sim process{store,
              {make(function_model([](const model_request&) {
                return model_outcome{says("done")};
              }))},
              1,
              noon};
  const auto id = start(process);
  question<run_result, await_run> rest{process, {id, wait_until::at_rest}};
  process.advance(30s);
  const auto r = rest.answer().value();
  BOOST_CHECK_EQUAL(to_string(r.status), "parked");
  BOOST_CHECK(r.reason.find("crashed 6 times") != std::string::npos);

  BOOST_REQUIRE(
    ask<run_receipt>(process, run_command{id, unpark_run{"ana", {}}}));
  BOOST_CHECK_EQUAL(to_string(wait(process, id).status), "completed");
}

BOOST_AUTO_TEST_CASE(a_run_that_crashes_slowly_without_progress_is_parked) {
  // More than a period between crashes, so that intensity alone never parks;
  // each recovery makes the log longer, which is no progress.
  auto store = std::make_shared<faulty_store>(disk);
  for (std::uint64_t n = 3; n <= 40; n += 2)
    store->fail_append(n, faulty_store::moment::before);
  engine_options options;
  options.restarts.backoff = {61s, 61s, 0};
  sim process{store,
              {make(function_model([](const model_request&) {
                return model_outcome{says("done")};
              }))},
              1,
              noon,
              options};
  store->fail_append(2, faulty_store::moment::before);
  const auto id = start(process);
  process.advance(20min);
  BOOST_CHECK_EQUAL(to_string(process.load(id).progress.status), "parked");
}

BOOST_AUTO_TEST_CASE(a_wait_for_the_end_hears_of_parking) {
  auto store = std::make_shared<faulty_store>(disk);
  for (std::uint64_t n = 2; n <= 7; ++n)
    store->fail_append(n, faulty_store::moment::before);
  sim process{store,
              {make(function_model([](const model_request&) {
                return model_outcome{says("done")};
              }))},
              1,
              noon};
  const auto id = start(process);
  question<run_result, await_run> end{process, {id, wait_until::ended}};
  process.advance(30s);
  BOOST_CHECK_EQUAL(to_string(end.answer().value().status), "parked");
}

BOOST_AUTO_TEST_CASE(a_model_that_throws_costs_its_run_only) {
  struct throwing_model final : model {
    std::string name() const override { return "throwing"; }
    std::optional<model_price> price() const override { return {}; }
    void complete(model_request, std::stop_token, model_callback) override {
      throw std::runtime_error("no such thing");
    }
  };
  sim process{disk,
              {make(std::make_shared<throwing_model>()),
               agent{"sound"}.model(scripted({says("done")}))},
              1,
              noon};
  const auto r = wait(process, start(process));
  BOOST_CHECK_EQUAL(to_string(r.status), "failed");
  BOOST_CHECK(r.reason.find("no such thing") != std::string::npos);
  const auto other =
    ask<run_result>(process, run_to_end{{"sound", user_message("Go on."), {}}});
  BOOST_CHECK_EQUAL(other.value().output, "done");
}

BOOST_AUTO_TEST_CASE(appends_of_many_runs_share_a_commit) {
  auto store = std::make_shared<faulty_store>(disk);
  sim process{store,
              {make(function_model([](const model_request&) {
                return model_outcome{says("done")};
              }))},
              1,
              noon};
  for (int i = 0; i < 100; ++i)
    caf::anon_send(process.directory(), go());
  process.settle();
  BOOST_CHECK_EQUAL(disk->list({}).value().size(), 100u);
  BOOST_CHECK_LT(store->appends(), 100u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
