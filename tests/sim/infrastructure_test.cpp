/// The actors that runs need are killed while runs are busy: nothing is lost,
/// nothing done twice. Virtual time, seeded schedules.

#include <kestrion/kestrion.hpp>
#include <kestrion/tests/support/ask.hpp>
#include <kestrion/tests/support/sim.hpp>

#include <boost/test/unit_test.hpp>

#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <iostream>
#include <map>
#include <set>

namespace kestrion::test {

namespace infrastructure_test {

using namespace std::chrono_literals;

constexpr auto noon = timestamp{std::chrono::hours{500'004}};

/// Which of the actors that are started anew.
enum class part : std::uint8_t {
  journal,
  tool_watch,
  scheduler,
  supervisor,
  directory
};
constexpr std::array parts{part::journal, part::tool_watch, part::scheduler,
                           part::supervisor, part::directory};

void kill(sim& process, part p) {
  const auto& context = *process.actors().context;
  const auto end = [](const auto& actor) {
    if (actor)
      caf::anon_send_exit(actor, caf::exit_reason::kill);
  };
  switch (p) {
    case part::journal: return end(context.journal.get());
    case part::tool_watch: return end(context.tool_watch.get());
    case part::scheduler: return end(context.scheduler.get());
    case part::supervisor:
      return end(strong<supervisor_actor>(context.supervisor));
    case part::directory: return end(process.directory());
  }
}

struct fixture {
  std::shared_ptr<event_store> disk = open_store("memory:").value();
  std::map<std::string, int> executions; ///< By idempotency key.

  agent lead() {
    agent a{"lead"};
    const auto prompt = scripted_call{"delegate", R"({"prompt":"scout"})"};
    a.model(function_model([=](const model_request& r) {
       switch (r.conversation.size()) {
         case 1: return calls({{"work"}, prompt});
         case 3: return calls({{"gated"}});
         default: return says("done");
       }
     }))
      .subagent("delegate", "Lets a scout look.", "scout");
    add_tool(a, "work", effect_contract::idempotent);
    add_tool(a, "gated", requires_approval{});
    return a;
  }

  agent scout() {
    agent a{"scout"};
    a.model(function_model([](const model_request& r) {
      return r.conversation.size() == 1 ? calls({{"look"}}) : says("found");
    }));
    add_tool(a, "look", effect_contract::pure);
    return a;
  }

  template <class Option>
  void add_tool(agent& a, const std::string& name, Option option) {
    a.tool(
      name, "A tool.",
      [this](const tool_context& context) {
        ++executions[context.idempotency_key];
        return "ran";
      },
      option);
  }

  std::unique_ptr<sim> boot(std::uint32_t seed) {
    engine_options options;
    options.supervision.intensity = 1'000;
    options.calls.limits = rate_limit{}.concurrent_calls(3).specs();
    return std::make_unique<sim>(disk, std::vector{lead(), scout()}, seed, noon,
                                 options);
  }

  void approve_all(sim& process) {
    run_query waiting;
    waiting.statuses = {run_status::waiting_on_human};
    for (const auto& row : disk->list(waiting).value())
      for (const auto& a : result_of(row.id, process.load(row.id)).approvals)
        if (const auto directory = process.directory())
          caf::anon_send(
            directory,
            run_command{row.id,
                        approve_call{{.call = a.call, .by = "ana"}, {}}});
  }

  std::set<std::string> start_scouts(sim& process, int count) {
    std::set<std::string> out;
    for (int i = 0; i < count; ++i)
      out.insert(ask<run_receipt>(
                   process, start_request{"scout", user_message("Look."), {}})
                   .value()
                   .run.str());
    return out;
  }

  /// By the supervisor of runs.
  std::set<std::string> watched_runs(sim& process) {
    caf::scoped_actor outside{process.system()};
    auto asked = outside->request(
      strong<supervisor_actor>(process.actors().context->supervisor),
      caf::infinite, which_children{});
    process.settle();
    std::set<std::string> out;
    asked.receive(
      [&](const children_there& x) {
        for (const auto& each : x.children)
          out.insert(each.name);
      },
      [](const caf::error&) { BOOST_FAIL("there is no answer"); });
    return out;
  }

  bool all_ended() {
    for (const auto& row : disk->list({}).value())
      if (!is_terminal(row.status))
        return false;
    return true;
  }

  void check_all(std::size_t leads) {
    std::size_t completed = 0;
    for (const auto& row : disk->list({}).value()) {
      const auto state = load_run(*disk, row.id).value();
      BOOST_CHECK_EQUAL(to_string(state.progress.status), "completed");
      completed += row.agent == "lead" ? 1 : 0;
    }
    BOOST_CHECK_EQUAL(completed, leads);
    BOOST_CHECK_EQUAL(disk->list({}).value().size(), 2 * leads);
    BOOST_CHECK_EQUAL(executions.size(), 3 * leads);
    for (const auto& [key, times] : executions)
      if (key.ends_with("/c2.0")) // The gated one is `once`.
        BOOST_CHECK_MESSAGE(times == 1, key << " ran " << times << " times");
  }
};

} // namespace infrastructure_test

BOOST_FIXTURE_TEST_SUITE(infrastructure_test, fixture)

BOOST_AUTO_TEST_CASE(each_of_them_dies_at_any_time_while_runs_are_busy) {
  constexpr std::size_t leads = 8;
  int kills = 0;
  for (std::uint32_t seed = 1; seed <= 60; ++seed)
    for (const auto victim : parts) {
      BOOST_TEST_CONTEXT("seed " << seed << ", victim "
                                 << static_cast<int>(victim)) {
        disk = open_store("memory:").value();
        executions.clear();
        auto process = boot(seed);
        std::mt19937 random{seed};
        for (std::size_t i = 0; i < leads; ++i)
          caf::anon_send(process->directory(),
                         start_request{"lead", user_message("Go on."), {}});
        process->settle(static_cast<int>(random() % 40));
        // The starts are taken; what follows may not be lost.
        while (disk->list({}).value().size() < leads)
          process->settle(1);
        for (int i = 0; i < 5; ++i) {
          process->settle(static_cast<int>(random() % 100));
          kill(*process, victim);
          ++kills;
        }
        for (int i = 0; i < 300 && !all_ended(); ++i) {
          approve_all(*process);
          process->advance(1s);
        }
        check_all(leads);
      }
    }
  std::cout << kills << " infrastructure actors killed\n";
}

BOOST_AUTO_TEST_CASE(a_new_supervisor_of_runs_knows_them_all) {
  auto process = boot(1);
  process->hold_tools(true);
  const auto started = start_scouts(*process, 3);
  kill(*process, part::supervisor);
  process->advance(1s);
  BOOST_CHECK(watched_runs(*process) == started);
  process->hold_tools(false);
}

BOOST_AUTO_TEST_CASE(a_new_supervisor_of_runs_that_came_before_the_directory) {
  auto process = boot(1);
  process->hold_tools(true);
  const auto started = start_scouts(*process, 3);
  // The second restart waits, and takes the third along.
  kill(*process, part::directory);
  process->settle();
  kill(*process, part::directory);
  kill(*process, part::supervisor);
  process->advance(1s);
  BOOST_CHECK(watched_runs(*process) == started);
  process->hold_tools(false);
}

BOOST_AUTO_TEST_CASE(too_many_deaths_stop_the_runtime_in_order) {
  engine_options options;
  options.supervision.intensity = 3;
  auto process =
    std::make_unique<sim>(disk, std::vector{lead(), scout()}, 1, noon, options);
  const auto id = ask<run_receipt>(
    *process, start_request{"lead", user_message("Go on."), {}});
  BOOST_REQUIRE(id.has_value());
  std::optional<caf::scoped_actor> outside{process->system()};
  (*outside)->monitor(process->actors().root);
  for (int i = 0; i < 20; ++i) {
    kill(*process, part::journal);
    process->advance(100ms);
  }
  BOOST_CHECK((*outside)->has_next_message());
  outside.reset();
  // Nothing is lost: the next process goes on.
  process = boot(2);
  for (int i = 0; i < 100 && !all_ended(); ++i) {
    approve_all(*process);
    process->advance(1s);
  }
  check_all(1);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
