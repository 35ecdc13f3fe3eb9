/// The supervisor of anybody's actors, in virtual time.

#include <kestrion/actors/protocol.hpp>
#include <kestrion/actors/supervision_tree.hpp>
#include <kestrion/tests/support/schedule.hpp>

#include <boost/test/unit_test.hpp>

#include <caf/exit_reason.hpp>
#include <caf/scoped_actor.hpp>

namespace kestrion::test {

namespace supervision_tree_test {

using namespace std::chrono_literals;

struct fixture {
  schedule world;
  std::vector<std::string> story;
  std::map<std::string, caf::actor> actors;
  supervision_spec spec{restart_strategy::one_for_one, 3, 10s, {10ms, 1s, 0}};
  caf::actor tree;

  ~fixture() {
    caf::anon_send_exit(tree, caf::exit_reason::user_shutdown);
    world.advance(10s);
    tree = nullptr;
    actors.clear();
  }

  /// Ends when asked, as most actors do; a stubborn one when it is killed.
  supervised_child child(const std::string& name,
                         restart_type type = restart_type::permanent,
                         bool stubborn = false) {
    return {name,
            [this, name, stubborn](caf::actor_system& system) {
              story.push_back("start " + name);
              return actors[name] = system.spawn(
                       [this, name, stubborn](caf::event_based_actor* self) {
                         self->attach_functor([this, name](const caf::error&) {
                           story.push_back("end " + name);
                         });
                         if (stubborn)
                           self->set_exit_handler([](const caf::exit_msg&) {});
                         return caf::behavior{[](int) {
                         }};
                       });
            },
            type, 1s};
  }

  void grow(std::vector<supervised_child> children) {
    tree = world.system().spawn(supervision_tree, spec, std::move(children),
                                [this] { return world.now(); });
    world.settle();
  }

  void end(const std::string& name, caf::exit_reason reason) {
    story.clear();
    caf::anon_send_exit(actors.at(name), reason);
    world.settle();
  }

  void told(const std::vector<std::string>& expected) {
    BOOST_CHECK_EQUAL_COLLECTIONS(story.begin(), story.end(), expected.begin(),
                                  expected.end());
    story.clear();
  }
};

} // namespace supervision_tree_test

BOOST_FIXTURE_TEST_SUITE(supervision_tree_test, fixture)

BOOST_AUTO_TEST_CASE(children_start_in_order_and_end_in_reverse) {
  grow({child("a"), child("b"), child("c")});
  told({"start a", "start b", "start c"});
  caf::anon_send_exit(tree, caf::exit_reason::user_shutdown);
  world.settle();
  told({"end c", "end b", "end a"});
}

BOOST_AUTO_TEST_CASE(one_for_one_restarts_the_one) {
  grow({child("a"), child("b")});
  end("a", caf::exit_reason::kill);
  told({"end a", "start a"});
}

BOOST_AUTO_TEST_CASE(one_for_all_restarts_all_in_order) {
  spec.strategy = restart_strategy::one_for_all;
  grow({child("a"), child("b"), child("c")});
  end("b", caf::exit_reason::kill);
  told({"end b", "end c", "end a", "start a", "start b", "start c"});
}

BOOST_AUTO_TEST_CASE(rest_for_one_restarts_those_that_came_later) {
  spec.strategy = restart_strategy::rest_for_one;
  grow({child("a"), child("b"), child("c")});
  end("b", caf::exit_reason::kill);
  told({"end b", "end c", "start b", "start c"});
}

BOOST_AUTO_TEST_CASE(a_transient_child_that_ends_normally_stays_away) {
  grow({child("a", restart_type::transient)});
  end("a", caf::exit_reason::user_shutdown);
  told({"end a"});
}

BOOST_AUTO_TEST_CASE(a_temporary_child_stays_away_in_any_case) {
  grow({child("a", restart_type::temporary)});
  end("a", caf::exit_reason::kill);
  told({"end a"});
}

BOOST_AUTO_TEST_CASE(the_second_restart_waits) {
  grow({child("a")});
  end("a", caf::exit_reason::kill);
  end("a", caf::exit_reason::kill);
  told({"end a"});
  world.advance(9ms);
  told({});
  world.advance(1ms);
  told({"start a"});
}

BOOST_AUTO_TEST_CASE(too_many_restarts_end_all_and_the_supervisor_fails) {
  caf::scoped_actor outside{world.system()};
  grow({child("a"), child("b")});
  outside->monitor(tree);
  for (int i = 0; i < 3; ++i) {
    end("a", caf::exit_reason::kill);
    world.advance(100ms);
  }
  end("a", caf::exit_reason::kill);
  told({"end a", "end b"});
  caf::error why;
  BOOST_REQUIRE(outside->has_next_message());
  outside->receive([&](const caf::down_msg& x) { why = x.reason; });
  const auto e = from_caf(why);
  BOOST_CHECK(e.code == errc::unavailable);
  BOOST_CHECK_EQUAL(e.detail,
                    "the actor \"a\" ended once more; that makes 4 restarts "
                    "within 10 s, of at most 3");
}

BOOST_AUTO_TEST_CASE(who_does_not_end_in_time_is_killed) {
  grow({child("a"), child("deaf", restart_type::permanent, true)});
  story.clear();
  caf::anon_send_exit(tree, caf::exit_reason::user_shutdown);
  world.settle();
  told({});
  world.advance(999ms);
  told({});
  world.advance(1ms);
  told({"end deaf", "end a"});
}

BOOST_AUTO_TEST_CASE(a_restart_that_waits_does_not_outlive_its_supervisor) {
  grow({child("deaf", restart_type::permanent, true), child("b")});
  end("b", caf::exit_reason::kill);
  end("b", caf::exit_reason::kill); // It would start again after 10 ms.
  caf::anon_send_exit(tree, caf::exit_reason::user_shutdown);
  world.advance(1s);
  told({"end b", "end deaf"});
}

BOOST_AUTO_TEST_CASE(it_tells_whom_it_looks_after) {
  caf::scoped_actor outside{world.system()};
  grow({child("a"), child("b", restart_type::temporary), child("c")});
  end("b", caf::exit_reason::kill);
  end("c", caf::exit_reason::kill);
  auto asked = outside->request(tree, caf::infinite, which_children{});
  world.settle();
  std::vector<std::string> names;
  asked.receive(
    [&](const children_there& x) {
      for (const auto& each : x.children) {
        names.push_back(each.name);
        BOOST_CHECK(each.actor == actors.at(each.name).address());
      }
    },
    [](const caf::error&) { BOOST_FAIL("there is no answer"); });
  const std::vector<std::string> expected{"a", "c"};
  BOOST_CHECK_EQUAL_COLLECTIONS(names.begin(), names.end(), expected.begin(),
                                expected.end());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
