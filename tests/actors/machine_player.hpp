#pragma once

#include <kestrion/tests/support/machine_dsl.hpp>

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <random>
#include <string>
#include <utility>

namespace kestrion::test {

/// Makes up commands: mostly such that fit the story, often almost.
class machine_player {
public:
  explicit machine_player(std::uint64_t seed) : random_(seed) {}

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
      l.wall_time_max =
        one_in(2) ? duration::max() : duration{std::chrono::hours{3}};
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
    return one_in(60) ? duration{std::chrono::hours{1}}
                      : duration{std::chrono::milliseconds{below(900)}};
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
                 "escalate", "ask", "ask", "nap", "nap"});
  }

  std::string arguments(const std::string& tool) {
    if (tool == "research" || tool == "audit")
      return one_in(9) ? arguments("look") : R"({"prompt":"why?"})";
    if (tool == "to_billing" || tool == "escalate")
      return one_in(9) ? arguments("look") : R"({"reason":"bills"})";
    if (tool == "nap")
      return pick({R"({"seconds":1})", R"({"seconds":1})",
                   R"({"seconds":3600})", R"({"seconds":31622400})",
                   R"({"seconds":0})", "{}"});
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
        failure.retry_after =
          one_in(9) ? duration::max() : duration{std::chrono::seconds{2}};
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
    if (!one_in(5))
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

} // namespace kestrion::test
