#include <kestrion/actors/draft.hpp>

#include <kestrion/actors/fold_progress.hpp>
#include <kestrion/messages/json_text.hpp>
#include <kestrion/messages/valid_text.hpp>

namespace kestrion::machine {

void draft::emit(event e) {
  make_valid_text(e);
  recorded_event recorded{after.seq + 1, now, std::move(e)};
  fold_progress(after, recorded);
  out.status = after.status;
  out.events.push_back(std::move(recorded.event));
}

void fail(draft& d, errc code, std::string reason) {
  d.emit(run_failed{std::string{to_string(code)}, std::move(reason)});
}

void fail_if_spent(draft& d) {
  const auto& p = d.after;
  if (is_terminal(p.status) || (!p.model_call && p.calls.empty()))
    return;
  const auto& l = d.state.progress.seq == 0
                    ? std::get<run_started>(d.out.events.front()).limits
                    : d.state.header.limits;
  std::string spent;
  const auto check = [&](bool reached, const char* name, std::int64_t used,
                         std::int64_t max) {
    if (spent.empty() && reached)
      spent = std::string{name} + " of " + std::to_string(max)
              + " (used: " + std::to_string(used) + ")";
  };
  const auto tokens = p.usage.total() + p.lost_tokens_estimate;
  check(p.model_call && p.turns >= l.turns_max, "turns_max", p.turns,
        l.turns_max);
  check(p.tool_calls > l.tool_calls_max, "tool_calls_max", p.tool_calls,
        l.tool_calls_max);
  check(tokens >= l.tokens_max, "tokens_max", tokens, l.tokens_max);
  check(p.cost_usd_micros >= l.cost_usd_micros_max, "cost_usd_micros_max",
        p.cost_usd_micros, l.cost_usd_micros_max);
  if (!spent.empty())
    fail(d, errc::limit_exceeded, "the run's limit is reached: " + spent);
}

void start_if_open(draft& d) {
  if (d.after.parked)
    return; // `unpark_run` comes back here.
  std::vector<std::string> ready;
  for (const auto& call : d.after.calls) {
    if (call.phase != call_phase::waiting)
      continue;
    if (!missing_roles(call).empty())
      return;
    ready.push_back(call.id);
  }
  for (auto& id : ready)
    d.emit(tool_call_started{std::move(id), {}});
}

std::optional<std::string> misfit(const agent_definition& agent,
                                  const std::string& tool,
                                  const std::string& arguments) {
  const auto* spec = agent.find_tool(tool);
  if (!spec) {
    std::string known;
    for (const auto& t : agent.tools)
      known += (known.empty() ? "" : ", ") + t.name;
    return "There is no tool \"" + tool
           + "\". Known tools: " + (known.empty() ? "none" : known) + ".";
  }
  const auto about = "the arguments of " + tool;
  auto json = parse_json(arguments, about);
  if (!json)
    return json.error().detail;
  if (!json->is_object())
    return about + " are no JSON object: " + arguments.substr(0, 200);
  if (auto valid = spec->validator->validate(*json); !valid)
    return about + " do not fit its schema: " + valid.error().detail;
  return std::nullopt;
}

} // namespace kestrion::machine
