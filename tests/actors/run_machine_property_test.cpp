#include "machine_player.hpp"

#include <boost/test/unit_test.hpp>

#include <kestrion/tests/support/machine_dsl.hpp>

#include <kestrion/actors/fork.hpp>
#include <kestrion/actors/replay.hpp>
#include <kestrion/actors/snapshot_codec.hpp>
#include <kestrion/messages/match.hpp>

#include <cstdlib>
#include <iostream>
#include <map>
#include <random>
#include <set>

/// Random commands, right and wrong ones, against what must hold after each.
/// KESTRION_SEED=n repeats a run of the test.
using namespace kestrion;
using namespace std::chrono_literals;
using test::machine_story;

namespace run_machine_property_test {

using player = test::machine_player;

constexpr int stories = 400;
constexpr int commands_max = 120;
constexpr int commands_after_end = 12;

std::uint64_t seed() {
  const char* given = std::getenv("KESTRION_SEED");
  const std::uint64_t n =
    given ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::cout << "run_machine_property_test: KESTRION_SEED=" << n << std::endl;
  return n;
}

// -- what must hold -----------------------------------------------------------

run_state folded(const std::vector<recorded_event>& log) {
  run_state s;
  for (const auto& e : log)
    s = fold(std::move(s), e);
  return s;
}

void check_refusal(const machine_story& story) {
  const auto is_typed = [](const error& e) {
    return !e.detail.empty()
           && (e.code == errc::refused || e.code == errc::forbidden
               || e.code == errc::not_found
               || e.code == errc::invalid_argument);
  };
  if (!story.last)
    BOOST_REQUIRE(is_typed(story.last.error()));
  else if (story.last->refusal)
    BOOST_REQUIRE(is_typed(*story.last->refusal));
  else if (!story.last->events.empty())
    BOOST_REQUIRE(story.last->status == story.status());
}

/// After the end nothing, and no tool or child before all gates of its batch
/// are open.
/// @param s  The state before the last command.
void check_events(const machine_story& story, run_state s) {
  for (auto i = s.progress.seq; i < story.log.size(); ++i) {
    if (std::holds_alternative<tool_call_started>(story.log[i].event)
        || std::holds_alternative<child_started>(story.log[i].event)
        || std::holds_alternative<question_asked>(story.log[i].event)
        || std::holds_alternative<handed_off>(story.log[i].event)) {
      BOOST_REQUIRE(s.progress.status != run_status::parked);
      for (const auto& call : s.progress.calls)
        BOOST_REQUIRE(call.phase != call_phase::waiting
                      || missing_roles(call).empty());
      const auto* started = std::get_if<tool_call_started>(&story.log[i].event);
      if (!started || !started->by) // Nobody said that it should run again.
        BOOST_REQUIRE(!s.progress.limit);
    }
    BOOST_REQUIRE(!is_terminal(s.progress.status));
    s = fold(std::move(s), story.log[i]);
  }
}

std::int64_t times_compacted(const machine_story& story) {
  return std::count_if(
    story.log.begin(), story.log.end(), [](const recorded_event& e) {
      return std::holds_alternative<conversation_compacted>(e.event);
    });
}

/// Ids are m1, m2, … and c1.0, c1.1, …; a batch is answered in its order. Where
/// older messages were summed up, some ids are gone.
void check_conversation(const machine_story& story) {
  const auto& s = story.state;
  const bool is_whole = times_compacted(story) == 0;
  std::int64_t turn = 0;
  std::vector<std::string> asked;
  std::set<std::string> vendor_ids;
  for (const auto& m : s.conversation) {
    std::vector<std::string> answered;
    turn += m->role == role::assistant ? 1 : 0;
    if (m->role != role::tool)
      BOOST_REQUIRE(asked.empty());
    for (const auto& p : m->parts) {
      if (const auto* call = std::get_if<tool_call_part>(&p)) {
        const auto of_turn = call->id.substr(1, call->id.find('.') - 1);
        BOOST_REQUIRE_EQUAL(call->id,
                            "c" + of_turn + "." + std::to_string(asked.size()));
        BOOST_REQUIRE(is_whole ? std::stoi(of_turn) == turn
                               : std::stoi(of_turn) >= turn);
        BOOST_REQUIRE(!call->vendor_id.empty());
        BOOST_REQUIRE(vendor_ids.insert(call->vendor_id).second);
        asked.push_back(call->id);
      }
      if (const auto* result = std::get_if<tool_result_part>(&p))
        answered.push_back(result->call);
    }
    if (m->role == role::tool) {
      BOOST_REQUIRE(answered == asked);
      asked.clear();
    }
  }
  // A summary may stand for words of people alone.
  BOOST_REQUIRE(is_whole ? turn == s.progress.turns : turn <= s.progress.turns);
  if (s.progress.model_call) {
    BOOST_REQUIRE(asked.empty()); // A model never sees a call unanswered.
    BOOST_REQUIRE_EQUAL(s.progress.model_call->id,
                        "m" + std::to_string(s.progress.turns + 1));
  }
}

/// Only what is asked next waits for a summary, and what it is about is there.
void check_compaction(const run_state& s) {
  const auto& open = s.progress.compaction;
  if (!open)
    return;
  BOOST_REQUIRE(s.progress.model_call);
  BOOST_REQUIRE_EQUAL(open->call, "k" + s.progress.model_call->id.substr(1));
  BOOST_REQUIRE_GE(open->first, 1);
  BOOST_REQUIRE_GE(open->messages, 2);
  BOOST_REQUIRE_LT(open->first + open->messages, std::ssize(s.conversation));
}

/// What was said is in the conversation or waits for its turn, nothing twice.
void check_words(const machine_story& story) {
  const auto& s = story.state;
  const auto is_word = [](const recorded_event& e) {
    return std::holds_alternative<message_received>(e.event)
           || std::holds_alternative<signal_received>(e.event)
           || std::holds_alternative<output_rejected>(e.event);
  };
  const auto words = std::count_if(story.log.begin(), story.log.end(), is_word);
  const auto said =
    std::count_if(s.conversation.begin(), s.conversation.end(),
                  [](const auto& m) { return m->role == role::user; });
  const auto compacted = times_compacted(story);
  if (compacted == 0)
    BOOST_REQUIRE_EQUAL(words, said + std::ssize(s.heard));
  else // One summary is left, and maybe no word that it is about.
    BOOST_REQUIRE_GE(words + 1, said + std::ssize(s.heard));
  BOOST_REQUIRE_EQUAL(s.progress.heard, std::ssize(s.heard));
  if (s.progress.model_call)
    BOOST_REQUIRE_LT(s.progress.model_call->given_up,
                     s.progress.model_call->attempt);
}

/// Somebody always has the next move: the world, a person, or nobody any more.
void check_next_move(const run_state& s) {
  std::size_t works = 0;
  std::size_t children = 0;
  std::size_t handoffs = 0;
  std::size_t wakes = 0;
  for (const auto& e : owed(s))
    match(
      e, [&](const wake_up&) { ++wakes; },
      [&](const start_child& x) { ++(x.handoff ? handoffs : children); },
      [&](const call_model&) {
        BOOST_REQUIRE(!s.progress.limit);
        ++works;
      },
      [&](const run_tool&) { ++works; });
  auto waits = std::count_if(s.progress.calls.begin(), s.progress.calls.end(),
                             [](const auto& call) {
                               return call.phase == call_phase::in_doubt
                                      || call.phase == call_phase::asking
                                      || (call.phase == call_phase::waiting
                                          && !missing_roles(call).empty());
                             });
  waits += s.progress.limit ? 1 : 0;
  const auto status = s.progress.status;
  if (status == run_status::pending || status == run_status::parked
      || is_terminal(status)) {
    BOOST_REQUIRE_EQUAL(works + children + handoffs + wakes, 0u);
    return;
  }
  // Of the open children the first have a place, the others follow.
  const auto places =
    static_cast<std::size_t>(s.header->limits.children_at_once_max.value_or(
      default_children_at_once_max));
  BOOST_REQUIRE_EQUAL(children + handoffs,
                      std::min(places, open_children(s).size()));
  if (handoffs != 0) // It is alone, and nobody may add to it.
    BOOST_REQUIRE_EQUAL(works + children + handoffs, 1u);
  if (!s.progress.limit) // Else it may wait for people as long as they take.
    BOOST_REQUIRE_EQUAL(wakes, 1u);
  BOOST_REQUIRE_EQUAL(works + handoffs != 0, status == run_status::running);
  if (status == run_status::waiting_on_human)
    BOOST_REQUIRE_GT(waits, 0);
  if (status == run_status::sleeping)
    BOOST_REQUIRE_EQUAL(wakes, 1u);
  if (status == run_status::waiting_on_child) {
    BOOST_REQUIRE_GT(children, 0u);
    BOOST_REQUIRE_EQUAL(waits, 0);
  }
}

using deadlines = std::map<std::string, std::optional<timestamp>>;

void check_deadlines(const run_state& s, deadlines& seen) {
  for (const auto& call : s.progress.calls)
    if (call.gated)
      BOOST_REQUIRE(seen.emplace(call.id, call.deadline).first->second
                    == call.deadline);
}

using tags = std::map<std::string_view, int>;

/// Its tools have several attempts where that is safe; in two of three cases
/// its answer has to be a document, and in one that is checked; some ask people
/// for more when a limit is reached.
agent_definition patient_team(player& world) {
  auto a = test::team_agent(world.limits());
  if (const auto kind = world.below(3); kind != 0)
    a.output = output_spec{R"({"type":"object","properties":{"n":{}},)"
                           R"("required":["n"]})",
                           kind == 1,
                           {}};
  if (world.one_in(2))
    a.limit_gate = {true, {}, {}};
  else if (world.one_in(2))
    a.limit_gate = {true, {"sre", "lead"}, 1h};
  for (auto& tool : a.tools)
    if (tool.kind == tool_kind::function
        && tool.contract != effect_contract::once)
      tool.retry.attempts_max = 3;
  for (int n = world.below(3); n > 0; --n)
    a.fallbacks.push_back({"other " + std::to_string(n), model_price{}});
  a.fallback.attempts_max = 1 + world.below(3);
  if (world.one_in(2)) {
    a.compaction = compaction_spec{100, 0.5, 1 + world.below(4), 50, {}};
    if (world.one_in(2))
      a.compaction->model = fallback_model{"small", model_price{}};
  }
  return prepare(std::move(a)).value();
}

/// A model of the list makes the call, and none is given a second chance within
/// it.
void check_models(const machine_story& story) {
  const auto& p = story.state.progress;
  const auto models = story.agent.models();
  if (p.model_call)
    BOOST_REQUIRE(p.model_call->place >= 0 && p.model_call->place < models);
  if (p.detour)
    BOOST_REQUIRE(p.detour->tried < models);
  std::map<std::string, std::int64_t> switches;
  for (const auto& e : story.log)
    if (const auto* x = std::get_if<model_switched>(&e.event))
      BOOST_REQUIRE_LT(++switches[x->call], models);
}

/// An attempt follows a failed one, and only where a repetition is safe.
void check_attempts(const machine_story& story) {
  for (const auto& call : story.state.progress.calls) {
    const auto* spec = story.agent.find_tool(call.tool);
    BOOST_REQUIRE(call.failures == 0
                  || (spec && call.failures < spec->retry.attempts_max
                      && spec->contract != effect_contract::once
                      && call.failures < call.attempt));
  }
}

/// A fork at any place owes nothing, whatever comes, until it is armed; and it
/// is replayed as the story is.
void check_forks(player& world, const machine_story& story, tags& happened) {
  if (story.log.empty())
    return;
  const auto at = 1 + world.below(static_cast<int>(story.log.size()));
  const auto fork =
    fork_of(run_id::make(story.now, 0, 1), run_id::make({}, 0, 2), story.log,
            static_cast<std::uint64_t>(at), {"ana"}, story.now);
  if (!fork)
    return; // Two appends may have one time.
  machine_story branch{story.agent};
  branch.now = story.now;
  for (const auto& e : fork->events)
    branch.log.push_back(
      {branch.log.size() + 1, e.at, decode_event(e.type, e.data).value()});
  branch.state = folded(branch.log);
  BOOST_REQUIRE(branch.status() == run_status::parked);
  for (int n = 0; n < 30; ++n) {
    BOOST_REQUIRE(owed(branch.state).empty());
    branch.passes(world.pause());
    if (auto c = world.next(branch); !std::holds_alternative<unpark_run>(c))
      branch.take(std::move(c));
  }
  branch.is_unparked();
  check_next_move(branch.state);
  const auto parted = replay({}, branch.log, story.agent).divergence;
  if (parted)
    BOOST_FAIL("fork at " << at << ", event " << parted->seq << ", "
                          << parted->recorded << ": " << parted->why);
  ++happened[run_forked::tag];
}

void play(player& world, tags& happened) {
  machine_story story{patient_team(world)};
  deadlines seen;
  run_state reread; // As another process would have it, event by event.
  const int start_at = world.below(5);
  for (int n = 0, ended = 0; n < commands_max && ended < commands_after_end;
       ++n) {
    const auto before = story.state;
    story.passes(world.pause());
    if (n == start_at && before.progress.seq == 0)
      story.starts();
    else
      BOOST_REQUIRE_NO_THROW(story.take(world.next(story)));
    check_refusal(story);
    check_events(story, before);
    check_conversation(story);
    check_compaction(story.state);
    check_words(story);
    check_next_move(story.state);
    check_deadlines(story.state, seen);
    check_attempts(story);
    check_models(story);
    for (auto i = before.progress.seq; i < story.log.size(); ++i)
      reread = fold(std::move(reread), test::reread(story.log[i]));
    BOOST_REQUIRE(reread == story.state);
    if (n % 8 == 0) // As a snapshot gives it back.
      BOOST_REQUIRE(decode_snapshot(encode_snapshot(story.state)).value()
                    == story.state);
    BOOST_REQUIRE_EQUAL(story.state.progress.seq, story.log.size());
    ended += is_terminal(story.status()) ? 1 : 0;
  }
  BOOST_REQUIRE(folded(story.log) == story.state);
  if (const auto parted = replay({}, story.log, story.agent).divergence)
    BOOST_FAIL("event " << parted->seq << ", " << parted->recorded << ": "
                        << parted->why);
  check_forks(world, story, happened);
  for (const auto& e : story.log)
    ++happened[tag_of(e.event)];
}

} // namespace run_machine_property_test

