#include <kestrion/actors/draft.hpp>
#include <kestrion/actors/gate.hpp>
#include <kestrion/messages/match.hpp>
#include <kestrion/messages/utf8.hpp>
#include <kestrion/scheduler/backoff.hpp>

#include <algorithm>

/// What the answer of the model leads to.
namespace kestrion::machine {

namespace {

// -- ids ----------------------------------------------------------------------

bool is_known_vendor_id(const run_state& s, const std::vector<part>& before,
                        const std::string& id) {
  const auto has = [&](const std::vector<part>& parts) {
    return std::any_of(parts.begin(), parts.end(), [&](const part& p) {
      const auto* call = std::get_if<tool_call_part>(&p);
      return call && call->vendor_id == id;
    });
  };
  return has(before)
         || (s.vendor_ids.may_have(id)
             && std::any_of(s.conversation.begin(), s.conversation.end(),
                            [&](const auto& m) { return has(m->parts); }));
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
      call->vendor_id = to_valid_utf8(std::move(call->vendor_id));
      if (call->vendor_id.empty()
          || is_known_vendor_id(s, out, call->vendor_id))
        call->vendor_id = "call_" + number + "_" + i;
      while (is_known_vendor_id(s, out, call->vendor_id))
        call->vendor_id += '_'; // A vendor made up the same one before.
    }
    out.push_back(std::move(p));
  }
  return out;
}

// -- what it asks for ---------------------------------------------------------

void request_approval(draft& d, const open_call& call,
                      const approval_gate& gate) {
  approval_requested request{call.id,
                             call.tool,
                             approval_digest(call.tool, call.arguments),
                             gate.roles,
                             {}};
  if (gate.deadline)
    request.deadline = later(d.now, *gate.deadline);
  d.emit(std::move(request));
}

/// Why no run may be started for `call`.
std::optional<std::string> too_deep(const draft& d, const tool_spec& spec) {
  const auto depth = d.state.header->depth.value_or(0);
  const auto max = d.state.header->limits.depth_max.value_or(default_depth_max);
  const bool starts_run =
    spec.kind == tool_kind::subagent || spec.kind == tool_kind::handoff;
  if (!starts_run || depth < max)
    return std::nullopt;
  return "The limit depth_max is reached: this run has depth "
         + std::to_string(depth) + " of " + std::to_string(max)
         + ", so it can't start one of " + spec.agent
         + ". Go on without its help.";
}

/// The result that `call` gets at once, instead of being run.
std::optional<tool_call_failed> rejected(const draft& d, const open_call& call,
                                         bool is_cut) {
  auto why = misfit(d.agent, call.tool, call.arguments);
  if (!why && is_cut)
    why = "the answer was cut at its limit of output tokens; the arguments of "
          + call.tool + " may be incomplete";
  const auto* spec = d.agent.find_tool(call.tool);
  if (!why)
    if (auto deep = too_deep(d, *spec))
      return tool_call_failed{
        call.id, tool_failure::failed, std::move(*deep), {}, {}};
  if (!why)
    return std::nullopt;
  const auto reason =
    spec ? tool_failure::invalid_arguments : tool_failure::unknown_tool;
  return tool_call_failed{call.id, reason, std::move(*why), {}, {}};
}

/// The run goes on elsewhere, so nothing may be left to do for it here.
void reject_handoffs_in_company(draft& d) {
  std::size_t runnable = 0;
  std::vector<std::string> handoffs;
  for (const auto& call : d.after.calls) {
    if (call.phase != call_phase::waiting)
      continue;
    ++runnable;
    const auto* spec = d.agent.find_tool(call.tool);
    if (spec && spec->kind == tool_kind::handoff)
      handoffs.push_back(call.id);
  }
  if (runnable < 2)
    return;
  for (auto& call : handoffs)
    d.emit(tool_call_failed{std::move(call),
                            tool_failure::failed,
                            "Hand over alone: this has to be the only call of "
                            "an answer.",
                            {},
                            {}});
}

