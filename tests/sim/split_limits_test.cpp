/// Processes that share a limit, and a server that enforces it to the letter:
/// it never has to refuse a call, whoever dies, and little of the limit is left
/// unused. Virtual time, seeded schedules.

#include <kestrion/store/faulty_store.hpp>
#include <kestrion/tests/support/family.hpp>
#include <kestrion/tests/support/shared_disk.hpp>
#include <kestrion/tests/support/strict_model.hpp>

#include <array>
#include <iostream>

namespace kestrion::test {

namespace split_limits_test {

using namespace std::chrono_literals;

constexpr std::int64_t requests_a_minute = 60;
constexpr auto step = 50ms;

model_reply once(const model_request&) {
  return says("done", {.output_tokens = 10});
}

struct process {
  std::shared_ptr<faulty_store> store;
  std::shared_ptr<strict_model> server;
  sim world;

  process(std::shared_ptr<event_store> disk, std::shared_ptr<strict_model> m,
          std::uint32_t seed, timestamp at, const rate_limit& limits)
    : store(std::make_shared<faulty_store>(std::move(disk))),
      server(std::move(m)),
      world(store, {agent{"worker"}.model(server)}, seed, at,
            {.calls = {.limits = limits.specs()}, .store_is_shared = true}) {}

  void start(int runs) {
    for (int i = 0; i < runs; ++i)
      caf::anon_send(world.directory(),
                     start_request{"worker", user_message("Go on."), {}});
    world.settle();
  }
};

struct processes {
  timestamp at = noon;
  std::shared_ptr<shared_disk> disk =
    std::make_shared<shared_disk>(lease_default, [this] { return at - noon; });
  std::shared_ptr<strict_server> server;
  limit_shape shape = limit_shape::fixed_window;
  std::array<std::optional<process>, 3> all;

  void boot(std::uint32_t seed, limit_shape how) {
    shape = how;
    std::mt19937 random{seed};
    server = std::make_shared<strict_server>(std::vector{
      strict_limit{limit_kind::requests, how, requests_a_minute, 1min,
                   noon - std::chrono::milliseconds{random() % 60'000}}});
    for (std::size_t i = 0; i < all.size(); ++i)
      open(i, seed);
  }

  void open(std::size_t i, std::uint32_t seed) {
    rate_limit limits{};
    if (shape == limit_shape::continuous)
      limits.refilled_continuously();
    limits.across_processes().requests_per_minute(requests_a_minute);
    auto m = std::make_shared<strict_model>(
      server, 300ms, [this] { return at; }, once);
    all.at(i).emplace(disk->open(), std::move(m),
                      seed + static_cast<std::uint32_t>(i), at, limits);
  }

  /// It ends without a word to anybody.
  void kill(std::size_t i) {
    all.at(i)->store->kill();
    all.at(i).reset();
  }

  void pass(duration d) {
    for (const auto end = at + d; at < end; at += step)
      for (auto& each : all)
        if (each) {
          each->world.advance(step);
          each->server->answer_due();
          each->world.settle();
        }
  }

  std::size_t ended() {
    run_query q;
    q.statuses = {run_status::completed, run_status::failed};
    return disk->open()->list(q).value().size();
  }

  /// @returns How long it took until so many runs had ended.
  duration pass_until_ended(std::size_t runs, duration most) {
    const auto begin = at;
    while (ended() < runs && at - begin < most)
      pass(1s);
    BOOST_CHECK_EQUAL(ended(), runs);
    return at - begin;
  }

  std::size_t refused() {
    std::size_t out = 0;
    for (const auto& each : all)
      out += each ? each->server->refused : 0;
    return out;
  }

  std::size_t accepted(std::size_t i) { return all.at(i)->server->accepted; }
};

template <class F>
void with_each_shape(F test) {
  for (std::uint32_t seed = 1; seed <= 3; ++seed)
    for (const auto shape :
         {limit_shape::fixed_window, limit_shape::continuous})
      BOOST_TEST_CONTEXT("seed " << seed << ", shape "
                                 << static_cast<int>(shape))
  test(seed, shape);
}

} // namespace split_limits_test

BOOST_AUTO_TEST_SUITE(split_limits_test)

BOOST_AUTO_TEST_CASE(three_processes_use_one_limit_and_no_call_is_refused) {
  with_each_shape([](std::uint32_t seed, limit_shape shape) {
    processes given;
    given.boot(seed, shape);
    given.pass(5s);
    for (auto& each : given.all)
      each->start(60);
    const auto took = given.pass_until_ended(180, 20min);
    BOOST_CHECK_EQUAL(given.refused(), 0u);
    std::cout << "180 calls of three processes at " << requests_a_minute
              << " a minute took " << took.count() / 1'000'000 << " s\n";
    BOOST_CHECK(took < 4min);
  });
}

BOOST_AUTO_TEST_CASE(who_has_all_the_work_gets_nearly_all_of_the_limit) {
  with_each_shape([](std::uint32_t seed, limit_shape shape) {
    processes given;
    given.boot(seed, shape);
    given.pass(5s);
    given.all[0]->start(180);
    const auto took = given.pass_until_ended(180, 20min);
    BOOST_CHECK_EQUAL(given.refused(), 0u);
    BOOST_CHECK(took < 4min);
  });
}

BOOST_AUTO_TEST_CASE(the_slice_of_a_dead_process_comes_back) {
  with_each_shape([](std::uint32_t seed, limit_shape shape) {
    processes given;
    given.boot(seed, shape);
    given.pass(5s);
    for (auto& each : given.all)
      each->start(40);
    given.pass(20s);
    given.kill(1);
    given.pass(20s);
    given.kill(2);
    // The one that is left takes over their runs, too.
    const auto took = given.pass_until_ended(120, 20min);
    BOOST_CHECK_EQUAL(given.refused(), 0u);
    std::cout << "with two of three processes dead, the rest took "
              << took.count() / 1'000'000 << " s\n";
    BOOST_CHECK(took < 5min);
  });
}

BOOST_AUTO_TEST_CASE(one_that_comes_later_gets_its_part) {
  with_each_shape([](std::uint32_t seed, limit_shape shape) {
    processes given;
    given.boot(seed, shape);
    given.kill(2);
    given.all[0]->start(200);
    given.pass(90s);
    given.open(2, seed + 100);
    given.all[2]->start(60);
    given.pass(3min);
    BOOST_CHECK_EQUAL(given.refused(), 0u);
    BOOST_CHECK_GT(given.accepted(2), 40u);
  });
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
