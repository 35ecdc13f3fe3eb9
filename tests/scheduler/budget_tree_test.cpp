#include <kestrion/scheduler/budget_tree.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <vector>

using namespace kestrion;
using namespace std::chrono_literals;

namespace budget_tree_test {

constexpr timestamp now{std::chrono::hours{500'000}};

/// What a call of a schedule may use of each.
constexpr std::int64_t call_max = 60;

struct reservation {
  budget_tree::node at = 0;
  budget_amount most;
};

/// One schedule: parents and children reserve, settle and crash at random.
void no_node_is_overrun(std::uint64_t seed) {
  std::mt19937_64 rng{seed};
  const auto upto = [&](std::int64_t n) {
    return static_cast<std::int64_t>(rng() % static_cast<std::uint64_t>(n + 1));
  };
  budget_tree tree;
  std::vector<std::pair<budget_tree::node, budget_limits>> nodes;
  for (int i = 0; i < 6; ++i) {
    budget_limits limits{upto(100), upto(100), upto(10)};
    limits.last_may_exceed = upto(1) == 0;
    const auto parent = i == 0 ? std::string{} : std::to_string(upto(i - 1));
    nodes.emplace_back(tree.set(std::to_string(i), parent, limits).value(),
                       limits);
  }
  std::vector<reservation> open;
  for (int i = 0; i < 24; ++i) {
    if (open.empty() || upto(1) == 0) {
      const auto at = nodes[static_cast<std::size_t>(upto(5))].first;
      const budget_amount most{upto(call_max), upto(call_max), 1};
      if (!tree.reserve(at, most, now))
        open.push_back({at, most});
    } else {
      const auto which = static_cast<std::size_t>(
        upto(static_cast<std::int64_t>(open.size()) - 1));
      const auto r = open[which];
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(which));
      // Answered; crashed before it was sent; crashed, nobody knows.
      const auto end = upto(2);
      tree.settle(r.at, r.most,
                  end == 0   ? budget_amount{upto(r.most.usd_micros),
                                           upto(r.most.tokens), 1}
                  : end == 1 ? budget_amount{}
                             : r.most);
    }
    for (const auto& [at, limits] : nodes) {
      const auto& used = tree.used(at);
      // One call, the last, may be over it where that is allowed.
      const auto over = limits.last_may_exceed ? call_max - 1 : 0;
      if (used.usd_micros > *limits.usd_micros_max + over
          || used.tokens > *limits.tokens_max + over
          || used.calls > *limits.calls_max)
        BOOST_FAIL("overrun in the schedule of seed " << seed);
    }
  }
  for (const auto& r : open)
    tree.settle(r.at, r.most, {});
  for (const auto& [at, limits] : nodes)
    if (tree.reserved(at) != budget_amount{})
      BOOST_FAIL("lost a reservation in the schedule of seed " << seed);
}

} // namespace budget_tree_test

BOOST_AUTO_TEST_SUITE(budget_tree_test)

BOOST_AUTO_TEST_CASE(no_budget_is_overrun_in_any_schedule) {
  const auto* set = std::getenv("KESTRION_SEED");
  const auto first = set ? std::strtoull(set, nullptr, 10) : 1;
  const auto count = set ? 1 : std::getenv("KESTRION_LONG") ? 1'000'000 : 5'000;
  for (int i = 0; i < count; ++i)
    no_node_is_overrun(first + static_cast<std::uint64_t>(i));
  std::cout << count << " schedules of budgets, from seed " << first << '\n';
}

BOOST_AUTO_TEST_CASE(a_refusal_names_the_node_that_is_used_up) {
  budget_tree tree;
  tree.set("tenant", "", {.tokens_max = 100}).value();
  const auto run = tree.set("run", "tenant", {.usd_micros_max = 50}).value();
  BOOST_TEST(!tree.reserve(run, {10, 80, 1}, now));
  const auto why = tree.reserve(run, {10, 30, 1}, now);
  BOOST_REQUIRE(why);
  BOOST_TEST(why->node == "tenant");
  BOOST_TEST(why->what == "tokens");
  BOOST_TEST(why->only_reserved); // Nobody has used it yet.
  tree.settle(run, {10, 80, 1}, {10, 80, 1});
  BOOST_TEST(!tree.reserve(run, {10, 30, 1}, now)->only_reserved);
}

BOOST_AUTO_TEST_CASE(children_that_work_together_cannot_overrun_their_parent) {
  budget_tree tree;
  tree.set("parent", "", {.calls_max = 1}).value();
  const auto a = tree.set("a", "parent", {}).value();
  const auto b = tree.set("b", "parent", {}).value();
  BOOST_TEST(!tree.reserve(a, {0, 0, 1}, now));
  BOOST_TEST(tree.reserve(b, {0, 0, 1}, now).has_value());
  tree.settle(a, {0, 0, 1}, {}); // It was never sent.
  BOOST_TEST(!tree.reserve(b, {0, 0, 1}, now));
}

BOOST_AUTO_TEST_CASE(a_call_that_costs_more_than_reserved_is_counted_in_full) {
  budget_tree tree;
  const auto run = tree.set("run", "", {.tokens_max = 100}).value();
  BOOST_TEST(!tree.reserve(run, {0, 100, 1}, now));
  tree.settle(run, {0, 100, 1}, {0, 130, 1});
  BOOST_TEST(tree.overdrawn(run).tokens == 30);
  BOOST_TEST(tree.reserve(run, {0, 1, 1}, now).has_value());
}

BOOST_AUTO_TEST_CASE(wall_time_ends_a_budget) {
  budget_tree tree;
  const auto run = tree.set("run", "", {.ends_at = now + 1h}).value();
  BOOST_TEST(!tree.reserve(run, {0, 1, 1}, now + 1h - 1us));
  BOOST_TEST(tree.reserve(run, {0, 1, 1}, now + 1h)->what == "wall time");
}

BOOST_AUTO_TEST_CASE(a_node_is_forgotten_once_nothing_depends_on_it) {
  budget_tree tree;
  const auto top = tree.set("top", "", {}).value();
  tree.set("middle", "top", {}).value();
  const auto run = tree.set("run", "middle", {}).value();
  BOOST_TEST(!tree.reserve(run, {0, 7, 1}, now));
  tree.remove("middle");
  tree.remove("run");
  BOOST_TEST(tree.find("run").has_value());
  BOOST_TEST(tree.find("middle").has_value());
  tree.settle(run, {0, 7, 1}, {0, 7, 1});
  BOOST_TEST(!tree.find("run"));
  BOOST_TEST(!tree.find("middle"));
  BOOST_TEST(tree.used(top).tokens == 7);
  BOOST_CHECK(tree.set("x", "run", {}).error().code == errc::not_found);
}

BOOST_AUTO_TEST_CASE(a_node_that_is_set_again_or_kept_stays) {
  budget_tree tree;
  const auto run = tree.set("run", "", {}).value();
  tree.keep(run);
  tree.remove("run");
  BOOST_TEST(tree.set("run", "", {}).value() == run);
  tree.unkeep(run);
  BOOST_TEST(tree.find("run").has_value());
  tree.remove("run");
  BOOST_TEST(!tree.find("run"));
}

BOOST_AUTO_TEST_CASE(the_last_call_may_exceed_alone) {
  budget_tree tree;
  const auto parent =
    tree.set("parent", "", {.tokens_max = 100, .last_may_exceed = true})
      .value();
  const auto a = tree.set("a", "parent", {}).value();
  const auto b = tree.set("b", "parent", {}).value();
  BOOST_TEST(!tree.reserve(a, {0, 60, 1}, now));
  BOOST_TEST(tree.reserve(b, {0, 60, 1}, now)->only_reserved);
  tree.settle(a, {0, 60, 1}, {0, 50, 1});
  BOOST_TEST(!tree.reserve(b, {0, 60, 1}, now)); // 50 are left.
  BOOST_TEST(tree.reserve(a, {0, 1, 1}, now)->only_reserved);
  tree.settle(b, {0, 60, 1}, {0, 60, 1});
  BOOST_TEST(tree.used(parent).tokens == 110);
  BOOST_TEST(!tree.reserve(a, {0, 1, 1}, now)->only_reserved);
}

BOOST_AUTO_TEST_CASE(what_was_used_elsewhere_counts_above_once) {
  budget_tree tree;
  const auto top = tree.set("top", "", {.tokens_max = 10}).value();
  const auto run = tree.set("run", "top", {}).value();
  tree.raise_to(run, {3, 10, 2});
  BOOST_CHECK(tree.used(top) == (budget_amount{3, 10, 2}));
  tree.raise_to(run, {5, 4, 2}); // Of each only what is missing.
  BOOST_CHECK(tree.used(run) == (budget_amount{5, 10, 2}));
  BOOST_CHECK(tree.used(top) == (budget_amount{5, 10, 2}));
  BOOST_TEST(!tree.reserve(run, {0, 1, 1}, now)->only_reserved);
}

BOOST_AUTO_TEST_SUITE_END()