/// Errors at once, gates next, then the start.
void open_batch(draft& d, stop_reason stop) {
  const auto asked = d.after.calls; // Emitting may close the batch.
  for (const auto& call : asked) {
    const bool is_cut =
      stop == stop_reason::max_tokens && &call == &asked.back();
    if (auto failed = rejected(d, call, is_cut))
      d.emit(std::move(*failed));
  }
  reject_handoffs_in_company(d);
  const auto valid = d.after.calls;
  for (const auto& call : valid) {
    const auto* spec = d.agent.find_tool(call.tool);
    if (call.phase == call_phase::waiting && spec && spec->gate.required)
      request_approval(d, call, spec->gate);
  }
  start_if_open(d);
}

// -- the two outcomes ---------------------------------------------------------

model_call_completed completed(const draft& d, const model_done& c,
                               const model_reply& reply) {
  model_call_completed done;
  done.call = c.call;
  done.model = reply.model;
  done.parts = with_ids(d.state, c.call, reply.parts);
  done.stop = reply.stop;
  done.usage = plausible(reply.usage);
  if (reply.cost_usd_micros)
    done.cost_usd_micros = plausible(*reply.cost_usd_micros);
  done.duration = c.duration;
  done.attempt = d.after.model_call->attempt;
  if (!reply.request_id.empty())
    done.request_id = reply.request_id;
  return done;
}

void take_reply(draft& d, const model_done& c, const model_reply& reply) {
  d.emit(completed(d, c, reply));
  if (reply.stop == stop_reason::refusal) {
    const auto text = text_of({role::assistant, reply.parts});
    fail(d, errc::refused,
         "the model refused" + (text.empty() ? "" : ": " + text));
  } else if (!d.after.calls.empty()) {
    stop_if_spent(d);
    if (!is_terminal(d.after.status))
      open_batch(d, reply.stop);
    stop_if_spent(d);
  } else if (reply.stop == stop_reason::max_tokens) {
    fail(d, errc::limit_exceeded,
         "the model's answer was cut at its limit of output tokens; "
         "output_tokens_max is "
           + std::to_string(d.agent.options.output_tokens_max));
  } else if (d.after.model_call) {
    stop_if_spent(d); // Somebody said something meanwhile.
  } else {
    take_answer(d, c.call, reply.parts);
  }
}

void take_failure(draft& d, const model_done& c, const model_failure& failure) {
  const auto attempt = d.after.model_call->attempt;
  const auto tries = attempt - d.after.model_call->given_up;
  const bool again =
    failure.retryable && tries < d.state.header->limits.model_attempts_max;
  model_call_failed failed{c.call,
                           attempt,
                           std::string{to_string(failure.error.code)},
                           failure.error.detail,
                           c.duration,
                           {}};
  std::optional<duration> wait;
  if (again)
    wait = retry_delay({}, tries, failure.retry_after, c.jitter);
  auto other = next_model(d, failure, wait);
  if (other)
    wait = duration::zero();
  if (wait)
    failed.retry_at = later(c.now, *wait);
  d.emit(std::move(failed));
  if (other)
    d.emit(std::move(*other));
  else if (!again)
    fail(d, failure.error.code,
         "model call " + c.call + " failed at attempt "
           + std::to_string(attempt) + ": " + failure.error.detail);
}

} // namespace

outcome on(const run_state& s, const agent_definition& a, const model_done& c) {
  const auto& open = s.progress.model_call;
  if (s.progress.compaction)
    return take_summary(s, a, c);
  if (!open || open->id != c.call || s.progress.parked
      || (c.attempt != 0 && c.attempt != open->attempt))
    return decision{}; // Late or twice: settled already.
  draft d{s, a, c.now};
  match(
    c.outcome, [&](const model_reply& x) { take_reply(d, c, x); },
    [&](const model_failure& x) { take_failure(d, c, x); });
  return std::move(d.out);
}

} // namespace kestrion::machine
