#include <kestrion/actors/run_state.hpp>

#include <algorithm>

namespace kestrion {

std::vector<std::string> missing_roles(const open_call& call) {
  const auto granted = [&](const std::string* role) {
    return std::any_of(
      call.grants.begin(), call.grants.end(), [&](const role_grant& g) {
        return g.digest == call.digest && (!role || g.role == *role);
      });
  };
  std::vector<std::string> missing;
  if (!call.gated)
    return missing;
  if (call.roles.empty() && !granted(nullptr))
    missing.emplace_back();
  for (const auto& role : call.roles)
    if (!granted(&role))
      missing.push_back(role);
  return missing;
}

const std::string& definition_of(const run_started& header,
                                 const run_progress& p) {
  return p.definition ? *p.definition : header.definition;
}

run_limits limits_of(const run_limits& declared, const run_progress& p) {
  auto out = declared;
  if (!p.raised)
    return out;
  const auto& raised = p.raised->limits;
  out.turns_max = raised.turns_max.value_or(out.turns_max);
  out.tool_calls_max = raised.tool_calls_max.value_or(out.tool_calls_max);
  out.tokens_max = raised.tokens_max.value_or(out.tokens_max);
  out.cost_usd_micros_max =
    raised.cost_usd_micros_max.value_or(out.cost_usd_micros_max);
  out.wall_time_max = raised.wall_time_max.value_or(out.wall_time_max);
  if (raised.descendants_max)
    out.descendants_max = raised.descendants_max;
  return out;
}

std::int64_t context_tokens(const run_progress& p) {
  return p.context_offset + p.said_bytes / bytes_per_token;
}

namespace {

bool are_same(const conversation& a, const conversation& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return *x == *y; });
}

} // namespace

bool operator==(const run_state& a, const run_state& b) {
  return a.header == b.header && a.progress == b.progress
         && a.results == b.results && are_same(a.heard, b.heard)
         && are_same(a.conversation, b.conversation);
}

const open_call* open_handoff(const run_progress& p) {
  const auto call =
    std::find_if(p.calls.begin(), p.calls.end(), [](const auto& c) {
      return c.phase == call_phase::child && c.handoff;
    });
  return call == p.calls.end() ? nullptr : &*call;
}

namespace {

std::string target_of_handoff(const run_progress& p) {
  if (const auto* open = open_handoff(p))
    return open->agent;
  return p.handed_over ? p.handed_over->agent : "another agent";
}

/// What the next agent reads as the results of the batch that handed over.
message results_of_handoff(const run_state& s, std::string_view handoff) {
  message out{role::tool, {}};
  if (s.conversation.empty() || s.results.empty())
    return out;
  std::size_t at = 0;
  for (const auto& each : s.conversation.back()->parts)
    if (const auto* asked = std::get_if<tool_call_part>(&each)) {
      if (at < s.results.size() && s.results[at])
        out.parts.emplace_back(*s.results[at]);
      else if (asked->id == handoff)
        out.parts.emplace_back(tool_result_part{
          asked->id, asked->vendor_id, asked->name,
          "Handed over to " + target_of_handoff(s.progress) + ".", false});
      else
        out.parts.emplace_back(tool_result_part{
          asked->id, asked->vendor_id, asked->name,
          "Not done: the conversation was handed over.", true});
      ++at;
    }
  return out;
}

} // namespace

std::vector<message> handoff_history(const run_state& s,
                                     std::string_view call) {
  std::vector<message> out;
  out.reserve(s.conversation.size() + 1 + s.heard.size());
  for (const auto& m : s.conversation)
    out.push_back(*m);
  if (auto results = results_of_handoff(s, call); !results.parts.empty())
    out.push_back(std::move(results));
  for (const auto& m : s.heard)
    out.push_back(*m);
  return out;
}

std::vector<std::string> open_children(const run_state& state) {
  auto out = state.progress.left_children;
  for (const auto& call : state.progress.calls)
    if (call.phase == call_phase::child)
      out.push_back(call.id);
  return out;
}

std::string output_of(const run_state& state) {
  if (state.progress.output)
    return *state.progress.output;
  if (state.conversation.empty()
      || state.conversation.back()->role != role::assistant)
    return {};
  return text_of(*state.conversation.back());
}

} // namespace kestrion
