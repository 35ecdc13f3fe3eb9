#include <kestrion/actors/draft.hpp>

/// What is said to a run while it goes on.
namespace kestrion::machine {

namespace {

constexpr std::int64_t heard_max = 1'000; // Messages for one model call.

/// Why the run can't be told anything.
std::optional<error> why_deaf(const run_state& s, const std::string& by) {
  const auto& p = s.progress;
  if (by.empty())
    return error{errc::invalid_argument,
                 "who tells a run something has to be named: \"by\" is empty"};
  if (p.seq == 0 || is_terminal(p.status))
    return error{errc::refused, is_status(s) + "; nothing can be said to it"};
  if (const auto* handoff = open_handoff(p))
    return error{errc::refused, "the run is being handed over to "
                                  + handoff->agent + "; tell that run"};
  if (p.heard >= heard_max)
    return error{errc::refused,
                 std::to_string(p.heard)
                   + " messages wait for the next model call of the run, as "
                     "many as may wait"};
  return std::nullopt;
}

/// Gives up the model call; its answer is not waited for any more.
void interrupt(draft& d, const open_model_call& open, lost_call lost) {
  if (open.not_before > d.now || d.after.limit)
    lost = {}; // It waits, so nothing is under way.
  d.emit(model_call_interrupted{open.id, open.attempt, lost.tokens,
                                lost.usd_micros});
  stop_if_spent(d);
}

/// What is said while an answer is checked makes the model's turn come next.
void fail_if_answered(draft& d) {
  if (d.state.progress.check && !d.state.progress.parked)
    stop_if_spent(d);
}

} // namespace

outcome on(const run_state& s, const agent_definition& a,
           const send_message& c) {
  if (auto why = why_deaf(s, c.by))
    return *why;
  if (auto why = misfit(c.message, s.header->agent))
    return *why;
  draft d{s, a, c.now};
  const auto lost = estimate_lost(d); // Without what is said now.
  d.emit(message_received{{role::user, c.message.parts}, c.by});
  const auto& open = s.progress.model_call;
  const bool is_made = open && !s.progress.compaction; // Else it waits.
  if (c.interrupt && is_made && !s.progress.parked)
    interrupt(d, *open, lost);
  else
    fail_if_answered(d);
  if (c.interrupt)
    wake_sleepers(d, c.by);
  return std::move(d.out);
}

outcome on(const run_state& s, const agent_definition& a, const signal_run& c) {
  if (auto why = why_deaf(s, c.by))
    return *why;
  if (c.name.empty())
    return error{errc::invalid_argument,
                 "a signal has to have a name: \"name\" is empty"};
  draft d{s, a, c.now};
  d.emit(signal_received{c.name, c.data, c.by});
  fail_if_answered(d);
  wake_sleepers(d, c.by);
  return std::move(d.out);
}

} // namespace kestrion::machine
