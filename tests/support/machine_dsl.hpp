#pragma once

#include <kestrion/actors/run_machine.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

/// Tests of the run machine as stories: a history is given, a command comes,
/// and what follows is read as short sentences.
namespace kestrion::test {

using lines = std::vector<std::string>;

/// An event or effect in one line: "tool_call_failed c1.0 unknown_tool".
std::string brief(const event& e);
std::string brief(const effect& e);
std::string brief(const message& m);

/// What was said, a line a message: "tool: c1.0=3 c1.1!no such file".
lines said(const run_state& state);

/// The whole state as text, for histories that have to fold to it for ever.
std::string described(const run_state& state);

/// What the store gives back of an event.
recorded_event reread(const recorded_event& e);

/// Agent "ops" has a tool for each contract and gate. All take an optional
/// integer `n` and nothing else.
///
///   look, write, deploy, send        no gate; pure, idempotent, probe, once
///   apply                            gate for anyone; `n` is required
///   scale                            gate for the role engineer
///   wipe                             gate for anyone, deadline 1 h
///   drop                             gate for sre and lead, deadline 1 h
agent_definition ops_agent(run_limits limits = {});

/// As `ops_agent`, with colleagues:
///
///   research                         a sub-agent, "researcher"
///   audit                            a sub-agent, "auditor"; gate for lead
///   to_billing                       a handoff to "billing"
///   escalate                         a handoff to "boss"; gate for lead
///   ask                              a question
///   nap                              a sleep
agent_definition team_agent(run_limits limits = {});

/// One run and the clock of its world. Commands are decided at `now`; what they
/// decide is recorded and folded, as a shell would.
class machine_story {
public:
  explicit machine_story(agent_definition agent = ops_agent());

  // -- when -------------------------------------------------------------------

  void starts(message input = user_message("go"));
  void model_says(std::string text,
                  kestrion::stop_reason stop = stop_reason::end_turn);
  /// Pairs of tool and arguments.
  void
  model_calls(const std::vector<std::pair<std::string, std::string>>& calls,
              token_usage usage = {});
  /// The run is started if need be; the model asks for each tool with n = 1.
  void asks_for(const lines& tools);
  void model_fails(errc code, bool retryable = true,
                   std::optional<duration> retry_after = {});
  void tool_returns(const std::string& call, std::string content);
  void tool_fails(const std::string& call, std::string content,
                  tool_failure why = tool_failure::failed);
  void child_ends(const std::string& call, run_status status,
                  std::string content = {}, token_usage usage = {});
  void answered(question_answer answer);
  void is_told(std::string text, bool interrupt = false); ///< By ana.
  void approved(approval decision);
  void denied(denial decision);
  void resolved(doubt_resolution decision);
  void ticks() { take(tick{{}}); }
  void recovers() { take(recover_run{{}}); }
  void is_parked() { take(park_run{"crashed", {}}); }
  void is_unparked() { take(unpark_run{"ana", {}}); }
  void is_cancelled() { take(cancel_run{"ana", "enough", {}}); }
  void take(command c);
  void passes(duration d) { now += d; }

  // -- then -------------------------------------------------------------------

  /// What the last command decided; empty if it was refused.
  lines events() const;
  /// "refused: call c1.0 …"; empty if it was not.
  std::string refusal() const;
  run_status status() const { return state.progress.status; }
  lines owes() const;
  const open_call& call(const std::string& id) const;
  std::string digest(const std::string& id) const { return call(id).digest; }
  /// The n-th event of this kind that the last command decided.
  template <class E>
  E decided(std::size_t n = 0) const {
    for (const auto& e : last->events)
      if (const auto* x = std::get_if<E>(&e); x && n-- == 0)
        return *x;
    throw std::out_of_range("no such event was decided");
  }

  agent_definition agent;
  timestamp now{std::chrono::sys_days{std::chrono::year{2026} / 1 / 2}};
  run_state state;
  std::vector<recorded_event> log;
  result<decision> last = decision{};

private:
  std::string open_model_call() const;
};

} // namespace kestrion::test
