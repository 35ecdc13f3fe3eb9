#include <kestrion/actors/trace.hpp>

#include <kestrion/actors/run_machine.hpp>

#include <cstdio>
#include <map>
#include <optional>
#include <variant>

namespace kestrion {

namespace {

using tool_names = std::map<std::string, std::string>; ///< By call.

std::string who(const std::string& by, const std::string& role) {
  return by + (role.empty() ? "" : " as " + role);
}

std::string in_words(const model_call_completed& x) {
  auto words = text_of({role::assistant, x.parts});
  for (const auto& p : x.parts)
    if (const auto* call = std::get_if<tool_call_part>(&p))
      words += (words.empty() ? "" : " ") + std::string{"-> "} + call->name
               + call->arguments;
  return words;
}

std::string says(const std::optional<std::string>& by) {
  return by ? "says " + *by + ": " : "";
}

/// Fills in what is particular to each kind of event.
class describer {
public:
  describer(trace_entry& out, tool_names& tools) : out_(out), tools_(tools) {}

  void operator()(const run_started& x) { out_.detail = "agent " + x.agent; }
  void operator()(const message_received& x) {
    out_.detail = says(x.by) + text_of(x.message);
  }
  void operator()(const model_call_completed& x) {
    for (const auto& p : x.parts)
      if (const auto* call = std::get_if<tool_call_part>(&p))
        tools_[call->id] = call->name;
    about(x.call, in_words(x));
    out_.took = x.duration;
    out_.usage = x.usage;
    out_.cost_usd_micros = x.cost_usd_micros;
  }
  void operator()(const model_call_failed& x) {
    about(x.call,
          "attempt " + std::to_string(x.attempt) + ": " + x.code + ": "
            + x.detail
            + (x.retry_at ? "; again at " + to_string(*x.retry_at) : ""));
    out_.took = x.duration;
  }
  void operator()(const tool_call_started& x) {
    about(x.call, x.by ? "again, says " + *x.by : "");
  }
  void operator()(const tool_call_completed& x) {
    const auto more = x.attachments ? x.attachments->size() : 0;
    about(x.call, says(x.by) + x.content
                    + (more == 0 ? "" : " [+" + std::to_string(more) + "]"));
    out_.took = x.duration;
  }
  void operator()(const tool_call_failed& x) {
    about(x.call, says(x.by) + x.detail);
    out_.took = x.duration;
  }
  void operator()(const tool_attempt_failed& x) {
    about(x.call, "attempt " + std::to_string(x.attempt) + ": " + x.detail
                    + "; again at " + to_string(x.retry_at));
    out_.took = x.duration;
  }
  void operator()(const tool_call_in_doubt& x) {
    about(x.call, "did it happen?");
  }
  void operator()(const approval_requested& x) {
    std::string roles;
    for (const auto& role : x.roles)
      roles += (roles.empty() ? "" : " and ") + role;
    about(x.call, "needs " + (roles.empty() ? "anyone" : roles)
                    + (x.deadline ? " until " + to_string(*x.deadline) : ""));
  }
  void operator()(const approval_granted& x) {
    about(x.call, "by " + who(x.by, x.role)
                    + (x.arguments ? ", with " + *x.arguments : ""));
  }
  void operator()(const approval_denied& x) {
    about(x.call, "by " + who(x.by, x.role) + ": " + x.reason);
  }
  void operator()(const approval_expired& x) { about(x.call, ""); }
  void operator()(const run_completed&) {}
  void operator()(const run_failed& x) {
    out_.detail = x.code + ": " + x.reason;
  }
  void operator()(const run_expired& x) { out_.detail = x.reason; }
  void operator()(const run_cancelled& x) {
    out_.detail = x.by + ": " + x.reason;
  }
  void operator()(const run_recovered& x) {
    out_.detail = x.model_call ? *x.model_call + " is made again, about "
                                   + std::to_string(x.lost_tokens_estimate)
                                   + " tokens lost"
                               : "tools were running";
  }
  void operator()(const run_parked& x) { out_.detail = x.reason; }
  void operator()(const run_resumed& x) { out_.detail = "by " + x.by; }
  void operator()(const child_started& x) {
    about(x.call, "a run of " + x.agent);
  }
  void operator()(const child_ended& x) {
    about(x.call,
          (x.status == run_status::completed ? "completed: " : "") + x.content);
    out_.usage = x.usage;
    out_.cost_usd_micros = x.cost_usd_micros;
  }
  void operator()(const handed_off& x) { about(x.call, "to " + x.agent); }
  void operator()(const question_asked& x) {
    std::string choices;
    for (const auto& each : x.choices)
      choices += (choices.empty() ? " (" : ", ") + each;
    about(x.call, x.question + choices + (choices.empty() ? "" : ")"));
  }
  void operator()(const signal_received& x) {
    out_.detail =
      "by " + x.by + ": " + x.name + (x.data.empty() ? "" : ": " + x.data);
  }
  void operator()(const model_call_interrupted& x) {
    about(x.call, "attempt " + std::to_string(x.attempt)
                    + " is given up, about "
                    + std::to_string(x.lost_tokens_estimate) + " tokens lost");
  }

