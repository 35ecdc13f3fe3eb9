#include <kestrion/scheduler/supervision.hpp>

#include <boost/test/unit_test.hpp>

using namespace kestrion;
using namespace std::chrono_literals;

namespace supervision_test {

struct fixture {
  supervision_spec spec{restart_strategy::one_for_one, 3, 10s, {10ms, 25ms, 0}};
  std::vector<restart_type> types{
    restart_type::permanent, restart_type::transient, restart_type::temporary,
    restart_type::permanent};
  std::deque<timestamp> restarts;
  timestamp now{std::chrono::sys_days{std::chrono::year{2026} / 1 / 2}};

  supervision_verdict ends(std::size_t child, exit_kind kind = exit_kind::crash,
                           duration later = 1s) {
    now += later;
    return on_exit(spec, types, restarts, child, kind, now);
  }
  static supervision_verdict restart(std::vector<std::size_t> children,
                                     duration delay = {}) {
    return restart_children{std::move(children), delay};
  }
};

} // namespace supervision_test

BOOST_FIXTURE_TEST_SUITE(supervision_test, fixture)

BOOST_AUTO_TEST_CASE(the_type_says_which_ends_call_for_a_restart) {
  BOOST_CHECK(ends(0) == restart({0}));
  restarts.clear();
  BOOST_CHECK(ends(0, exit_kind::normal) == restart({0}));
  restarts.clear();
  BOOST_CHECK(ends(1) == restart({1}));
  restarts.clear();
  BOOST_CHECK(ends(1, exit_kind::normal) == supervision_verdict{let_go{}});
  BOOST_CHECK(ends(2) == supervision_verdict{let_go{}});
  BOOST_CHECK(ends(2, exit_kind::normal) == supervision_verdict{let_go{}});
  BOOST_CHECK(restarts.empty()); // Who is let go does not count.
}

BOOST_AUTO_TEST_CASE(the_strategy_says_who_else_is_started_anew) {
  spec.strategy = restart_strategy::one_for_all;
  BOOST_CHECK(ends(1) == restart({0, 1, 3}));
  restarts.clear();
  spec.strategy = restart_strategy::rest_for_one;
  BOOST_CHECK(ends(1) == restart({1, 3}));
  restarts.clear();
  BOOST_CHECK(ends(3) == restart({3}));
}

BOOST_AUTO_TEST_CASE(restarts_wait_longer_the_more_a_period_has) {
  BOOST_CHECK(ends(0) == restart({0}));
  BOOST_CHECK(ends(3) == restart({3}, 10ms));
  BOOST_CHECK(ends(0) == restart({0}, 20ms));
  BOOST_CHECK(ends(0, exit_kind::crash, 10s) == restart({0}));
}

BOOST_AUTO_TEST_CASE(more_than_the_intensity_within_a_period_escalate) {
  for (int i = 0; i < 3; ++i)
    BOOST_CHECK(std::holds_alternative<restart_children>(ends(0)));
  BOOST_CHECK(ends(3) == supervision_verdict{escalate{4}});
}

BOOST_AUTO_TEST_CASE(restarts_before_the_period_are_forgotten) {
  for (int i = 0; i < 20; ++i)
    BOOST_CHECK(std::holds_alternative<restart_children>(
      ends(0, exit_kind::crash, 3'334ms))); // Three within 10 s, never four.
}

BOOST_AUTO_TEST_SUITE_END()
