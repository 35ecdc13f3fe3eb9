#include <kestrion/actors/draft.hpp>

#include <kestrion/actors/fold_progress.hpp>
#include <kestrion/messages/json_text.hpp>
#include <kestrion/messages/valid_text.hpp>

#include <boost/json/object.hpp>
#include <boost/json/string.hpp>

#include <algorithm>

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

void fail_if_spent(draft& d, std::int64_t children) {
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
  const auto descendants_max =
    l.descendants_max.value_or(default_descendants_max);
  check(p.descendants + children > descendants_max, "descendants_max",
        p.descendants, descendants_max);
  if (!spent.empty())
    fail(d, errc::limit_exceeded, "the run's limit is reached: " + spent);
}

std::string too_long(std::size_t bytes) {
  return "the result has " + std::to_string(bytes) + " bytes; at most "
         + std::to_string(tool_result_bytes_max) + " can be kept";
}

std::int64_t plausible(std::int64_t counted) {
  constexpr std::int64_t of_a_call_max = 1'000'000'000'000;
  return std::clamp<std::int64_t>(counted, 0, of_a_call_max);
}

token_usage plausible(const token_usage& counted) {
  return {plausible(counted.input_tokens), plausible(counted.cache_read_tokens),
          plausible(counted.cache_write_tokens),
          plausible(counted.output_tokens),
          plausible(counted.reasoning_tokens)};
}

namespace {

/// The fact with which a call of a tool of this kind begins.
event start_of(const open_call& call, const tool_spec* spec) {
  const auto kind = spec ? spec->kind : tool_kind::function;
  if (kind == tool_kind::subagent)
    return child_started{call.id, spec->agent};
  return tool_call_started{call.id, {}};
}

} // namespace

void start_if_open(draft& d) {
  if (d.after.parked)
    return; // `unpark_run` comes back here.
  std::vector<event> ready;
  std::int64_t children = 0;
  for (const auto& call : d.after.calls) {
    if (call.phase != call_phase::waiting)
      continue;
    if (!missing_roles(call).empty())
      return;
    ready.push_back(start_of(call, d.agent.find_tool(call.tool)));
    children += std::holds_alternative<child_started>(ready.back()) ? 1 : 0;
  }
  if (children != 0)
    fail_if_spent(d, children);
  if (is_terminal(d.after.status))
    return;
  for (auto& start : ready)
    d.emit(std::move(start));
}

namespace {

bool is_blank(const boost::json::value& text) {
  return text.as_string().find_first_not_of(" \t\r\n")
         == boost::json::string::npos;
}

} // namespace

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
  if (spec->kind == tool_kind::subagent && is_blank(json->at("prompt")))
    return "the prompt for " + spec->agent
           + " is empty; expected something to do";
  return std::nullopt;
}

} // namespace kestrion::machine
