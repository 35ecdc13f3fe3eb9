#pragma once

#include <kestrion/actors/run_machine.hpp>

#include <optional>
#include <string>

/// What the rules of several commands share. Internal to the machine.
namespace kestrion::machine {

/// A decision being made: each event is folded at once into a copy of the
/// progress, so that the next step sees what it leads to.
struct draft {
  const run_state& state;
  const agent_definition& agent;
  timestamp now;
  run_progress after = state.progress;
  decision out{};

  /// Whatever enters the log passes here; invalid UTF-8 ends here.
  void emit(event e);

  /// What the run was started with; there from its first event on.
  const run_started& header() const;
  run_limits limits() const; ///< Those that hold.
};

void fail(draft& d, errc code, std::string reason);

/// Before tools start or the model is called again: is there anything left? If
/// not, the run fails, or is held and asks people for more.
/// @param children  Runs that are about to be started.
void stop_if_spent(draft& d, std::int64_t children = 0);

/// The same for the time since the start.
void stop_if_overdue(draft& d);

/// What may be said yes to instead of what a held run proposed.
/// @par Errors `invalid_argument`: no `limit_raise`, or one that lowers a limit
///   or leaves the run without more of what it has used up.
result<limit_raise> raise_of(const draft& d, const std::string& arguments);

/// What follows from a yes to `raise_limits`, once it is emitted.
void settle_limit(draft& d);

inline constexpr std::size_t tool_result_bytes_max = 16U << 20U;

/// What the model is told instead of a longer result.
std::string too_long(std::size_t bytes);

/// What can have been used at the most; more (or less than nothing) is a
/// mistake of who counted, and must not overflow the run's sums.
std::int64_t plausible(std::int64_t counted);
token_usage plausible(const token_usage& counted);

/// Starts the batch if no gate is closed any more; all calls in one append.
void start_if_open(draft& d);

/// The last word of the model, unless it is not the output that the agent
/// declares: then the model hears why, or the run fails.
/// @param call  The model call that it answers.
void take_answer(draft& d, const std::string& call,
                 const std::vector<part>& parts);

/// What the agent's check says of the answer that it looks at.
result<decision> take_verdict(const run_state& s, const agent_definition& a,
                              const tool_done& c);

/// Ends the sleeps that are over, or, if somebody wakes the run, all of them.
/// @param by  Who; nothing: it is time.
void wake_sleepers(draft& d, const std::optional<std::string>& by = {});

/// Expires the run if a deadline for people has passed.
/// @returns Whether it did; the sentence is then in `d.after.reason`.
bool expire_if_due(draft& d);

/// What a model call that nobody waits for any more may have cost.
struct lost_call {
  std::int64_t tokens = 0;
  std::int64_t usd_micros = 0;
};
lost_call estimate_lost(const draft& d);

/// Whether the failure of an attempt calls for another model.
/// @param wait  Until the next attempt; nothing: there is none.
/// @returns What to say of it behind `model_call_failed`, whose next attempt is
///   then due at once.
std::optional<model_switched> next_model(const draft& d,
                                         const model_failure& failure,
                                         std::optional<duration> wait);

/// Lets a model sum up older messages before the call that `d` opens, if the
/// context has grown too long.
void compact_if_due(const run_state& s, const agent_definition& a,
                    timestamp now, decision& d);

/// What follows from the answer of who sums up.
result<decision> take_summary(const run_state& s, const agent_definition& a,
                              const model_done& c);

/// What the model is told of a child that gave no answer.
std::string in_words(const std::string& agent, run_status status,
                     const std::string& said);

/// "the run is completed"
std::string is_status(const run_state& s);

/// Why nobody can be shown it, as a noun with a clause; nothing: they can.
std::optional<std::string> flaw_of(const content_part& p);

/// Why this can't be what a user said to agent `name`.
std::optional<error> misfit(const message& input, const std::string& name);

/// Why these arguments can't run, as the model is told.
std::optional<std::string> misfit(const agent_definition& agent,
                                  const std::string& tool,
                                  const std::string& arguments);

/// One rule a command; `decide` chooses.
using outcome = result<decision>;
outcome on(const run_state&, const agent_definition&, const start_run&);
outcome on(const run_state&, const agent_definition&, const model_done&);
outcome on(const run_state&, const agent_definition&, const tool_done&);
outcome on(const run_state&, const agent_definition&, const approve_call&);
outcome on(const run_state&, const agent_definition&, const deny_call&);
outcome on(const run_state&, const agent_definition&, const resolve_doubt&);
outcome on(const run_state&, const agent_definition&, const cancel_run&);
outcome on(const run_state&, const agent_definition&, const tick&);
outcome on(const run_state&, const agent_definition&, const recover_run&);
outcome on(const run_state&, const agent_definition&, const park_run&);
outcome on(const run_state&, const agent_definition&, const unpark_run&);
outcome on(const run_state&, const agent_definition&, const child_done&);
outcome on(const run_state&, const agent_definition&, const answer_question&);
outcome on(const run_state&, const agent_definition&, const send_message&);
outcome on(const run_state&, const agent_definition&, const signal_run&);

} // namespace kestrion::machine
