#include <kestrion/actors/run_machine.hpp>

#include <kestrion/actors/fold_progress.hpp>
#include <kestrion/actors/gate.hpp>
#include <kestrion/messages/json_text.hpp>
#include <kestrion/messages/match.hpp>
#include <kestrion/messages/utf8.hpp>
#include <kestrion/scheduler/backoff.hpp>

#include <algorithm>

namespace kestrion {

namespace {

using outcome = result<decision>;

constexpr std::size_t tool_result_bytes_max = 16U << 20U;
constexpr std::int64_t bytes_per_token = 4; // For the estimate of lost calls.

/// A decision being made: each event is folded at once into a copy of the
/// progress, so that the next step sees what it leads to.
struct draft {
  const run_state& state;
  const agent_definition& agent;
  timestamp now;
  run_progress after = state.progress;
  decision out{};

  void emit(event e) {
    recorded_event recorded{after.seq + 1, now, std::move(e)};
    fold_progress(after, recorded);
    out.status = after.status;
    out.events.push_back(std::move(recorded.event));
  }
};

void fail(draft& d, errc code, std::string reason) {
  d.emit(run_failed{std::string{to_string(code)}, std::move(reason)});
}

// -- limits -------------------------------------------------------------------

std::optional<std::string> exceeded(std::string_view name, std::int64_t used,
                                    std::int64_t max) {
  if (used <= max)
    return std::nullopt;
  return std::string{name} + ": " + std::to_string(used) + " of "
         + std::to_string(max);
}

/// Before tools start or the model is called again: is there anything left?
void fail_if_spent(draft& d) {
  const auto& p = d.after;
  if (is_terminal(p.status) || (!p.model_call && p.calls.empty()))
    return;
  const auto& l = d.state.header.limits;
  auto spent =
    exceeded("turns_max", p.turns + (p.model_call ? 1 : 0), l.turns_max);
  if (!spent)
    spent = exceeded("tool_calls_max", p.tool_calls, l.tool_calls_max);
  if (!spent)
    spent = exceeded("tokens_max", p.usage.total() + p.lost_tokens_estimate,
                     l.tokens_max);
  if (!spent)
    spent =
      exceeded("cost_usd_micros_max", p.cost_usd_micros, l.cost_usd_micros_max);
  if (spent)
    fail(d, errc::limit_exceeded, "the run's limit is reached: " + *spent);
}

// -- the batch ----------------------------------------------------------------

/// Starts the batch if no gate is closed any more; all calls in one append.
void start_if_open(draft& d) {
  const auto& calls = d.after.calls;
  for (const auto& call : calls)
    if (call.phase == call_phase::waiting && !missing_roles(call).empty())
      return;
  std::vector<std::string> ready;
  for (const auto& call : calls)
    if (call.phase == call_phase::waiting)
      ready.push_back(call.id);
  for (auto& id : ready)
    d.emit(tool_call_started{std::move(id), {}});
}

/// Why the model's call can't run, as it is told.
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
  auto json = parse_json(arguments, "the arguments of " + tool);
  if (!json)
    return json.error().detail;
  if (!json->is_object())
    return "the arguments of " + tool
           + " are no JSON object: " + arguments.substr(0, 200);
  if (auto valid = spec->validator->validate(*json); !valid)
    return "the arguments of " + tool
           + " do not fit its schema: " + valid.error().detail;
  return std::nullopt;
}

void request_approval(draft& d, const open_call& call, const tool_spec& spec) {
  approval_requested request{call.id,
                             call.tool,
                             approval_digest(call.tool, call.arguments),
                             spec.gate.roles,
                             {}};
  if (spec.gate.deadline)
    request.deadline = d.now + *spec.gate.deadline;
  d.emit(std::move(request));
}

/// What the model asked for: errors at once, gates next, then the start.
void open_batch(draft& d) {
  const auto asked = d.after.calls; // Emitting may close the batch.
  for (const auto& call : asked)
    if (auto why = misfit(d.agent, call.tool, call.arguments))
      d.emit(tool_call_failed{call.id,
                              d.agent.find_tool(call.tool)
                                ? tool_failure::invalid_arguments
                                : tool_failure::unknown_tool,
                              to_valid_utf8(std::move(*why)),
                              {},
                              {}});
  const auto valid = d.after.calls;
  for (const auto& call : valid) {
    const auto* spec = d.agent.find_tool(call.tool);
    if (call.phase == call_phase::waiting && spec && spec->gate.required)
      request_approval(d, call, *spec);
  }
  start_if_open(d);
}

bool is_known_vendor_id(const run_state& s, const std::vector<part>& before,
                        const std::string& id) {
  const auto has = [&](const std::vector<part>& parts) {
    return std::any_of(parts.begin(), parts.end(), [&](const part& p) {
      const auto* call = std::get_if<tool_call_part>(&p);
      return call && call->vendor_id == id;
    });
  };
  return has(before)
         || std::any_of(s.conversation.begin(), s.conversation.end(),
                        [&](const auto& m) { return has(m->parts); });
}

/// Gives tool calls our ids. A vendor's id that is missing or was seen before
/// would make the next request ambiguous, so it is replaced by ours.
std::vector<part> with_ids(const run_state& s, const std::string& model_call,
                           const std::vector<part>& said) {
  const auto number = model_call.substr(1);
  std::vector<part> out;
  out.reserve(said.size());
  int index = 0;
  for (const auto& each : said) {
    auto p = each;
    if (auto* call = std::get_if<tool_call_part>(&p)) {
      const auto i = std::to_string(index++);
      call->id = "c" + number + "." + i;
      call->name = to_valid_utf8(std::move(call->name));
      call->arguments = to_valid_utf8(std::move(call->arguments));
      if (call->vendor_id.empty()
          || is_known_vendor_id(s, out, call->vendor_id))
        call->vendor_id = "call_" + number + "_" + i;
    }
    out.push_back(std::move(p));
  }
  return out;
}

// -- model --------------------------------------------------------------------

void take_reply(draft& d, const model_done& c, const model_reply& reply) {
  const auto attempt = d.after.model_call->attempt;
  model_call_completed done;
  done.call = c.call;
  done.model = reply.model;
  done.parts = with_ids(d.state, c.call, reply.parts);
  done.stop = reply.stop;
  done.usage = reply.usage;
  done.cost_usd_micros = reply.cost_usd_micros;
  done.duration = c.duration;
  done.attempt = attempt;
  if (!reply.request_id.empty())
    done.request_id = reply.request_id;
  d.emit(std::move(done));
  if (!d.after.calls.empty()) {
    fail_if_spent(d);
    if (!is_terminal(d.after.status))
      open_batch(d);
    fail_if_spent(d);
  } else if (reply.stop == stop_reason::max_tokens) {
    fail(d, errc::limit_exceeded,
         "the model's answer was cut at its limit of output tokens; "
         "output_tokens_max is "
           + std::to_string(d.agent.options.output_tokens_max));
  } else if (reply.stop == stop_reason::refusal) {
    const auto text = text_of({role::assistant, reply.parts});
    fail(d, errc::refused,
         "the model refused" + (text.empty() ? "" : ": " + text));
  } else {
    d.emit(run_completed{});
  }
}

void take_failure(draft& d, const model_done& c, const model_failure& failure) {
  const auto attempt = d.after.model_call->attempt;
  const bool again =
    failure.retryable && attempt < d.state.header.limits.model_attempts_max;
  model_call_failed failed{c.call,
                           attempt,
                           std::string{to_string(failure.error.code)},
                           to_valid_utf8(failure.error.detail),
                           c.duration,
                           {}};
  if (again)
    failed.retry_at =
      c.now + retry_delay({}, attempt, failure.retry_after, c.jitter);
  d.emit(failed);
  if (!again)
    fail(d, failure.error.code,
         "model call " + c.call + " failed at attempt "
           + std::to_string(attempt) + ": " + failed.detail);
}

outcome on(const run_state& s, const agent_definition& a, const model_done& c) {
  const auto& open = s.progress.model_call;
  if (!open || open->id != c.call || s.progress.parked)
    return decision{}; // Late or twice: settled already.
  draft d{s, a, c.now};
  match(
    c.outcome, [&](const model_reply& x) { take_reply(d, c, x); },
    [&](const model_failure& x) { take_failure(d, c, x); });
  return std::move(d.out);
}

// -- tools --------------------------------------------------------------------

outcome on(const run_state& s, const agent_definition& a, const tool_done& c) {
  const auto& calls = s.progress.calls;
  const auto call =
    std::find_if(calls.begin(), calls.end(), [&](const auto& x) {
      return x.id == c.call && x.phase == call_phase::started;
    });
  if (call == calls.end() || s.progress.parked)
    return decision{}; // Late or twice: settled already.
  draft d{s, a, c.now};
  auto content = to_valid_utf8(c.outcome.content);
  auto failure = c.outcome.failure;
  if (content.size() > tool_result_bytes_max) {
    content = "the result has " + std::to_string(content.size())
              + " bytes; at most " + std::to_string(tool_result_bytes_max)
              + " can be kept";
    failure = tool_failure::failed;
  }
  if (failure)
    d.emit(
      tool_call_failed{c.call, *failure, std::move(content), c.duration, {}});
  else
    d.emit(tool_call_completed{c.call, std::move(content), c.duration, {}});
  fail_if_spent(d);
  return std::move(d.out);
}

// -- approvals ----------------------------------------------------------------

/// Expires the run if a deadline has passed. @returns Whether it did.
bool expire_if_due(draft& d) {
  std::vector<const open_call*> late;
  for (const auto& call : d.state.progress.calls)
    if (call.phase == call_phase::waiting && call.deadline
        && *call.deadline <= d.now && !missing_roles(call).empty())
      late.push_back(&call);
  if (late.empty())
    return false;
  for (const auto* call : late)
    d.emit(approval_expired{call->id});
  d.emit(run_expired{"call " + late.front()->id + " of " + late.front()->tool
                     + " was not approved by "
                     + to_string(*late.front()->deadline)});
  return true;
}

/// What both kinds of decision begin with: the call, or an answer that needs no
/// more (a repetition, a refusal, an expiry).
std::variant<std::size_t, outcome> begin(draft& d, const gate_decision& g) {
  auto gate = find_gate(d.state.progress, g);
  if (!gate)
    return outcome{gate.error()};
  if (std::holds_alternative<already_decided>(*gate))
    return outcome{decision{}};
  if (expire_if_due(d)) {
    d.out.refusal = error{errc::refused, "the deadline has passed; the run is "
                                         "expired"};
    return outcome{std::move(d.out)};
  }
  return std::get<std::size_t>(*gate);
}

outcome on(const run_state& s, const agent_definition& a,
           const approve_call& c) {
  draft d{s, a, c.now};
  const auto& x = c.decision;
  auto begun = begin(d, {x.call, x.tool, x.by, x.role, x.digest, true});
  if (auto* answer = std::get_if<outcome>(&begun))
    return std::move(*answer);
  const auto& call = s.progress.calls[std::get<std::size_t>(begun)];
  approval_granted granted{call.id, to_valid_utf8(x.by), to_valid_utf8(x.role),
                           call.digest, x.arguments};
  if (x.arguments) {
    if (auto why = misfit(a, call.tool, *x.arguments))
      return error{errc::invalid_argument, "edited arguments: " + *why};
    granted.digest = approval_digest(call.tool, *x.arguments);
  }
  d.emit(std::move(granted));
  start_if_open(d);
  return std::move(d.out);
}

outcome on(const run_state& s, const agent_definition& a, const deny_call& c) {
  draft d{s, a, c.now};
  const auto& x = c.decision;
  auto begun = begin(d, {x.call, x.tool, x.by, x.role, x.digest, false});
  if (auto* answer = std::get_if<outcome>(&begun))
    return std::move(*answer);
  const auto& call = s.progress.calls[std::get<std::size_t>(begun)];
  d.emit(approval_denied{call.id, to_valid_utf8(x.by), to_valid_utf8(x.role),
                         call.digest, to_valid_utf8(x.reason)});
  start_if_open(d);
  fail_if_spent(d);
  return std::move(d.out);
}

// -- doubt --------------------------------------------------------------------

outcome on(const run_state& s, const agent_definition& a,
           const resolve_doubt& c) {
  const auto& x = c.decision;
  if (x.by.empty())
    return error{errc::invalid_argument,
                 "who resolves a doubt has to be named: \"by\" is empty"};
  std::vector<const open_call*> doubtful;
  for (const auto& call : s.progress.calls)
    if (call.phase == call_phase::in_doubt
        && (x.call.empty() || x.call == call.id))
      doubtful.push_back(&call);
  if (doubtful.empty())
    return error{errc::not_found, x.call.empty()
                                    ? "no call of the run is in doubt"
                                    : "call " + x.call + " is not in doubt"};
  if (doubtful.size() > 1)
    return error{errc::refused, "several calls are in doubt; name one by its "
                                "\"call\""};
  const auto id = doubtful.front()->id;
  const auto by = to_valid_utf8(x.by);
  draft d{s, a, c.now};
  switch (x.answer) {
  case doubt_answer::happened:
    d.emit(tool_call_completed{id, to_valid_utf8(x.content), {}, by});
    break;
  case doubt_answer::did_not_happen:
    d.emit(tool_call_failed{id,
                            tool_failure::not_executed,
                            "The call was interrupted and did not happen.",
                            {},
                            by});
    break;
  case doubt_answer::run_again: d.emit(tool_call_started{id, by}); break;
  }
  fail_if_spent(d);
  return std::move(d.out);
}

// -- the run as a whole -------------------------------------------------------

outcome on(const run_state& s, const agent_definition& a, const start_run& c) {
  if (s.progress.seq != 0)
    return error{errc::refused, "the run was started already"};
  if (text_of(c.input).empty() && c.input.parts.size() <= 1)
    return error{errc::invalid_argument,
                 "the prompt for agent \"" + a.name
                   + "\" is empty; expected something to do"};
  draft d{s, a, c.now};
  d.emit(c.header);
  auto input = c.input;
  input.role = role::user;
  for (auto& each : input.parts)
    if (auto* text = std::get_if<text_part>(&each))
      text->text = to_valid_utf8(std::move(text->text));
  d.emit(message_received{std::move(input)});
  return std::move(d.out);
}

outcome on(const run_state& s, const agent_definition& a, const cancel_run& c) {
  if (s.progress.status == run_status::cancelled)
    return decision{};
  if (is_terminal(s.progress.status))
    return error{errc::refused, "the run is "
                                  + std::string{to_string(s.progress.status)}
                                  + "; it can't be cancelled any more"};
  draft d{s, a, c.now};
  d.emit(run_cancelled{to_valid_utf8(c.by), to_valid_utf8(c.reason)});
  return std::move(d.out);
}

outcome on(const run_state& s, const agent_definition& a, const tick& c) {
  const auto& p = s.progress;
  if (p.seq == 0 || is_terminal(p.status) || p.parked)
    return decision{};
  draft d{s, a, c.now};
  if (expire_if_due(d))
    return std::move(d.out);
  const auto& limits = s.header.limits;
  if (c.now - p.started_at >= limits.wall_time_max)
    fail(d, errc::limit_exceeded,
         "the run's limit is reached: wall_time_max of "
           + std::to_string(limits.wall_time_max.count() / 1'000'000) + " s");
  return std::move(d.out);
}

outcome on(const run_state& s, const agent_definition& a,
           const recover_run& c) {
  const auto& p = s.progress;
  if (p.seq == 0 || is_terminal(p.status) || p.parked)
    return decision{};
  draft d{s, a, c.now};
  run_recovered recovered;
  if (p.model_call && p.model_call->not_before <= c.now) {
    recovered.model_call = p.model_call->id;
    recovered.lost_tokens_estimate = p.said_bytes / bytes_per_token;
    if (a.price)
      recovered.lost_usd_micros_estimate =
        recovered.lost_tokens_estimate * a.price->input / 1'000'000;
  }
  const bool tools_open =
    std::any_of(p.calls.begin(), p.calls.end(), [](const auto& call) {
      return call.phase == call_phase::started;
    });
  if (!recovered.model_call && !tools_open)
    return decision{};
  d.emit(std::move(recovered));
  for (const auto& call : p.calls) {
    const auto* spec = a.find_tool(call.tool);
    if (call.phase == call_phase::started
        && (!spec || spec->contract == effect_contract::once))
      d.emit(tool_call_in_doubt{call.id});
  }
  return std::move(d.out);
}

outcome on(const run_state& s, const agent_definition& a, const park_run& c) {
  if (s.progress.parked || is_terminal(s.progress.status))
    return decision{};
  draft d{s, a, c.now};
  d.emit(run_parked{to_valid_utf8(c.reason)});
  return std::move(d.out);
}

outcome on(const run_state& s, const agent_definition& a, const unpark_run& c) {
  if (!s.progress.parked)
    return error{errc::refused, "the run is "
                                  + std::string{to_string(s.progress.status)}
                                  + ", not parked"};
  draft d{s, a, c.now};
  d.emit(run_resumed{to_valid_utf8(c.by)});
  return std::move(d.out);
}

} // namespace

outcome decide(const run_state& state, const agent_definition& definition,
               const command& c) {
  return match(c, [&](const auto& x) { return on(state, definition, x); });
}

} // namespace kestrion
