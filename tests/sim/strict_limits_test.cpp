/// Many runs, and servers that enforce their limits to the letter: none of them
/// ever has to refuse a call, whoever dies. Virtual time, seeded schedules.

#include <kestrion/store/faulty_store.hpp>
#include <kestrion/tests/support/family.hpp>
#include <kestrion/tests/support/strict_model.hpp>

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <iostream>

namespace kestrion::test {

namespace strict_limits_test {

using namespace std::chrono_literals;

constexpr std::size_t runs = 50;
constexpr int turns = 3;
constexpr std::int64_t requests_a_minute = 60;
constexpr std::int64_t output_a_minute = 8'000;

/// Answers with a tool call until it has had enough.
model_reply next_turn(const model_request& r) {
  const auto spoke =
    std::count_if(r.conversation.begin(), r.conversation.end(),
                  [](const auto& m) { return m->role == role::assistant; });
  const token_usage usage{.output_tokens = 40 + 10 * spoke};
  return spoke + 1 < turns ? calls({{"look"}}, "", usage) : says("done", usage);
}

struct crowd {
  std::shared_ptr<event_store> disk = open_store("memory:").value();
  std::shared_ptr<faulty_store> store;
  std::shared_ptr<strict_model> server;
  std::optional<sim> process;

  void boot(std::uint32_t seed, limit_shape shape) {
    std::mt19937 random{seed};
    const auto phase = noon - std::chrono::milliseconds{random() % 60'000};
    const auto limit = [&](limit_kind kind, std::int64_t amount) {
      return strict_limit{kind, shape, amount, 1min, phase};
    };
    process.reset();
    disk = open_store("memory:").value();
    server = std::make_shared<strict_model>(
      strict_server{{limit(limit_kind::requests, requests_a_minute),
                     limit(limit_kind::output_tokens, output_a_minute)}},
      300ms, [this] { return process->now(); }, next_turn);
    model_options short_answers;
    short_answers.output_tokens_max = 200;
    agent a{"worker"};
    a.model(server).options(short_answers).tool("look", "Looks.", [] {
      return "seen";
    });
    rate_limit limits{};
    if (shape == limit_shape::continuous)
      limits.refilled_continuously();
    limits.requests_per_minute(requests_a_minute)
      .output_tokens_per_minute(output_a_minute);
    engine_options options;
    options.supervision.intensity = 10'000;
    options.restarts.intensity = options.restarts.stuck_max = 10'000;
    options.calls.limits = limits.specs();
    store = std::make_shared<faulty_store>(disk);
    process.emplace(store, std::vector{a}, seed, noon, std::move(options));
    for (std::size_t i = 0; i < runs; ++i)
      caf::anon_send(process->directory(),
                     start_request{"worker", user_message("Go on."), {}});
  }

  bool all_ended() {
    const auto rows = disk->list({}).value();
    return rows.size() == runs
           && std::all_of(rows.begin(), rows.end(), [](const auto& row) {
                return is_terminal(row.status);
              });
  }

  /// @param each  Is called before each step.
  /// @returns How long it took.
  template <class F>
  duration run(duration most, F each) {
    constexpr auto step = 50ms;
    while (!all_ended() && process->now() - noon < most) {
      each();
      process->advance(step);
      server->answer_due();
      process->settle();
    }
    return process->now() - noon;
  }

  void check_all() {
    BOOST_CHECK_EQUAL(server->refused, 0u);
    for (const auto& row : disk->list({}).value())
      BOOST_CHECK_EQUAL(row.status, run_status::completed);
    BOOST_CHECK(all_ended());
    process->settle();
    BOOST_CHECK_EQUAL(process->actors().context->calls->waiting.load(), 0u);
  }
};

} // namespace strict_limits_test

BOOST_FIXTURE_TEST_SUITE(strict_limits_test, crowd)

BOOST_AUTO_TEST_CASE(fifty_runs_never_meet_a_429) {
  for (std::uint32_t seed = 1; seed <= 3; ++seed)
    for (const auto shape :
         {limit_shape::fixed_window, limit_shape::continuous})
      BOOST_TEST_CONTEXT("seed " << seed << ", shape "
                                 << static_cast<int>(shape)) {
        boot(seed, shape);
        const auto took = run(20min, [] {});
        check_all();
        BOOST_CHECK_EQUAL(server->accepted, runs * turns);
        // 150 calls at 60 a minute; the first of them come at once.
        std::cout << runs * turns << " calls at " << requests_a_minute
                  << " a minute took " << took.count() / 1'000'000 << " s\n";
        BOOST_CHECK(took < 4min);
      }
}

BOOST_AUTO_TEST_CASE(nor_do_they_when_the_scheduler_dies_again_and_again) {
  for (std::uint32_t seed = 1; seed <= 3; ++seed)
    BOOST_TEST_CONTEXT("seed " << seed) {
      boot(seed, limit_shape::fixed_window);
      std::mt19937 random{seed};
      int kills = 0;
      run(20min, [&] {
        process->settle(static_cast<int>(random() % 20));
        if (random() % 10 != 0)
          return;
        caf::anon_send_exit(process->actors().context->scheduler.get(),
                            caf::exit_reason::kill);
        ++kills;
      });
      check_all();
      BOOST_CHECK_EQUAL(server->accepted, runs * turns);
      BOOST_CHECK_GT(kills, 100);
    }
}

BOOST_AUTO_TEST_CASE(nor_when_runs_die_while_they_call) {
  for (std::uint32_t seed = 1; seed <= 3; ++seed)
    BOOST_TEST_CONTEXT("seed " << seed) {
      boot(seed, limit_shape::fixed_window);
      while (disk->list({}).value().size() < runs)
        process->settle(1); // All have started.
      std::mt19937 random{seed};
      run(30min, [&] {
        // Later the last runs would die at each of their steps.
        if (process->now() - noon > 2min || random() % 3 != 0)
          return;
        // Who appends next ends: one that calls or waits, most of the time.
        const auto rows = disk->list({}).value();
        store->fail_append(store->appends() + 1, faulty_store::moment::before);
        caf::anon_send(
          process->directory(),
          run_command{rows[random() % rows.size()].id,
                      send_message{user_message("Hurry."), "ana", false, {}}});
      });
      check_all();
      std::cout << server->accepted - runs * turns
                << " calls were made again for runs that died\n";
      BOOST_CHECK_GT(server->accepted, runs * turns);
    }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
