#include <kestrion/actors/draft.hpp>
#include <kestrion/messages/match.hpp>
#include <kestrion/scheduler/backoff.hpp>

#include <algorithm>

/// What the end of a tool call leads to, be it reported by the tool or, after a
/// crash, by a person.
namespace kestrion::machine {

namespace {

std::size_t bytes_in(const text_part& x) {
  return x.text.size();
}
std::size_t bytes_in(const image_part& x) {
  return x.url.size();
}
std::size_t bytes_in(const document_part& x) {
  return x.url.size();
}

/// What is too long can't be kept, and what is nothing can't be shown; both
/// would be so again.
tool_outcome kept(tool_outcome x) {
  auto bytes = x.content.size();
  for (const auto& each : x.attachments) {
    bytes += match(each, [](const auto& one) { return bytes_in(one); });
    if (const auto flaw = flaw_of(each))
      return {"the result holds " + *flaw, tool_failure::failed, true};
  }
  if (bytes > tool_result_bytes_max)
    return {too_long(bytes), tool_failure::failed, true};
  return x;
}

std::optional<std::vector<content_part>>
attachments_of(std::vector<content_part> given) {
  return given.empty() ? std::nullopt : std::optional{std::move(given)};
}

/// Ends `call` as `x` has it; `by` says so if not the tool itself.
void settle(draft& d, const std::string& call, tool_outcome x, duration took,
            std::optional<std::string> by) {
  x = kept(std::move(x));
  if (x.failure)
    d.emit(tool_call_failed{call, *x.failure, std::move(x.content), took,
                            std::move(by)});
  else
    d.emit(tool_call_completed{call, std::move(x.content), took, std::move(by),
                               attachments_of(std::move(x.attachments))});
  stop_if_spent(d);
}

/// Whether a call that ended as `x` has an attempt left that may help. A `once`
/// tool has none: `prepare` allows it one.
bool may_try_again(const tool_spec* spec, const open_call& call,
                   const tool_outcome& x) {
  return spec && x.failure && !x.is_permanent
         && (*x.failure == tool_failure::failed
             || *x.failure == tool_failure::timed_out)
         && call.failures + 1 < spec->retry.attempts_max;
}

void try_again(draft& d, const open_call& call, const retry_rule& rule,
               const tool_done& c) {
  const backoff_policy policy{rule.backoff_first, rule.backoff_max};
  const auto delay = retry_delay(policy, call.failures + 1, {}, c.jitter);
  d.emit(tool_attempt_failed{call.id, call.attempt, *c.outcome.failure,
                             c.outcome.content, c.duration,
                             later(d.now, delay)});
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
  if (const auto& check = s.progress.check; check && check->call == c.call)
    return take_verdict(s, a, c);
  const auto& calls = s.progress.calls;
  const auto call = std::find_if(calls.begin(), calls.end(), [&](auto& x) {
    return x.id == c.call && x.phase == call_phase::started
           && (c.attempt == 0 || c.attempt == x.attempt);
  });
  if (call == calls.end() || s.progress.parked)
    return decision{}; // Late or twice: settled already.
  draft d{s, a, c.now};
  const auto* spec = a.find_tool(call->tool);
  auto ended = kept(c.outcome);
  if (may_try_again(spec, *call, ended))
    try_again(d, *call, spec->retry, c);
  else
    settle(d, c.call, std::move(ended), c.duration, {});
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
