#pragma once

/// A crash at every append, before it is durable and after, and after every
/// effect, for each scenario; then a second crash at every append of the life
/// that recovers. All points are enumerated, none sampled; but with sanitizers,
/// which look at memory and not at what is decided, one second crash in four.
///
/// The world (what tools did, what people decided) survives a crash; the
/// process does not. Whatever the crash, the conversation must end up as if
/// there had been none.

#include "crash_agents.hpp"

#include <kestrion/kestrion.hpp>

#include <kestrion/actors/run_machine.hpp>

#include <kestrion/store/faulty_store.hpp>
#include <kestrion/tests/support/sim.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace kestrion::test::crashes {

using moment = faulty_store::moment;

inline constexpr auto begin_of_time = timestamp{std::chrono::hours{500'000}};

inline bool has_run(const outside& world, const std::string& key) {
  return times_run(world, key) != 0;
}

/// What a person who can look at the world says about a call in doubt.
inline doubt_resolution honest_answer(const outside& world,
                                      const doubtful_call& c) {
  doubt_resolution answer{.call = c.call, .by = "ana"};
  if (has_run(world, c.run.str() + "/" + c.call)) {
    const auto value = parse_json(c.arguments, "arguments").value();
    answer.answer = doubt_answer::happened;
    answer.content =
      c.tool + " did " + std::to_string(value.at("value").as_int64());
  } else {
    answer.answer = doubt_answer::run_again;
  }
  return answer;
}

/// Where a process dies; a zero says that it does not.
struct crash_point {
  std::uint64_t append = 0;
  moment when = moment::before;
  int effect = -1;
};

/// One life of the process, until the run ends, waits for ever, or death.
/// @returns How many appends and effects there were.
struct life {
  std::uint64_t appends = 0;
  int effects = 0;
};

/// Decides about whatever the run waits for.
inline void act_for_people(const scenario& s, sim& process,
                           const outside& world, const run_id& run) {
  if (world.dead())
    return;
  const auto now = result_of(run, process.load(run));
  for (const auto& waiting : now.approvals)
    if (auto c = s.decide(waiting))
      caf::anon_send(process.directory(), run_command{run, *c});
  for (const auto& asked : now.questions)
    caf::anon_send(
      process.directory(),
      run_command{run, answer_question{{asked.call, "ana", "forty-two"}, {}}});
  for (const auto& doubtful : now.in_doubt)
    caf::anon_send(
      process.directory(),
      run_command{run, resolve_doubt{honest_answer(world, doubtful), {}}});
}

inline life live(const scenario& s, const std::shared_ptr<event_store>& disk,
                 const std::shared_ptr<outside>& world,
                 const crash_point& crash, std::uint32_t seed) {
  auto store = std::make_shared<faulty_store>(disk);
  if (crash.append != 0)
    store->die_at_append(crash.append, crash.when);
  world->store = store.get();
  world->effects = 0;
  world->die_after = crash.effect;
  {
    sim process{store,
                {make_agent(s, world), make_helper(world), make_router(world),
                 make_specialist(world)},
                seed,
                begin_of_time,
                {.snapshots = s.snapshots}};
    process.settle();
    start_request start{"subject", user_message("Go on."), {}};
    start.options.key = "the only run";
    caf::anon_send(process.directory(), start);
    process.settle();
    for (int steps = 0; steps < 100 && !store->dead(); ++steps) {
      const auto row = disk->find_by_key("subject", "the only run").value();
      if (!row || is_terminal(row->status))
        break;
      for (const auto& each : disk->list({}).value())
        act_for_people(s, process, *world, each.id);
      process.settle();
      process.advance(std::chrono::seconds{1}); // Backoffs, deadlines.
    }
    store->kill();
  }
  const life lived{store->appends(), world->effects};
  world->store = nullptr;
  return lived;
}

struct ending {
  run_state state;
  /// By call: how its run ended, and what was said there.
  std::map<std::string, std::string> children;
  std::vector<execution> executions;
};

/// The conversation as JSON: what must not depend on crashes.
inline std::string said(const run_state& s) {
  std::string out;
  for (const auto& m : s.conversation)
    append_json(out, *m);
  return out;
}

inline ending ending_of(const std::shared_ptr<event_store>& disk,
                        const outside& world) {
  const auto row = disk->find_by_key("subject", "the only run").value();
  BOOST_REQUIRE(row);
  ending out{load_run(*disk, row->id).value(), {}, world.executions};
  run_state whole;
  for (auto& e : load_events(*disk, row->id).value())
    whole = fold(std::move(whole), std::move(e));
  BOOST_CHECK(out.state == whole);
  run_query below;
  below.parent = row->id;
  for (const auto& child : disk->list(below).value()) {
    const auto state = load_run(*disk, child.id).value();
    out.children[state.header->parent_call.value() + child.agent] =
      std::string{to_string(child.status)} + " " + said(state);
  }
  if (const auto next = result_of(row->id, out.state).handed_to)
    out.children["handed over"] = said(load_run(*disk, *next).value());
  return out;
}

inline void check(const scenario& s, const ending& expected,
                  const ending& got) {
  BOOST_CHECK_EQUAL(to_string(got.state.progress.status), to_string(s.end));
  BOOST_CHECK_EQUAL(said(got.state), said(expected.state));
  BOOST_CHECK(got.children == expected.children);
  std::map<std::string, execution> by_key;
  std::map<std::string, int> times;
  for (const auto& e : got.executions) {
    const auto [i, is_new] = by_key.emplace(e.key, e);
    // The same key is the same call, whichever life made it.
    BOOST_CHECK_EQUAL(i->second.tool, e.tool);
    BOOST_CHECK_EQUAL(i->second.arguments, e.arguments);
    ++times[e.key];
  }
  for (const auto& [key, n] : times) {
    const auto& tool = by_key[key].tool;
    if (tool == "single" || tool == "gated" || tool == "chained"
        || tool == "probed" || tool == "lossy")
      BOOST_CHECK_MESSAGE(n == 1, tool << " ran " << n << " times");
  }
  // Keys are stable: a crash makes no call that was not to be made.
  std::set<std::string> expected_calls;
  for (const auto& e : expected.executions)
    expected_calls.insert(e.key.substr(e.key.find('/')));
  std::set<std::string> calls;
  for (const auto& e : got.executions)
    calls.insert(e.key.substr(e.key.find('/')));
  BOOST_CHECK_EQUAL_COLLECTIONS(calls.begin(), calls.end(),
                                expected_calls.begin(), expected_calls.end());
}

inline std::vector<crash_point> points_of(const life& l) {
  std::vector<crash_point> out;
  for (std::uint64_t n = 1; n <= l.appends; ++n)
    for (auto when : {moment::before, moment::after})
      out.push_back({n, when, -1});
  for (int n = 1; n <= l.effects; ++n)
    out.push_back({0, moment::before, n});
  return out;
}

/// The second crashes that are tried after the first one of this number.
inline std::vector<crash_point> second_points(const life& l, std::size_t nth) {
  auto out = points_of(l);
#ifdef __SANITIZE_ADDRESS__
  constexpr std::size_t one_in = 4;
  std::vector<crash_point> some;
  for (auto i = nth % one_in; i < out.size(); i += one_in)
    some.push_back(out[i]);
  out = std::move(some);
#else
  static_cast<void>(nth);
#endif
  return out;
}

inline std::string describe(const scenario& s, const crash_point& c,
                            std::uint32_t seed) {
  return s.name + ", seed " + std::to_string(seed) + ", crash "
         + (c.effect >= 0
              ? "after effect " + std::to_string(c.effect)
              : std::string{c.when == moment::before ? "before" : "after"}
                  + " append " + std::to_string(c.append));
}

/// @param twice  Also a second crash, at each point of the life that recovers.
/// @returns How many points were tried.
inline int crash_everywhere(const scenario& s, bool twice) {
  constexpr std::uint32_t seed = 1;
  auto disk = std::shared_ptr<event_store>{open_store("memory:").value()};
  auto world = std::make_shared<outside>();
  const auto undisturbed = live(s, disk, world, {}, seed);
  const auto expected = ending_of(disk, *world);
  BOOST_REQUIRE_EQUAL(to_string(expected.state.progress.status),
                      to_string(s.end));
  int tried = 0;
  std::size_t nth = 0;
  for (const auto& first : points_of(undisturbed)) {
    // The life after the first crash, undisturbed: how long is it?
    auto disk1 = std::shared_ptr<event_store>{open_store("memory:").value()};
    auto world1 = std::make_shared<outside>();
    live(s, disk1, world1, first, seed);
    const auto second_life = live(s, disk1, world1, {}, seed + 1);
    BOOST_TEST_CONTEXT(describe(s, first, seed)) {
      check(s, expected, ending_of(disk1, *world1));
      ++tried;
      for (const auto& second : twice ? second_points(second_life, nth++)
                                      : std::vector<crash_point>{})
        BOOST_TEST_CONTEXT("then " << describe(s, second, seed + 1)) {
          auto disk2 =
            std::shared_ptr<event_store>{open_store("memory:").value()};
          auto world2 = std::make_shared<outside>();
          live(s, disk2, world2, first, seed);
          live(s, disk2, world2, second, seed + 1);
          live(s, disk2, world2, {}, seed + 2);
          check(s, expected, ending_of(disk2, *world2));
          ++tried;
        }
    }
  }
  return tried;
}

inline scripted_call call(const std::string& tool, int value) {
  return {tool, "{\"value\":" + std::to_string(value) + "}"};
}

inline std::optional<command> yes(const pending_approval& a) {
  return approve_call{{.call = a.call,
                       .by = "ana",
                       .role = a.missing_roles.front(),
                       .digest = a.digest},
                      {}};
}

inline std::optional<command> no(const pending_approval& a) {
  return deny_call{{.call = a.call,
                    .by = "ana",
                    .role = a.missing_roles.front(),
                    .digest = a.digest,
                    .reason = "not today"},
                   {}};
}

/// Edits once; the roles that follow agree to what was edited.
inline std::optional<command> edited(const pending_approval& a) {
  auto c = std::get<approve_call>(*yes(a));
  if (a.arguments != R"({"value":7})") {
    c.decision.arguments = R"({"value":7})";
    c.decision.digest = a.digest;
  }
  return c;
}

/// Logs are folded from their beginning; and again, with one crash only, from
/// the last event on.
inline void run_scenario(scenario s) {
  for (const bool has_snapshots : {false, true}) {
    s.snapshots = has_snapshots ? snapshot_rule{1, 0, 0} : snapshot_rule{};
    const auto tried = crash_everywhere(s, !has_snapshots);
    std::cout << s.name << ": " << tried << " crash points tried\n";
    BOOST_CHECK_GT(tried, 0);
    s.name += " with snapshots everywhere";
  }
}

} // namespace kestrion::test::crashes
