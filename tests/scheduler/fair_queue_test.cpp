#include <kestrion/scheduler/fair_queue.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <random>

using namespace kestrion;

namespace fair_queue_test {

/// A queue whose calls are all kept here.
struct fixture {
  fair_queue queue;
  std::map<std::uint64_t, fair_queue::item> items;
  std::uint64_t last = 0;

  std::uint64_t push(std::uint32_t tenant, std::uint64_t run, double cost,
                     double weight = 1, double boost = 0) {
    auto& made = items[++last];
    made.ticket = last;
    made.run = run_id::make(timestamp{}, 0, run);
    made.cost = cost;
    made.weight = weight;
    made.boost = boost;
    made.tenant = tenant;
    queue.push(made);
    return last;
  }

  /// It has its turn. @param more  Than its cost, or less, it uses.
  fair_queue::item pop(double more = 0) {
    auto& next = queue.first();
    queue.take(next);
    queue.end(next, more);
    const auto what = next;
    items.erase(what.ticket);
    return what;
  }
};

} // namespace fair_queue_test

BOOST_FIXTURE_TEST_SUITE(fair_queue_test, fixture)

BOOST_AUTO_TEST_CASE(tenants_share_by_weight_whatever_their_calls_cost) {
  std::minstd_rand rng{1};
  std::array<double, 3> got{};
  for (std::uint32_t t = 0; t < 3; ++t)
    for (std::uint64_t r = 1; r <= 5; ++r)
      push(t, 10 * t + r, 100, 1 << t);
  for (int i = 0; i < 20'000; ++i) {
    const auto what = pop();
    got[what.tenant] += what.cost;
    const auto cost = 1 + static_cast<double>(rng() % 100) * (3 - what.tenant);
    auto& next = items[++last] = what;
    next.ticket = last;
    next.cost = cost;
    queue.push(next);
  }
  BOOST_TEST(got[1] / got[0] == 2, boost::test_tools::tolerance(0.02));
  BOOST_TEST(got[2] / got[0] == 4, boost::test_tools::tolerance(0.02));
}

BOOST_AUTO_TEST_CASE(what_calls_really_cost_decides_not_the_estimate) {
  std::array<double, 2> got{};
  for (std::uint32_t t = 0; t < 2; ++t)
    for (std::uint64_t run = 1; run <= 3; ++run)
      push(t, 10 * t + run, 100);
  for (int i = 0; i < 5'000; ++i) {
    const auto actual = queue.first().tenant == 0 ? 33.0 : 300.0;
    auto what = pop(actual - queue.first().cost);
    got[what.tenant] += actual;
    what.ticket = ++last;
    queue.push(items[last] = what);
  }
  BOOST_TEST(got[1] / got[0] == 1, boost::test_tools::tolerance(0.02));
}

BOOST_AUTO_TEST_CASE(a_stream_of_newcomers_does_not_starve_who_was_there) {
  push(0, 1, 100);
  pop();
  const auto old = push(0, 1, 100); // It has had something already.
  std::uint64_t run = 1;
  for (int i = 0; i < 1'000; ++i) {
    push(0, ++run, 100);
    if (pop().ticket == old)
      return;
  }
  BOOST_FAIL("starved");
}

BOOST_AUTO_TEST_CASE(priority_goes_first_and_ages) {
  const auto low = push(0, 1, 100);
  std::uint64_t run = 1;
  int urgent = 0;
  for (; urgent < 1'000; ++urgent) {
    push(0, ++run, 100, 1, 1'000); // A head start of ten calls.
    if (pop().ticket == low)
      break;
  }
  BOOST_TEST(urgent >= 5);
  BOOST_TEST(urgent <= 40);
}

BOOST_AUTO_TEST_CASE(a_big_call_is_not_passed_by_small_ones_for_long) {
  const auto big = push(0, 1, 10'000);
  std::uint64_t before = 0;
  while (pop().ticket != big) {
    push(1, 2, 10);
    ++before;
  }
  BOOST_TEST(before < 3u);
}

BOOST_AUTO_TEST_CASE(who_is_taken_out_is_gone) {
  const auto a = push(0, 1, 100);
  const auto b = push(0, 1, 100);
  queue.erase(items.at(a));
  queue.erase(items.at(a)); // Twice is once.
  BOOST_TEST(queue.size() == 1u);
  BOOST_TEST(pop().ticket == b);
  BOOST_TEST(queue.empty());
}

BOOST_AUTO_TEST_CASE(runs_that_came_and_went_are_forgotten) {
  for (std::uint64_t run = 1; run <= 100'000; ++run) {
    push(0, run, 10);
    pop();
  }
  BOOST_TEST(queue.remembered() < 100u);
}

BOOST_AUTO_TEST_CASE(what_a_call_used_counts_however_late_it_ends) {
  auto& slow = items.at(push(0, 1, 10));
  queue.take(slow);
  for (std::uint64_t run = 2; run <= 100; ++run) {
    push(0, run, 10);
    pop();
  }
  BOOST_TEST(queue.remembered() < 10u);
  const auto other = push(0, 2, 10);
  queue.end(slow, 1'000); // It has used more than it said.
  const auto again = push(0, 1, 10);
  BOOST_TEST(pop().ticket == other);
  BOOST_TEST(pop().ticket == again);
}

BOOST_AUTO_TEST_CASE(of_a_run_each_call_waits_by_itself) {
  auto& a = items.at(push(0, 1, 10));
  auto& b = items.at(push(0, 1, 10, 1, 50)); // Before a.
  auto& c = items.at(push(0, 1, 10, 1, 50));
  queue.erase(c);
  auto& d = items.at(push(0, 1, 10));
  BOOST_TEST(&queue.first() == &b);
  queue.take(b);
  BOOST_TEST(&queue.first() == &a);
  queue.take(a);
  queue.end(b, 0);
  queue.end(a, 0);
  BOOST_TEST(&queue.first() == &d);
  queue.erase(d);
  BOOST_TEST(queue.empty());
  BOOST_TEST(queue.cost() == 0);
}

BOOST_AUTO_TEST_CASE(runs_of_the_same_name_are_as_many_as_tenants) {
  auto& a = items.at(push(0, 1, 10));
  auto& b = items.at(push(1, 1, 10));
  queue.take(a);
  queue.take(b);
  BOOST_TEST(queue.remembered() == 2u);
  queue.end(b, 1'000);
  const auto poor = push(0, 1, 10);
  const auto rich = push(1, 1, 10);
  BOOST_TEST(pop().ticket == poor);
  BOOST_TEST(pop().ticket == rich);
  queue.end(a, 0);
}

BOOST_AUTO_TEST_SUITE_END()
