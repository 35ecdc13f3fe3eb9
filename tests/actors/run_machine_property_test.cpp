#include <boost/test/unit_test.hpp>

#include <kestrion/tests/support/machine_dsl.hpp>

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

// -- the player ---------------------------------------------------------------

/// Makes up commands: mostly such that fit the story, often almost.
class player {
public:
  explicit player(std::uint64_t seed) : random_(seed) {}

  bool one_in(int n) { return below(n) == 0; }

  int below(int n) {
    return std::uniform_int_distribution<int>{0, n - 1}(random_);
  }

  run_limits limits() {
    run_limits l;
    if (one_in(8))
      l.turns_max = 1 + below(4);
    if (one_in(8))
      l.tool_calls_max = 1 + below(6);
    if (one_in(8))
      l.tokens_max = 1 + below(3'000);
    if (one_in(8))
      l.cost_usd_micros_max = 1 + below(3'000);
    if (one_in(4))
      l.wall_time_max = one_in(2) ? duration::max() : duration{3h};
    if (one_in(8))
      l.descendants_max = 1 + below(4);
    if (one_in(4))
      l.children_at_once_max = 1 + below(3);
    l.model_attempts_max = 1 + below(4);
    if (one_in(4))
      l.output_attempts_max = 1 + below(2);
    return l;
  }

  duration pause() {
    return one_in(60) ? duration{1h} : duration{1ms * below(900)};
  }

  command next(const machine_story& story) {
    switch (below(22)) {
      case 0: return start(story);
      case 1:
      case 2:
      case 3:
      case 4: return answer_of_model(story.state);
      case 5:
      case 6:
      case 7: return answer_of_tool(story.state);
      case 8:
      case 9: return yes(story.state);
      case 10: return no(story.state);
      case 11: return resolution(story.state);
      case 12: return recover_run{};
      case 13: return tick{};
      case 14:
        if (one_in(8))
          return park_run{text(), {}};
        return unpark_run{text(), {}};
      case 15:
      case 16: return end_of_child(story.state);
      case 17:
      case 18: return reply_of_person(story.state);
      case 19: return word(story.state);
      default:
        if (one_in(30))
          return cancel_run{text(), text(), {}};
        return answer_of_tool(story.state);
    }
  }

private:
  std::string pick(std::initializer_list<const char*> all) {
    return *(all.begin() + below(static_cast<int>(all.size())));
  }

  std::string text() {
    return pick({"", "x", "\xff\xc3", "long \xE2\x82\xAC text", "\x01\"\\",
                 "many words, many words, many words, many words, many words, "
                 "many words, many words, many words, many words, many words"});
  }

  std::string tool() {
    if (one_in(9))
      return pick({"fly", ""});
    return pick({"look", "write", "deploy", "send", "send", "apply", "scale",
                 "wipe", "drop", "research", "research", "audit", "to_billing",
                 "escalate", "ask", "ask"});
  }

  std::string arguments(const std::string& tool) {
    if (tool == "research" || tool == "audit")
      return one_in(9) ? arguments("look") : R"({"prompt":"why?"})";
    if (tool == "to_billing" || tool == "escalate")
      return one_in(9) ? arguments("look") : R"({"reason":"bills"})";
    if (tool == "ask")
      return pick({R"({"question":"now?"})", R"({"question":"now?"})",
                   R"({"question":"now?","choices":["x","ja"]})",
                   R"({"question":"now?","choices":[]})", R"({"question":" "})",
                   "{}"});
    if (!one_in(4))
      return pick({R"({"n":1})", R"({"n":2})", R"({ "n" : 1 })"});
    return pick(
      {"{}", "", "{", "[]", R"({"n":"one"})", R"({"m":1})", "\"\xff\""});
  }

  /// The id of a call that may be meant, or of none.
  std::string call(const run_state& s) {
    const auto& calls = s.progress.calls;
    if (s.progress.check && !one_in(4))
      return s.progress.check->call;
    if (s.progress.limit && !one_in(4))
      return s.progress.limit->call.id;
    if (calls.empty() || one_in(8))
      return pick({"", "c1.0", "c2.1", "c99.0", "m1", "\xff"});
    return calls[static_cast<std::size_t>(
                   below(static_cast<int>(calls.size())))]
      .id;
  }

  std::string digest(const run_state& s) {
    if (!one_in(3))
      return {};
    const auto& calls = s.progress.calls;
    return calls.empty() || one_in(4) ? "0123" : calls.front().digest;
  }

  command start(const machine_story& story) {
    start_run c;
    c.header.agent = one_in(9) ? text() : story.agent.name;
    c.header.limits = story.agent.limits;
    c.header.labels = {{text(), text()}, {"team", text()}};
    c.input = one_in(9) ? message{} : user_message("go " + text());
    if (one_in(9))
      c.input.parts.emplace_back(tool_call_part{});
    if (one_in(9))
      c.history = {user_message("before"), user_message(text())};
    return c;
  }

  command answer_of_model(const run_state& s) {
    model_done c;
    const auto& open = s.progress.model_call;
    const auto& sums = s.progress.compaction;
    c.call = open && !one_in(10) ? open->id : pick({"m1", "m2", "", "\xff"});
    c.attempt = !one_in(4) && open ? open->attempt : below(3);
    if (sums && !one_in(9)) {
      c.call = sums->call;
      c.attempt = sums->attempt;
    }
    c.jitter = static_cast<std::uint32_t>(random_());
    if (one_in(8)) {
      model_failure failure{{errc::unavailable, text()}, !one_in(6), {}, 500};
      if (one_in(3))
        failure.retry_after = one_in(9) ? duration::max() : duration{2s};
      c.outcome = failure;
      return c;
    }
    model_reply reply;
    reply.stop = static_cast<stop_reason>(one_in(12) ? below(5) : 0);
    reply.usage.input_tokens = one_in(99) ? INT64_MAX : below(200);
    if (one_in(2))
      reply.cost_usd_micros = one_in(30) ? INT64_MIN : below(200);
    for (int n = below(3); n > 0; --n)
      reply.parts.emplace_back(text_part{one_in(2) ? R"({"n":1})" : text()});
    if (!one_in(12))
      for (int n = 1 + below(4); n > 0; --n)
        reply.parts.emplace_back(call_of(tool()));
    c.outcome = std::move(reply);
    return c;
  }

  tool_call_part call_of(const std::string& name) {
    return {text(), pick({"", "v", "w", "call_2_0", "\xff"}), name,
            arguments(name)};
  }

  command end_of_child(const run_state& s) {
    child_done c;
    const auto open = open_children(s);
    c.call = open.empty() || one_in(9) ? call(s) : open.front();
    c.status = static_cast<run_status>(below(9));
    c.content = text();
    c.usage.input_tokens = one_in(99) ? INT64_MAX : below(200);
    c.cost_usd_micros = one_in(30) ? INT64_MIN : below(200);
    c.descendants = below(3);
    return c;
  }

  command reply_of_person(const run_state& s) {
    return answer_question{{one_in(3) ? "" : call(s),
                            one_in(9) ? "" : pick({"ana", "bob", "\xff"}),
                            one_in(2) ? "x" : text()},
                           {}};
  }

  command word(const run_state& s) {
    const auto by = one_in(9) ? "" : pick({"ana", "\xff"});
    if (one_in(3))
      return signal_run{text(), text(), by, {}};
    send_message c{user_message("also " + text()), by, one_in(2), {}};
    if (one_in(9))
      c.message = s.conversation.empty() ? message{} : *s.conversation.back();
    return c;
  }

  command answer_of_tool(const run_state& s) {
    tool_done c;
    c.call = call(s);
    c.outcome.content = text();
    if (one_in(4))
      c.outcome.failure = static_cast<tool_failure>(below(5));
    return c;
  }

  template <class Decision>
  Decision common(const run_state& s) {
    Decision x;
    x.call = call(s);
    x.tool = one_in(4) ? tool() : "";
    x.by = one_in(9) ? text() : pick({"ana", "bob"});
    x.role = pick({"engineer", "sre", "lead", "sre", "lead", "", "\xff"});
    x.digest = digest(s);
    return x;
  }

  /// Of `raise_limits`, right and wrong ones.
  std::string more() {
    return pick({R"({"tokens_max":1000000000000000000})",
                 R"({"turns_max":9,"tool_calls_max":90})", "{}", "[]",
                 R"({"cost_usd_micros_max":1000000000000000000})",
                 R"({"tokens_max":1})", R"({"depth_max":9})",
                 R"({"wall_time_max":9000000000000000000})"});
  }

  command yes(const run_state& s) {
    auto x = common<approval>(s);
    if (one_in(5))
      x.arguments = s.progress.limit ? more() : arguments(tool());
    return approve_call{std::move(x), {}};
  }

  command no(const run_state& s) {
    auto x = common<denial>(s);
    x.reason = text();
    return deny_call{std::move(x), {}};
  }

  command resolution(const run_state& s) {
    return resolve_doubt{{one_in(3) ? "" : call(s),
                          static_cast<doubt_answer>(below(3)),
                          one_in(9) ? "" : "ana", text()},
                         {}};
  }

  std::mt19937_64 random_;
};

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
  BOOST_REQUIRE(is_whole ? turn == s.progress.turns : turn < s.progress.turns);
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