BOOST_AUTO_TEST_SUITE(run_machine_property_test)

BOOST_AUTO_TEST_CASE(whatever_comes_the_machine_keeps_its_promises) {
  player world{seed()};
  tags happened;
  for (int n = 0; n < stories; ++n)
    play(world, happened);
  for (const auto& [tag, times] : happened)
    BOOST_TEST_MESSAGE(tag << " " << times);
  BOOST_CHECK_EQUAL(happened.size(), std::variant_size_v<event>);
}

BOOST_AUTO_TEST_CASE(a_story_told_twice_is_the_same_story) {
  const auto told = [n = seed()] {
    player world{n};
    machine_story story{patient_team(world)};
    story.starts();
    for (int i = 0; i < 200; ++i) {
      story.passes(world.pause());
      story.take(world.next(story));
    }
    return story.log;
  };
  BOOST_CHECK(told() == told());
}

BOOST_AUTO_TEST_CASE(any_event_folds_into_any_state) {
  // Logs that no machine decided: their fold may be odd but is defined.
  player world{seed()};
  std::vector<event> events;
  for (int n = 0; n < 40; ++n) {
    machine_story story{patient_team(world)};
    story.starts();
    for (int i = 0; i < 60; ++i)
      story.take(world.next(story));
    for (const auto& e : story.log)
      events.push_back(e.event);
  }
  run_state s;
  for (int n = 0; n < 5'000; ++n) {
    if (n % 50 == 0)
      s = {};
    const auto i = world.below(static_cast<int>(events.size()));
    const recorded_event e{s.progress.seq + 1, timestamp{},
                           events[static_cast<std::size_t>(i)]};
    s = fold(std::move(s), e);
    BOOST_REQUIRE(!is_terminal(s.progress.status) || owed(s).empty());
    BOOST_REQUIRE(s == run_state{s});
  }
}

BOOST_AUTO_TEST_SUITE_END()
