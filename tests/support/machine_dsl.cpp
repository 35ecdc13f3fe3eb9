#include <kestrion/tests/support/machine_dsl.hpp>

#include <kestrion/messages/described.hpp>
#include <kestrion/messages/match.hpp>

#include <boost/describe/enum_to_string.hpp>

#include <stdexcept>

namespace kestrion::test {

namespace {

tool_spec tool(std::string name, effect_contract contract,
               approval_gate gate = {}, bool needs_n = false) {
  tool_spec spec;
  spec.name = std::move(name);
  spec.description = "Tests.";
  spec.input_schema =
    R"({"type":"object","properties":{"n":{"type":"integer"}},)"
    R"("additionalProperties":false,"required":[)"
    + std::string{needs_n ? R"("n")" : ""} + "]}";
  spec.contract = contract;
  spec.gate = std::move(gate);
  return spec;
}

template <class E>
std::string name_of(E e) {
  return boost::describe::enum_to_string(e, "?");
}

std::string words(std::initializer_list<std::string> all) {
  std::string out;
  for (const auto& word : all)
    if (!word.empty())
      out += (out.empty() ? "" : " ") + word;
  return out;
}

std::string brief(const part& p) {
  return match(
    p, [](const text_part& x) { return x.text; },
    [](const image_part& x) { return "image " + x.url + x.blob; },
    [](const document_part& x) { return "document " + x.url + x.blob; },
    [](const reasoning_part& x) { return "reasoning " + x.raw; },
    [](const opaque_part& x) { return "opaque " + x.raw; },
    [](const tool_call_part& x) {
      return x.id + "/" + x.vendor_id + ":" + x.name + "(" + x.arguments + ")";
    },
    [](const tool_result_part& x) {
      auto out = x.call + (x.is_error ? "!" : "=") + x.content;
      if (x.attachments)
        for (const auto& each : *x.attachments)
          out +=
            " + " + brief(match(each, [](const auto& y) -> part { return y; }));
      return out;
    });
}

std::string brief(const open_call& call) {
  static constexpr const char* phases[] = {
    "waiting", "started", "in doubt", "done", "child", "asking", "sleeping"};
  auto out = words(
    {"call", call.id, call.tool, call.arguments,
     phases[static_cast<int>(call.phase)],
     call.attempt == 0 ? "" : "attempt " + std::to_string(call.attempt),
     call.interrupted ? "interrupted" : "",
     call.agent.empty() ? "" : "of " + call.agent,
     call.handoff ? "handed over" : "", call.question,
     call.phase == call_phase::sleeping ? "until " + to_string(call.not_before)
                                        : ""});
  for (const auto& each : call.choices)
    out += " or " + each;
  if (!call.gated)
    return out;
  out += " digest " + call.digest;
  if (call.deadline)
    out += " until " + to_string(*call.deadline);
  for (const auto& g : call.grants)
    out += " granted by " + words({g.by, g.role, g.digest});
  for (const auto& role : missing_roles(call))
    out += " needs " + (role.empty() ? "anyone" : role);
  return out;
}

} // namespace

std::string brief(const event& e) {
  std::string tag{tag_of(e)};
  return match(
    e,
    [&](const run_started& x) {
      return words({tag, x.agent});
    },
    [&](const model_call_failed& x) {
      return words({tag, x.call, x.code, std::to_string(x.attempt)});
    },
    [&](const tool_call_started& x) {
      return words({tag, x.call, x.by.value_or("")});
    },
    [&](const tool_call_completed& x) {
      return words({tag, x.call, x.by.value_or("")});
    },
    [&](const tool_call_failed& x) {
      return words({tag, x.call, name_of(x.reason), x.by.value_or("")});
    },
    [&](const tool_attempt_failed& x) {
      return words({tag, x.call, name_of(x.reason), std::to_string(x.attempt)});
    },
    [&](const approval_granted& x) {
      return words({tag, x.call, x.by, x.role, x.arguments.value_or("")});
    },
    [&](const approval_denied& x) {
      return words({tag, x.call, x.by, x.role});
    },
    [&](const run_failed& x) {
      return words({tag, x.code});
    },
    [&](const child_started& x) {
      return words({tag, x.call, x.agent});
    },
    [&](const child_ended& x) {
      return words({tag, x.call, name_of(x.status)});
    },
    [&](const message_received& x) {
      return words({tag, x.by.value_or("")});
    },
    [&](const handed_off& x) {
      return words({tag, x.call, x.agent});
    },
    [&](const question_asked& x) {
      return words({tag, x.call, x.question});
    },
    [&](const signal_received& x) {
      return words({tag, x.name, x.by});
    },
    [&](const model_call_interrupted& x) {
      return words({tag, x.call, std::to_string(x.attempt)});
    },
    [&](const run_recovered& x) {
      return words({tag, x.model_call.value_or("")});
    },
    [&](const limit_reached& x) {
      return words({tag, x.call, x.limit, x.proposal});
    },
    [&](const compaction_started& x) {
      return words(
        {tag, x.call,
         std::to_string(x.first) + "+" + std::to_string(x.messages)});
    },
    [&](const conversation_compacted& x) {
      return words(
        {tag, x.call,
         std::to_string(x.first) + "+" + std::to_string(x.messages)});
    },
    [&](const compaction_failed& x) {
      return words({tag, x.call, x.code, std::to_string(x.attempt)});
    },
    [&](const model_switched& x) {
      return words({tag, x.call, x.from, "->", x.to, x.reason});
    },
    [&](const auto& x) {
      if constexpr (requires { x.call; })
        return words({tag, x.call});
      else
        return tag;
    });
}

std::string brief(const effect& e) {
  return match(
    e,
    [](const call_model& x) {
      return words({"call_model", x.call, std::to_string(x.attempt),
                    x.not_before == timestamp{} ? "" : to_string(x.not_before),
                    x.place == 0 ? "" : "place " + std::to_string(x.place)});
    },
    [](const run_tool& x) {
      return words(
        {"run_tool", x.call, x.tool, x.arguments, std::to_string(x.attempt),
         x.interrupted ? "interrupted" : "",
         x.not_before == timestamp{} ? "" : to_string(x.not_before)});
    },
    [](const wake_up& x) { return "wake_up " + to_string(x.at); },
    [](const start_child& x) {
      return words(
        {x.handoff ? "hand over" : "start_child", x.call, x.agent, x.prompt});
    });
}

std::string brief(const message& m) {
  auto line = name_of(m.role) + ":";
  for (const auto& p : m.parts)
    line += " " + brief(p);
  return line;
}

lines said(const run_state& state) {
  lines out;
  for (const auto& m : state.conversation)
    out.push_back(brief(*m));
  return out;
}

std::string described(const run_state& s) {
  const auto& p = s.progress;
  std::string out;
  const auto line = [&](const std::string& name, const std::string& value) {
    if (!value.empty())
      out += name + ": " + value + "\n";
  };
  line("status", std::string{to_string(p.status)});
  line("code", p.code);
  line("reason", p.reason);
  line("output", output_of(s));
  line("agent", s.header->agent);
  line("started", to_string(p.started_at));
  line("updated", to_string(p.updated_at));
  line("events", std::to_string(p.seq) + ", steps " + std::to_string(p.steps));
  line("turns", std::to_string(p.turns));
  line("tool calls", std::to_string(p.tool_calls));
  line("tokens", std::to_string(p.usage.total()) + ", lost "
                   + std::to_string(p.lost_tokens_estimate));
  line("cost", std::to_string(p.cost_usd_micros));
  line("bytes said", std::to_string(p.said_bytes));
  if (p.descendants != 0)
    line("descendants", std::to_string(p.descendants));
  if (p.definition)
    line("definition", *p.definition);
  for (const auto& call : p.left_children)
    line("left behind", call);
  for (const auto& call : p.calls)
    out += brief(call) + "\n";
  if (p.limit)
    out += "reached " + p.limit->why + ": " + brief(p.limit->call) + "\n";
  if (p.raised) {
    std::string limits;
    append_json(limits, p.raised->limits);
    line("limits", limits);
  }
  for (const auto& gate : p.closed_gates) {
    out += "gate " + words({gate.call, gate.tool, gate.digest});
    for (const auto& g : gate.grants)
      out += " granted by " + words({g.by, g.role, g.digest});
    if (gate.denial)
      out += " denied by " + words({gate.denial->by, gate.denial->role});
    out += "\n";
  }
  for (const auto& q : p.closed_questions)
    out += "question " + words({q.call, "answered by", q.by, q.text}) + "\n";
  if (p.handed_over)
    out += "handed over " + words({p.handed_over->call, p.handed_over->agent})
           + "\n";
  if (p.model_call && p.model_call->given_up != 0)
    line("given up", std::to_string(p.model_call->given_up));
  if (p.detour)
    line("detour", words({"place", std::to_string(p.detour->place), "until",
                          to_string(p.detour->until), "tried",
                          std::to_string(p.detour->tried), "found out",
                          std::to_string(p.detour->found_out)}));
  if (p.compaction)
    line("compaction",
         words({p.compaction->call, "of", std::to_string(p.compaction->first),
                "+", std::to_string(p.compaction->messages)}));
  if (p.compacted)
    line("compacted",
         words({"rebased", std::to_string(p.compacted->rebased), "not below",
                std::to_string(p.compacted->not_below)}));
  if (p.rejections != 0)
    line("answers rejected", std::to_string(p.rejections));
  for (const auto& r : s.results)
    out += "result " + (r ? brief(part{*r}) : "is missing") + "\n";
  for (const auto& message : said(s))
    out += message + "\n";
  for (const auto& m : s.heard)
    out += "heard " + brief(*m) + "\n";
  for (const auto& e : owed(s))
    out += "owes " + brief(e) + "\n";
  return out;
}

recorded_event reread(const recorded_event& e) {
  const auto encoded = encode(e.event, e.at);
  return {e.seq, encoded.at, decode_event(encoded.type, encoded.data).value()};
}

agent_definition ops_agent(run_limits limits) {
  using enum effect_contract;
  const duration hour = std::chrono::hours{1};
  agent_definition a;
  a.name = "ops";
  a.model = "scripted";
  a.limits = limits;
  a.tools = {tool("look", pure),
             tool("write", idempotent),
             tool("deploy", probe),
             tool("send", once),
             tool("apply", once, {true, {}, {}}, true),
             tool("scale", once, {true, {"engineer"}, {}}),
             tool("wipe", once, {true, {}, hour}),
             tool("drop", once, {true, {"sre", "lead"}, hour})};
  a.price = model_price{1'000'000, 0, 0, 0};
  return prepare(std::move(a)).value();
}

agent_definition team_agent(run_limits limits) {
  const auto of_kind = [](tool_kind kind, std::string name, std::string agent,
                          approval_gate gate = {}) {
    tool_spec spec;
    spec.name = std::move(name);
    spec.description = "Tests.";
    spec.kind = kind;
    spec.agent = std::move(agent);
    spec.gate = std::move(gate);
    return spec;
  };
  auto a = ops_agent(limits);
  a.tools.push_back(of_kind(tool_kind::subagent, "research", "researcher"));
  a.tools.push_back(
    of_kind(tool_kind::subagent, "audit", "auditor", {true, {"lead"}, {}}));
  a.tools.push_back(of_kind(tool_kind::handoff, "to_billing", "billing"));
  a.tools.push_back(
    of_kind(tool_kind::handoff, "escalate", "boss", {true, {"lead"}, {}}));
  a.tools.push_back(of_kind(tool_kind::question, "ask", ""));
  a.tools.push_back(of_kind(tool_kind::sleep, "nap", ""));
  return prepare(std::move(a)).value();
}

machine_story::machine_story(agent_definition a) : agent(std::move(a)) {}

void machine_story::take(command c) {
  std::visit([&](auto& x) { x.now = now; }, c);
  last = decide(state, agent, c);
  if (!last)
    return;
  for (const auto& e : last->events) {
    log.push_back({state.progress.seq + 1, now, e});
    state = fold(std::move(state), log.back());
  }
}

std::string machine_story::open_model_call() const {
  const auto& p = state.progress;
  if (p.compaction)
    return p.compaction->call;
  return p.model_call ? p.model_call->id : "none";
}

void machine_story::starts(message input) {
  run_started header;
  header.agent = agent.name;
  header.definition = agent.digest;
  header.limits = agent.limits;
  take(start_run{std::move(header), std::move(input), {}});
}

void machine_story::model_says(std::string text, kestrion::stop_reason stop) {
  model_reply reply;
  reply.parts = {text_part{std::move(text)}};
  reply.stop = stop;
  take(model_done{open_model_call(), std::move(reply), {}, {}});
}

void machine_story::model_calls(
  const std::vector<std::pair<std::string, std::string>>& calls,
  token_usage usage) {
  model_reply reply;
  for (const auto& [name, arguments] : calls)
    reply.parts.emplace_back(tool_call_part{{}, {}, name, arguments});
  reply.stop = stop_reason::tool_use;
  reply.usage = usage;
  take(model_done{open_model_call(), std::move(reply), {}, {}});
}

void machine_story::asks_for(const lines& tools) {
  if (state.progress.seq == 0)
    starts();
  std::vector<std::pair<std::string, std::string>> calls;
  calls.reserve(tools.size());
  for (const auto& name : tools)
    calls.emplace_back(name, R"({"n":1})");
  model_calls(calls);
}

void machine_story::model_fails(errc code, bool retryable,
                                std::optional<duration> retry_after) {
  take(model_done{
    open_model_call(),
    model_failure{{code, "the vendor says no"}, retryable, retry_after, 0},
    {},
    {}});
}

void machine_story::tool_returns(const std::string& id, std::string content) {
  take(tool_done{id, {std::move(content), {}}, {}, {}});
}

void machine_story::tool_fails(const std::string& id, std::string content,
                               tool_failure why) {
  take(tool_done{id, {std::move(content), why}, {}, {}});
}

void machine_story::child_ends(const std::string& id, run_status status,
                               std::string content, token_usage usage) {
  take(child_done{id, status, std::move(content), usage, 0, 0, {}});
}

void machine_story::answered(question_answer answer) {
  take(answer_question{std::move(answer), {}});
}

void machine_story::is_told(std::string text, bool interrupt) {
  take(send_message{user_message(std::move(text)), "ana", interrupt, {}});
}

void machine_story::approved(approval decision) {
  take(approve_call{std::move(decision), {}});
}

void machine_story::denied(denial decision) {
  take(deny_call{std::move(decision), {}});
}

void machine_story::resolved(doubt_resolution decision) {
  take(resolve_doubt{std::move(decision), {}});
}

lines machine_story::events() const {
  lines out;
  if (last)
    for (const auto& e : last->events)
      out.push_back(brief(e));
  return out;
}

std::string machine_story::refusal() const {
  if (!last)
    return to_string(last.error());
  return last->refusal ? to_string(*last->refusal) : "";
}

lines machine_story::owes() const {
  lines out;
  for (const auto& e : owed(state))
    out.push_back(brief(e));
  return out;
}

const open_call& machine_story::call(const std::string& id) const {
  for (const auto& each : state.progress.calls)
    if (each.id == id)
      return each;
  if (const auto& limit = state.progress.limit; limit && limit->call.id == id)
    return limit->call;
  throw std::out_of_range("call " + id + " is not open");
}

} // namespace kestrion::test
