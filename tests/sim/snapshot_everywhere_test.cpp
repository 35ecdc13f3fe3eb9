/// Runs that take a snapshot after every event. Whatever becomes of these, the
/// runs go on as if there were none, byte for byte.

#include <kestrion/kestrion.hpp>

#include <kestrion/actors/run_machine.hpp>
#include <kestrion/actors/snapshot_codec.hpp>
#include <kestrion/tests/support/sim.hpp>

#include <boost/test/unit_test.hpp>

#include <iostream>
#include <map>

namespace kestrion::test {

namespace snapshot_everywhere_test {

using namespace std::chrono_literals;

constexpr auto begin_of_time = timestamp{std::chrono::hours{500'000}};
constexpr snapshot_rule always{1, 0, 0};
constexpr int turns = 6;

/// Looks something up, asks a person, is told something, and so on.
agent worker() {
  agent a{"worker"};
  a.model(function_model([](const model_request& r) -> model_outcome {
     const auto said = r.conversation.size();
     if (said > 2 * turns)
       return says("done after " + std::to_string(said));
     return calls({{said % 4 == 1 ? "look" : "change", "{}"}});
   }))
    .tool("look", "Looks.", [] { return std::string{"seen \xE2\x82\xAC"}; })
    .tool(
      "change", "Changes.", [] { return std::string{"changed"}; },
      requires_approval{});
  return a;
}

/// What somebody does to the snapshots between two lives of the process.
using tampering = std::function<void(event_store&, const run_id&)>;

void change(event_store& store, const run_id& id,
            const std::function<void(snapshot&)>& how) {
  auto kept = store.find_snapshot(id).value();
  if (!kept)
    return;
  how(*kept);
  BOOST_REQUIRE(store.delete_snapshots());
  BOOST_REQUIRE(store.put_snapshot(id, *kept));
}

const std::map<std::string, tampering> tamperings{
  {"kept",
   [](event_store&, const run_id&) {
   }},
  {"deleted",
   [](event_store& store, const run_id&) {
     BOOST_REQUIRE(store.delete_snapshots());
   }},
  {"cut off",
   [](event_store& store, const run_id& id) {
     change(store, id, [](snapshot& s) { s.data.resize(s.data.size() / 2); });
   }},
  {"of another version",
   [](event_store& store, const run_id& id) {
     change(store, id, [](snapshot& s) { s.version += 1; });
   }},
  {"with a changed byte",
   [](event_store& store, const run_id& id) {
     change(store, id, [](snapshot& s) {
       s.data[s.data.size() - s.data.size() / 3] ^= 1;
     });
   }},
  {"of a longer log", [](event_store& store, const run_id& id) {
     change(store, id, [](snapshot& s) { s.seq += 100; });
   }}};

std::string folded_from_the_log(const event_store& store, const run_id& id) {
  run_state out;
  for (auto& e : load_events(store, id).value())
    out = fold(std::move(out), std::move(e));
  return encode_snapshot(out);
}

/// Says yes to what waits, in a process of its own each time.
/// @returns The run's state at its end, from its log and from wherever.
std::string lives(const snapshot_rule& rule, const tampering& tamper) {
  const auto disk = std::shared_ptr<event_store>{open_store("memory:").value()};
  const auto id = run_id::make(begin_of_time, 0, 1);
  for (std::uint32_t life = 0; life < 20; ++life) {
    sim process{
      disk, {worker()}, 7, begin_of_time + 1h * life, {.snapshots = rule}};
    if (life == 0)
      caf::anon_send(process.directory(),
                     start_request{"worker", user_message("Go on."), {}, id});
    process.settle();
    const auto state = process.load(id);
    BOOST_CHECK_EQUAL(encode_snapshot(state), folded_from_the_log(*disk, id));
    if (is_terminal(state.progress.status))
      return encode_snapshot(state);
    tamper(*disk, id);
    for (const auto& waiting : result_of(id, state).approvals)
      caf::anon_send(
        process.directory(),
        run_command{
          id,
          approve_call{{.call = waiting.call, .by = "ana", .role = ""}, {}}});
    process.settle();
    BOOST_CHECK_EQUAL(disk->find_snapshot(id).value().has_value(),
                      rule.tail_min == 1);
    tamper(*disk, id);
  }
  BOOST_FAIL("the run does not end");
  return {};
}

} // namespace snapshot_everywhere_test

BOOST_AUTO_TEST_SUITE(snapshot_everywhere_test)

BOOST_AUTO_TEST_CASE(whatever_becomes_of_snapshots_the_runs_are_the_same) {
  const auto expected = lives({}, tamperings.at("kept"));
  for (const auto& [what, tamper] : tamperings)
    BOOST_TEST_CONTEXT("snapshots " << what) {
      BOOST_CHECK_EQUAL(lives(always, tamper), expected);
    }
}

BOOST_AUTO_TEST_CASE(a_snapshot_that_comes_late_harms_nobody) {
  // Given two processes of one store, and a run that leaves memory.
  const auto disk = std::shared_ptr<event_store>{open_store("memory:").value()};
  const auto id = run_id::make(begin_of_time, 0, 1);
  sim process{disk, {worker()}, 1, begin_of_time, {.snapshots = always}};
  caf::anon_send(process.directory(),
                 start_request{"worker", user_message("Go on."), {}, id});
  process.settle();
  const auto early = disk->find_snapshot(id).value().value();
  // When one goes on, and the other is late with its snapshot.
  const auto waiting = result_of(id, process.load(id)).approvals.at(0);
  caf::anon_send(
    process.directory(),
    run_command{
      id, approve_call{{.call = waiting.call, .by = "ana", .role = ""}, {}}});
  process.settle();
  const auto newest = disk->find_snapshot(id).value()->seq;
  BOOST_REQUIRE_LT(early.seq, newest);
  BOOST_REQUIRE(disk->put_snapshot(id, early));
  // Then it is not kept, and would give the same state if it were.
  BOOST_CHECK_EQUAL(disk->find_snapshot(id).value()->seq, newest);
  BOOST_REQUIRE(disk->delete_snapshots());
  BOOST_REQUIRE(disk->put_snapshot(id, early));
  BOOST_CHECK_EQUAL(encode_snapshot(process.load(id)),
                    folded_from_the_log(*disk, id));
}

BOOST_AUTO_TEST_CASE(a_short_run_takes_none) {
  const auto disk = std::shared_ptr<event_store>{open_store("memory:").value()};
  const auto id = run_id::make(begin_of_time, 0, 1);
  sim process{disk, {worker()}, 1, begin_of_time};
  caf::anon_send(process.directory(),
                 start_request{"worker", user_message("Go on."), {}, id});
  process.settle();
  BOOST_CHECK(process.load(id).progress.status == run_status::waiting_on_human);
  BOOST_CHECK(!disk->find_snapshot(id).value());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kestrion::test
