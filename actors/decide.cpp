#include <kestrion/actors/draft.hpp>

#include <kestrion/messages/match.hpp>
#include <kestrion/messages/redactor.hpp>

#include <algorithm>

namespace kestrion {

namespace machine {

namespace {

constexpr std::int64_t priority_max = 100;

/// That the agent is another now, if it is. (One without a digest is unknown.)
void note_definition(draft& d) {
  const auto& before = definition_of(d.header(), d.after);
  if (!d.agent.digest.empty() && before != d.agent.digest)
    d.emit(definition_changed{before, d.agent.digest});
}

/// What the log is told of effects that were open when the last life ended.
void take_over(draft& d) {
  note_definition(d);
  const auto before = d.after;
  run_recovered recovered;
  if (before.compaction) {
    if (!before.limit && before.compaction->not_before <= d.now)
      recovered.model_call = before.compaction->call;
  } else if (before.model_call && !before.limit
             && before.model_call->not_before <= d.now)
    recovered.model_call = before.model_call->id;
  if (recovered.model_call) {
    const auto lost = estimate_lost(d);
    recovered.lost_tokens_estimate = lost.tokens;
    recovered.lost_usd_micros_estimate = lost.usd_micros;
  }
  const auto is_doubtful = [&](const open_call& call) {
    const auto* spec = d.agent.find_tool(call.tool);
    return call.phase == call_phase::started
           && (!spec || spec->contract == effect_contract::once);
  };
  // One that waits for its next attempt was not running.
  const auto is_open = [&](const open_call& call) {
    return is_doubtful(call)
           || (call.phase == call_phase::started && call.not_before <= d.now);
  };
  if (!recovered.model_call && !before.check
      && std::none_of(before.calls.begin(), before.calls.end(), is_open))
    return;
  d.emit(std::move(recovered));
  for (const auto& call : before.calls)
    if (is_doubtful(call))
      d.emit(tool_call_in_doubt{call.id});
  stop_if_spent(d);
}

} // namespace

namespace {

/// A key or tenant that is not recorded as it is would not be found again.
std::optional<error> holds_secret(const agent_definition& a,
                                  const run_started& header) {
  if (!a.redaction)
    return std::nullopt;
  const std::pair<const char*, const std::optional<std::string>*> all[] = {
    {"key", &header.key}, {"tenant", &header.tenant}};
  for (const auto& [what, text] : all)
    if (const auto name =
          *text ? a.redaction->find_secret(**text) : std::nullopt)
      return error{errc::invalid_argument, "the " + std::string{what}
                                             + " of the run holds the secret \""
                                             + *name
                                             + "\", which is not recorded"};
  return std::nullopt;
}

} // namespace

outcome on(const run_state& s, const agent_definition& a, const start_run& c) {
  if (s.progress.seq != 0)
    return error{errc::refused, "the run was started already"};
  if (auto why = holds_secret(a, c.header))
    return *why;
  if (const auto priority = c.header.priority.value_or(0);
      priority < -priority_max || priority > priority_max)
    return error{errc::invalid_argument, "the priority is "
                                           + std::to_string(priority)
                                           + "; expected -100 to 100"};
  if (c.header.deadline && *c.header.deadline <= c.now)
    return error{errc::invalid_argument, "the deadline "
                                           + to_string(*c.header.deadline)
                                           + " has passed already"};
  const bool has_input = c.history.empty() || !c.input.parts.empty();
  if (has_input)
    if (auto why = misfit(c.input, a.name))
      return *why;
  draft d{s, a, c.now};
  d.emit(c.header);
  for (const auto& m : c.history)
    d.emit(message_received{m, {}});
  if (has_input)
    d.emit(message_received{{role::user, c.input.parts}, {}});
  stop_if_spent(d);
  return std::move(d.out);
}

outcome on(const run_state& s, const agent_definition& a, const cancel_run& c) {
  if (s.progress.status == run_status::cancelled)
    return decision{};
  if (s.progress.seq == 0 || is_terminal(s.progress.status))
    return error{errc::refused, is_status(s) + "; it can't be cancelled"};
  draft d{s, a, c.now};
  d.emit(run_cancelled{c.by, c.reason});
  return std::move(d.out);
}

outcome on(const run_state& s, const agent_definition& a, const tick& c) {
  const auto& p = s.progress;
  if (p.seq == 0 || is_terminal(p.status) || p.parked)
    return decision{};
  draft d{s, a, c.now};
  if (const auto deadline = s.header->deadline; deadline && *deadline <= c.now)
    fail(d, errc::timeout,
         "the run's deadline passed: " + to_string(*deadline));
  else if (!expire_if_due(d)) {
    stop_if_overdue(d);
    wake_sleepers(d);
  }
  return std::move(d.out);
}

outcome on(const run_state& s, const agent_definition& a,
           const recover_run& c) {
  const auto& p = s.progress;
  if (p.seq == 0 || is_terminal(p.status) || p.parked)
    return decision{}; // A parked run is taken over when it is unparked.
  draft d{s, a, c.now};
  take_over(d);
  return std::move(d.out);
}

outcome on(const run_state& s, const agent_definition& a, const park_run& c) {
  const auto& p = s.progress;
  if (p.seq == 0 || is_terminal(p.status) || p.parked)
    return decision{};
  draft d{s, a, c.now};
  d.emit(run_parked{c.reason});
  return std::move(d.out);
}

outcome on(const run_state& s, const agent_definition& a, const unpark_run& c) {
  if (!s.progress.parked)
    return error{errc::refused, is_status(s) + ", not parked"};
  draft d{s, a, c.now};
  d.emit(run_resumed{c.by});
  take_over(d); // It was parked because it crashed.
  start_if_open(d);
  return std::move(d.out);
}

} // namespace machine

result<decision> decide(const run_state& state,
                        const agent_definition& definition, const command& c) {
  return match(c, [&](const auto& x) {
    auto decided = machine::on(state, definition, x);
    if (decided && definition.compaction && !decided->events.empty())
      machine::compact_if_due(state, definition, x.now, *decided);
    return decided;
  });
}

} // namespace kestrion