  void operator()(const sleep_started& x) {
    about(x.call, "until " + to_string(x.until));
  }
  void operator()(const run_forked& x) {
    out_.detail = "from event " + std::to_string(x.at) + " of " + x.from.str()
                  + ", by " + x.by;
  }
  void operator()(const definition_changed&) {
    out_.detail = "the agent is defined otherwise than before";
  }

  void operator()(const output_check_started& x) { about(x.call, ""); }
  void operator()(const output_rejected& x) { about(x.call, x.reason); }
  void operator()(const limit_reached& x) {
    tools_[x.call] = raise_limits_name;
    about(x.call, x.limit + " of " + std::to_string(x.max) + " (used: "
                    + std::to_string(x.used) + "), asks for " + x.proposal);
  }
  void operator()(const limits_raised& x) { about(x.call, ""); }
  void operator()(const compaction_started& x) {
    about(x.call, "of " + std::to_string(x.messages) + " messages; about "
                    + std::to_string(x.tokens) + " tokens");
  }
  void operator()(const conversation_compacted& x) {
    about(x.call, "from about " + std::to_string(x.tokens_before) + " to "
                    + std::to_string(x.tokens_after) + " tokens: " + x.summary);
    out_.took = x.duration;
    out_.usage = x.usage;
    out_.cost_usd_micros = x.cost_usd_micros;
  }
  void operator()(const compaction_failed& x) {
    about(x.call, "attempt " + std::to_string(x.attempt) + ": " + x.code + ": "
                    + x.detail
                    + (x.retry_at ? "; again at " + to_string(*x.retry_at)
                                  : "; it goes on as it is"));
    out_.took = x.duration;
    if (x.usage != token_usage{})
      out_.usage = x.usage;
    out_.cost_usd_micros = x.cost_usd_micros;
  }
  void operator()(const model_switched& x) {
    about(x.call, x.reason + ": " + x.to + " instead of " + x.from + " until "
                    + to_string(x.until));
  }

private:
  void about(const std::string& call, std::string words) {
    out_.call = call;
    const auto& tool = tools_[call];
    out_.detail =
      tool + (tool.empty() || words.empty() ? "" : ": ") + std::move(words);
  }

  trace_entry& out_;
  tool_names& tools_;
};

std::string in_seconds(duration d) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f",
                static_cast<double>(d.count()) / 1e6);
  return text;
}

std::string dollars(std::int64_t micros) {
  char text[32];
  std::snprintf(text, sizeof text, "$%.6f", static_cast<double>(micros) / 1e6);
  return text;
}

/// One line, without control characters, at most `width` columns (as far as
/// bytes tell), never cut inside a character.
std::string clipped(std::string text, std::size_t width) {
  for (auto& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      c = ' ';
  if (text.size() <= width)
    return text;
  auto end = width > 3 ? width - 3 : 0;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
    --end;
  return text.substr(0, end) + "...";
}

} // namespace

run_trace trace_of(const run_id& id, std::span<const recorded_event> events) {
  run_trace out;
  run_state state;
  tool_names tools;
  for (const auto& e : events) {
    trace_entry entry;
    entry.seq = e.seq;
    entry.at = e.at;
    entry.what = tag_of(e.event);
    std::visit(describer{entry, tools}, e.event);
    out.entries.push_back(std::move(entry));
    state = fold(std::move(state), e);
  }
  out.result = result_of(id, state);
  out.started_at = state.progress.started_at;
  out.updated_at = state.progress.updated_at;
  return out;
}

std::string to_text(const run_trace& trace, std::size_t width) {
  const auto& r = trace.result;
  std::string out = r.id.str() + "  " + r.agent + "  "
                    + std::string{to_string(r.status)} + "  started "
                    + to_string(trace.started_at) + "\n";
  out += "   at [s]  took [s]  what                   call   tokens  detail\n";
  for (const auto& e : trace.entries) {
    char head[96];
    std::snprintf(head, sizeof head, "%9s %9s  %-21.21s  %-5.5s %7s  ",
                  in_seconds(e.at - trace.started_at).c_str(),
                  e.took ? in_seconds(*e.took).c_str() : "", e.what.c_str(),
                  e.call.c_str(),
                  e.usage ? std::to_string(e.usage->total()).c_str() : "");
    std::string line = head;
    auto detail = e.detail;
    if (e.cost_usd_micros)
      detail = dollars(*e.cost_usd_micros) + "  " + detail;
    line += clipped(std::move(detail),
                    width > line.size() ? width - line.size() : 20);
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  out += "total: " + std::to_string(r.turns) + " model calls, "
         + std::to_string(r.tool_calls) + " tool calls, "
         + std::to_string(r.usage.total()) + " tokens, "
         + dollars(r.cost_usd_micros) + ", "
         + in_seconds(trace.updated_at - trace.started_at) + " s\n";
  return out;
}

} // namespace kestrion
