#include <kestrion/actors/draft.hpp>

#include <algorithm>

/// What the end of another agent's run leads to.
namespace kestrion::machine {

std::string in_words(const std::string& agent, run_status status,
                     const std::string& said) {
  return "The run of " + agent + " ended as " + std::string{to_string(status)}
         + (said.empty() ? "." : ": " + said);
}

namespace {

child_ended ended(const open_call& call, const child_done& c) {
  child_ended out;
  out.call = c.call;
  out.status = c.status;
  out.content = c.content;
  out.usage = plausible(c.usage);
  out.cost_usd_micros = plausible(c.cost_usd_micros);
  out.descendants = plausible(c.descendants);
  if (c.content.size() > tool_result_bytes_max) {
    out.status = run_status::failed;
    out.content = too_long(c.content.size());
  } else if (c.status != run_status::completed) {
    out.content = in_words(call.agent, c.status, c.content);
  }
  return out;
}

} // namespace

outcome on(const run_state& s, const agent_definition& a, const child_done& c) {
  const auto& calls = s.progress.calls;
  const auto call =
    std::find_if(calls.begin(), calls.end(), [&](const auto& x) {
      return x.id == c.call && x.phase == call_phase::child;
    });
  if (call == calls.end() || s.progress.parked)
    return decision{}; // Late or twice: settled already.
  draft d{s, a, c.now};
  if (call->handoff && c.status != run_status::failed) {
    d.emit(run_completed{}); // It goes on there.
    return std::move(d.out);
  }
  if (!is_terminal(c.status))
    return decision{};
  d.emit(ended(*call, c));
  stop_if_spent(d);
  return std::move(d.out);
}

} // namespace kestrion::machine
