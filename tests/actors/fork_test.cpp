#include <kestrion/kestrion.hpp>

#include <kestrion/actors/replay.hpp>
#include <kestrion/tests/support/machine_dsl.hpp>
#include <kestrion/tests/support/temp_folder.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <string>

/// A past that is branched.
namespace kestrion::test {

namespace fork_test {

/// Agent "worker" adds 1 with a tool that counts its calls, twice, and answers.
struct world {
  temp_folder folder;
  std::string store = "sqlite:///" + (folder / "runs.db");
  std::atomic<int> effects{0};

  agent worker() {
    return agent{"worker"}
      .model(model_by_turn(
        {calls({{"add", "{}"}}), calls({{"add", "{}"}}), says("done")}))
      .tool("add", "Adds.", [this] { return ++effects; });
  }

  runtime_options options() {
    runtime_options out;
    out.store = store;
    return out;
  }
};

std::vector<std::string> tags_of(const std::vector<recorded_event>& events) {
  std::vector<std::string> out;
  out.reserve(events.size());
  for (const auto& e : events)
    out.emplace_back(tag_of(e.event));
  return out;
}

/// Whether it was refused, with what that says.
std::string why_not(runtime& rt, const run_id& id, std::uint64_t at,
                    const std::string& by = "ana") {
  try {
    static_cast<void>(rt.fork(id, at, {by}));
  } catch (const failure& e) {
    return e.what();
  }
  return "";
}

} // namespace fork_test

BOOST_FIXTURE_TEST_SUITE(fork_test, world)

BOOST_AUTO_TEST_CASE(a_fork_does_nothing_before_it_is_armed) {
  runtime rt{options(), {worker()}};
  const auto original = rt.start("worker", "go");
  BOOST_REQUIRE(original.wait().status == run_status::completed);
  BOOST_REQUIRE_EQUAL(effects, 2);
  const auto log = rt.events(original.id());
  const auto before = tags_of(log);

  std::vector<run> forks;
  for (const auto& e : log)
    if (why_not(rt, original.id(), e.seq).empty()) {
      forks.push_back(rt.fork(original.id(), e.seq, {"ana"}));
      const auto events = rt.events(forks.back().id());
      BOOST_REQUIRE_EQUAL(events.size(), e.seq + 1);
      BOOST_CHECK(std::equal(log.begin() + 1,
                             log.begin() + static_cast<std::ptrdiff_t>(e.seq),
                             events.begin() + 1));
      const auto r = forks.back().wait();
      BOOST_CHECK(r.status == run_status::parked);
      BOOST_CHECK_EQUAL(r.reason, "forked by ana from event "
                                    + std::to_string(e.seq) + " of "
                                    + original.id().str() + "; unpark arms it");
      BOOST_CHECK(!rt.verify(forks.back().id()).flaw);
    }
  BOOST_REQUIRE_GE(forks.size(), 4u);
  BOOST_CHECK_EQUAL(effects, 2);

  for (const auto& fork : forks) {
    rt.unpark(fork.id(), "ana");
    BOOST_CHECK(fork.wait_until_ended().status == run_status::completed);
    const auto report = rt.replay(fork.id());
    BOOST_CHECK_MESSAGE(!report.divergence, report.divergence->why);
  }
  BOOST_CHECK_GT(effects, 2);
  BOOST_CHECK(tags_of(rt.events(original.id())) == before);
}

BOOST_AUTO_TEST_CASE(a_fork_stays_fenced_in_other_processes) {
  run_id fork;
  {
    runtime rt{options(), {worker()}};
    const auto original = rt.start("worker", "go");
    original.wait();
    fork = rt.fork(original.id(), 2, {"ana"}).id();
  }
  effects = 0;
  {
    runtime rt{options(), {worker()}};
    BOOST_CHECK(rt.find(fork).wait().status == run_status::parked);
  }
  BOOST_CHECK_EQUAL(effects, 0);
  runtime rt{options(), {worker()}};
  rt.steer(fork, "hurry", {.by = "ana"});
  BOOST_CHECK(rt.result(fork).status == run_status::parked);
  rt.unpark(fork, "ana");
  BOOST_CHECK(rt.find(fork).wait().status == run_status::completed);
  BOOST_CHECK_EQUAL(effects, 2);
}

BOOST_AUTO_TEST_CASE(a_fork_of_a_fork_is_one) {
  runtime rt{options(), {worker()}};
  const auto original = rt.start("worker", "go");
  original.wait();
  const auto first = rt.fork(original.id(), 2, {"ana"});
  const auto second = rt.fork(first.id(), 3, {"bob"});
  rt.unpark(second.id(), "bob");
  const auto r = second.wait();
  BOOST_CHECK_MESSAGE(r.status == run_status::parked
                        || r.status == run_status::completed,
                      r.reason);
  BOOST_CHECK(rt.result(first.id()).status == run_status::parked);
  BOOST_CHECK(!rt.replay(second.id()).divergence);
}

BOOST_AUTO_TEST_CASE(what_no_fork_is_says_where_one_could_be) {
  runtime rt{options(), {worker()}};
  const auto original = rt.start("worker", "go");
  original.wait();
  const auto id = original.id();
  const auto length = rt.events(id).size();
  const auto about = "invalid_argument: run " + id.str() + " can't be forked ";
  const auto of = " of " + std::to_string(length);
  // The start and the prompt are one decision.
  BOOST_CHECK_EQUAL(why_not(rt, id, 1),
                    about + "at event 1" + of + "; the nearest places are 2");
  BOOST_CHECK_EQUAL(why_not(rt, id, length).substr(0, about.size() + 8),
                    about + "at event");
  BOOST_CHECK_EQUAL(why_not(rt, id, 0),
                    about + "at event 0" + of + "; the nearest places are 2");
  BOOST_CHECK_EQUAL(why_not(rt, id, 2, ""),
                    "invalid_argument: who forks a run has to be named: \"by\" "
                    "is empty");
  BOOST_CHECK_EQUAL(why_not(rt, run_id::make({}, 0, 1), 1).substr(0, 9),
                    "not_found");
}

BOOST_AUTO_TEST_CASE(resuming_under_another_definition_says_so) {
  const auto parked = [&](const std::string& prompt) {
    return worker().system(prompt);
  };
  run_id fork;
  {
    runtime rt{options(), {parked("Be kind.")}};
    const auto original = rt.start("worker", "go");
    original.wait();
    fork = rt.fork(original.id(), 2, {"ana"}).id();
  }
  runtime rt{options(), {parked("Be brief.")}};
  rt.unpark(fork, "ana");
  BOOST_CHECK(rt.find(fork).wait().status == run_status::completed);
  const auto tags = tags_of(rt.events(fork));
  BOOST_CHECK_EQUAL(std::count(tags.begin(), tags.end(), "definition_changed"),
                    1);
  const auto report = rt.replay(fork);
  BOOST_CHECK(!report.divergence);
  BOOST_CHECK(!report.definition_changed); // It went on with this one.
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
