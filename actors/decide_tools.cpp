#include <kestrion/actors/draft.hpp>

#include <algorithm>

/// What the end of a tool call leads to, be it reported by the tool or, after a
/// crash, by a person.
namespace kestrion::machine {

namespace {

/// Ends `call` as `x` has it; `by` says so if not the tool itself.
void settle(draft& d, const std::string& call, tool_outcome x, duration took,
            std::optional<std::string> by) {
  if (x.content.size() > tool_result_bytes_max)
    x = {too_long(x.content.size()), tool_failure::failed};
  if (x.failure)
    d.emit(tool_call_failed{call, *x.failure, std::move(x.content), took,
                            std::move(by)});
  else
    d.emit(
      tool_call_completed{call, std::move(x.content), took, std::move(by)});
  fail_if_spent(d);
}

/// The one call that `x` is about.
result<std::string> find_doubt(const run_progress& p,
                               const doubt_resolution& x) {
  std::vector<std::string> doubtful;
  for (const auto& call : p.calls)
    if (call.phase == call_phase::in_doubt
        && (x.call.empty() || x.call == call.id))
      doubtful.push_back(call.id);
  if (doubtful.empty() && is_terminal(p.status))
    return error{errc::refused, "the run is " + std::string{to_string(p.status)}
                                  + "; nothing is in doubt any more"};
  if (doubtful.empty())
    return error{errc::not_found, x.call.empty()
                                    ? "no call of the run is in doubt"
                                    : "call " + x.call + " is not in doubt"};
  if (doubtful.size() > 1) {
    std::string ids;
    for (const auto& id : doubtful)
      ids += (ids.empty() ? "" : ", ") + id;
    return error{errc::refused, "several calls are in doubt (" + ids
                                  + "); name one by its \"call\""};
  }
  return doubtful.front();
}

} // namespace

outcome on(const run_state& s, const agent_definition& a, const tool_done& c) {
  const auto& calls = s.progress.calls;
  const bool is_open =
    std::any_of(calls.begin(), calls.end(), [&](const auto& x) {
      return x.id == c.call && x.phase == call_phase::started
             && (c.attempt == 0 || c.attempt == x.attempt);
    });
  if (!is_open || s.progress.parked)
    return decision{}; // Late or twice: settled already.
  draft d{s, a, c.now};
  settle(d, c.call, c.outcome, c.duration, {});
  return std::move(d.out);
}

outcome on(const run_state& s, const agent_definition& a,
           const resolve_doubt& c) {
  const auto& x = c.decision;
  if (x.by.empty())
    return error{errc::invalid_argument,
                 "who resolves a doubt has to be named: \"by\" is empty"};
  const auto call = find_doubt(s.progress, x);
  if (!call)
    return call.error();
  if (s.progress.parked)
    return error{errc::refused, "the run is parked; unpark it before call "
                                  + *call + " is resolved"};
  draft d{s, a, c.now};
  switch (x.answer) {
    case doubt_answer::happened:
      settle(d, *call, {x.content, {}}, {}, x.by);
      break;
    case doubt_answer::did_not_happen:
      settle(d, *call,
             {"The call was interrupted and did not happen.",
              tool_failure::not_executed},
             {}, x.by);
      break;
    case doubt_answer::run_again: d.emit(tool_call_started{*call, x.by}); break;
  }
  return std::move(d.out);
}

} // namespace kestrion::machine
