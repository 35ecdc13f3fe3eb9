#include <kestrion/actors/fold_progress.hpp>

#include <kestrion/actors/fold_parts.hpp>
#include <kestrion/actors/said_bytes.hpp>
#include <kestrion/messages/match.hpp>

#include <algorithm>

namespace kestrion {

namespace {

open_call* find(run_progress& p, const std::string& id) {
  for (auto& call : p.calls)
    if (call.id == id)
      return &call;
  return nullptr;
}

/// Also the call of `raise_limits`, which is in no batch.
open_call* find_gated(run_progress& p, const std::string& id) {
  return p.limit && p.limit->call.id == id ? &p.limit->call : find(p, id);
}

void open_model(run_progress& p) {
  const bool is_out = p.detour && p.updated_at < p.detour->until;
  p.model_call = open_model_call{
    "m" + std::to_string(p.turns + 1), 1, {}, 0, is_out ? p.detour->place : 0};
  p.heard = 0;
}

/// Waits for the next model call, or is the reason for it.
void hear(run_progress& p, std::int64_t bytes) {
  p.said_bytes += bytes;
  if (p.model_call || !p.calls.empty()) {
    ++p.heard;
    return;
  }
  p.check.reset(); // That answer is not the last word.
  open_model(p);
}

/// The next attempt takes along what was heard.
void try_again(run_progress& p, std::int64_t failed, timestamp not_before) {
  p.model_call->attempt = failed + 1;
  p.model_call->not_before = not_before;
  p.heard = 0;
}

/// Whether the failed attempt had its effect nobody knows.
void try_again(run_progress& p, const tool_attempt_failed& x) {
  if (auto* call = find(p, x.call)) {
    call->attempt = x.attempt + 1;
    call->not_before = x.retry_at;
    call->interrupted = true;
    ++call->failures;
  }
}

void interrupt(run_progress& p, const model_call_interrupted& x) {
  p.lost_tokens_estimate += x.lost_tokens_estimate;
  p.cost_usd_micros += x.lost_usd_micros_estimate;
  if (!p.model_call)
    return;
  ++p.model_call->given_up;
  try_again(p, x.attempt, p.model_call->not_before);
}

/// The batch is settled once every call is done: back to the model.
void close_batch_if_done(run_progress& p) {
  if (p.calls.empty()
      || !std::all_of(p.calls.begin(), p.calls.end(), [](const auto& call) {
           return call.phase == call_phase::done;
         }))
    return;
  p.calls.clear();
  open_model(p);
}

void set_done(run_progress& p, const std::string& id, std::size_t bytes) {
  auto* call = find(p, id);
  if (!call)
    return;
  call->phase = call_phase::done;
  p.said_bytes += static_cast<std::int64_t>(bytes);
  close_batch_if_done(p);
}

void open_batch(run_progress& p, const std::vector<part>& parts) {
  for (const auto& each : parts)
    if (const auto* asked = std::get_if<tool_call_part>(&each)) {
      open_call call;
      call.id = asked->id;
      call.tool = asked->name;
      call.arguments = asked->arguments.empty() ? "{}" : asked->arguments;
      p.calls.push_back(std::move(call));
      ++p.tool_calls;
    }
}

void end(run_progress& p, run_status status, std::string code,
         std::string reason) {
  p.status = status;
  p.code = std::move(code);
  p.reason = std::move(reason);
  p.parked = false;
  p.model_call.reset();
  p.compaction.reset();
  p.check.reset();
  p.limit.reset();
  for (const auto& call : p.calls)
    if (call.phase == call_phase::child)
      p.left_children.push_back(call.id);
  p.calls.clear();
}

void start_child_of(run_progress& p, const child_started& x) {
  if (auto* call = find(p, x.call)) {
    call->phase = call_phase::child;
    call->agent = x.agent;
    ++p.descendants;
  }
}

void start_handoff(run_progress& p, const handed_off& x) {
  if (auto* call = find(p, x.call)) {
    call->phase = call_phase::child;
    call->agent = x.agent;
    call->handoff = true;
  }
}

/// The run that the conversation went to is no child that is left behind.
void complete(run_progress& p, const run_completed& x) {
  p.output = x.output;
  for (auto& call : p.calls)
    if (call.phase == call_phase::child && call.handoff) {
      p.handed_over = handover{call.id, call.agent};
      call.phase = call_phase::done;
    }
  end(p, run_status::completed, {}, {});
}

void ask(run_progress& p, const question_asked& x) {
  if (auto* call = find(p, x.call)) {
    call->phase = call_phase::asking;
    call->question = x.question;
    call->choices = x.choices;
  }
}

void complete_call(run_progress& p, const tool_call_completed& x) {
  const auto* call = find(p, x.call);
  if (call && call->phase == call_phase::asking)
    p.closed_questions.push_back({x.call, x.by.value_or(""), x.content});
  set_done(p, x.call, x.content.size() + bytes_of(x.attachments));
}

/// The model's answer. It is not the last word if something was said meanwhile.
void take_answer(run_progress& p, const model_call_completed& x) {
  note_answer(p);
  p.model_call.reset();
  ++p.turns;
  p.usage += x.usage;
  p.cost_usd_micros += x.cost_usd_micros.value_or(0);
  p.said_bytes += bytes_of(x.parts);
  const auto counted = x.usage.total(); // None: a server that does not count.
  p.context_offset =
    counted == 0 ? 0 : counted - p.said_bytes / bytes_per_token;
  open_batch(p, x.parts);
  if (p.calls.empty() && p.heard != 0)
    open_model(p);
}

void end_child(run_progress& p, const child_ended& x) {
  p.usage += x.usage;
  p.cost_usd_micros += x.cost_usd_micros;
  p.descendants += x.descendants;
  set_done(p, x.call, x.content.size());
}

/// The model has to answer again.
void reject(run_progress& p, const output_rejected& x) {
  p.check.reset();
  ++p.rejections;
  p.said_bytes += static_cast<std::int64_t>(text_of(x).size());
  open_model(p);
}

std::string signed_reason(const std::string& by, const std::string& reason) {
  return by.empty() || reason.empty() ? by + reason : by + ": " + reason;
}

closed_gate& gate_record(run_progress& p, const open_call& call) {
  for (auto& gate : p.closed_gates)
    if (gate.call == call.id)
      return gate;
  return p.closed_gates.emplace_back(
    closed_gate{call.id, call.tool, call.digest, {}, {}});
}

void grant(run_progress& p, const approval_granted& x) {
  auto* call = find_gated(p, x.call);
  if (!call)
    return;
  if (x.arguments)
    call->arguments = *x.arguments;
  call->digest = x.digest;
  call->grants.push_back({x.by, x.role, x.digest});
  auto& record = gate_record(p, *call);
  record.digest = x.digest;
  record.grants = call->grants;
}

void deny(run_progress& p, const approval_denied& x) {
  auto* call = find_gated(p, x.call);
  if (!call)
    return;
  gate_record(p, *call).denial = role_grant{x.by, x.role, x.digest};
  set_done(p, x.call, x.reason.size());
}

/// What a run that has not ended is doing.
run_status live_status(const run_progress& p) {
  if (p.parked)
    return run_status::parked;
  const auto any = [&](auto predicate) {
    return std::any_of(p.calls.begin(), p.calls.end(), predicate);
  };
  const bool is_called = p.model_call && !p.limit;
  if (is_called || p.check || open_handoff(p)
      || any([](const auto& c) { return c.phase == call_phase::started; }))
    return run_status::running;
  if (p.limit || any([](const auto& c) {
        return c.phase == call_phase::in_doubt || c.phase == call_phase::asking
               || (c.phase == call_phase::waiting && !missing_roles(c).empty());
      }))
    return run_status::waiting_on_human;
  if (any([](const auto& c) { return c.phase == call_phase::child; }))
    return run_status::waiting_on_child;
  if (any([](const auto& c) { return c.phase == call_phase::sleeping; }))
    return run_status::sleeping;
  return run_status::running;
}

/// Another life began, but the run did not get on.
bool is_takeover(const event& e) {
  return std::holds_alternative<run_recovered>(e)
         || std::holds_alternative<run_parked>(e)
         || std::holds_alternative<run_resumed>(e)
         || std::holds_alternative<run_forked>(e)
         || std::holds_alternative<definition_changed>(e);
}

void fold_event(run_progress& p, const event& e) {
  match(
    e, [&](const run_started&) { p.started_at = p.updated_at; },
    [&](const message_received& x) {
      if (x.by)
        return hear(p, bytes_of(x.message.parts));
      p.said_bytes += bytes_of(x.message.parts);
      open_model(p);
    },
    [&](const model_call_completed& x) { take_answer(p, x); },
    [&](const model_call_failed& x) {
      if (p.model_call && x.retry_at)
        try_again(p, x.attempt, *x.retry_at);
      else
        p.model_call.reset();
    },
    [&](const tool_call_started& x) {
      if (auto* call = find(p, x.call)) {
        call->phase = call_phase::started;
        call->interrupted = false;
        call->failures = 0;
        call->not_before = {};
        ++call->attempt;
      }
    },
    [&](const tool_attempt_failed& x) { try_again(p, x); },
    [&](const tool_call_completed& x) { complete_call(p, x); },
    [&](const tool_call_failed& x) { set_done(p, x.call, x.detail.size()); },
    [&](const tool_call_in_doubt& x) {
      if (auto* call = find(p, x.call))
        call->phase = call_phase::in_doubt;
    },
    [&](const approval_requested& x) {
      if (auto* call = find_gated(p, x.call)) {
        call->gated = true;
        call->digest = x.digest;
        call->roles = x.roles;
        call->deadline = x.deadline;
      }
    },
    [&](const approval_granted& x) { grant(p, x); },
    [&](const approval_denied& x) { deny(p, x); },
    [](const approval_expired&) {}, // run_expired says the rest.
    [&](const run_completed& x) { complete(p, x); },
    [&](const run_failed& x) { end(p, run_status::failed, x.code, x.reason); },
    [&](const run_expired& x) { end(p, run_status::expired, {}, x.reason); },
    [&](const run_cancelled& x) {
      end(p, run_status::cancelled, {}, signed_reason(x.by, x.reason));
    },
    [&](const run_recovered& x) {
      p.lost_tokens_estimate += x.lost_tokens_estimate;
      p.cost_usd_micros += x.lost_usd_micros_estimate;
      if (x.model_call)
        p.heard = 0; // The call is made again, with what was heard.
      for (auto& call : p.calls)
        call.interrupted = call.phase == call_phase::started;
    },
    [&](const run_parked& x) {
      p.parked = true;
      p.reason = x.reason;
    },
    [&](const run_resumed&) {
      p.parked = false;
      p.reason.clear();
    },
    [&](const child_started& x) { start_child_of(p, x); },
    [&](const child_ended& x) { end_child(p, x); },
    [&](const handed_off& x) { start_handoff(p, x); },
    [&](const question_asked& x) { ask(p, x); },
    [&](const signal_received& x) {
      hear(p, static_cast<std::int64_t>(text_of(x).size()));
    },
    [&](const model_call_interrupted& x) { interrupt(p, x); },
    [&](const output_check_started& x) {
      p.check = open_check{x.call, x.output};
    },
    [&](const output_rejected& x) { reject(p, x); },
    [&](const limit_reached& x) { ask_for_more(p, x); },
    [&](const limits_raised& x) { raise(p, x); },
    [&](const model_switched& x) { change_model(p, x); },
    [&](const compaction_started& x) { start_compaction(p, x); },
    [&](const conversation_compacted& x) { compact(p, x); },
    [&](const compaction_failed& x) { fail_compaction(p, x); },
    [&](const sleep_started& x) {
      if (auto* call = find(p, x.call)) {
        call->phase = call_phase::sleeping;
        call->not_before = x.until;
      }
    },
    [&](const run_forked& x) {
      p.parked = true;
      p.reason = "forked by " + x.by + " from event " + std::to_string(x.at)
                 + " of " + x.from.str() + "; unpark arms it";
    },
    [&](const definition_changed& x) { p.definition = x.to; });
}

} // namespace

std::string text_of(const signal_received& x) {
  return "Signal " + x.name + (x.data.empty() ? "." : ": " + x.data);
}

std::string text_of(const output_rejected& x) {
  return "The answer was rejected: " + x.reason
         + "\nGive the whole answer again.";
}

std::string text_of(const conversation_compacted& x) {
  return "Older messages were left out. What they came to:\n" + x.summary;
}

void fold_progress(run_progress& p, const recorded_event& e) {
  p.seq = e.seq;
  p.updated_at = e.at;
  if (!is_takeover(e.event))
    ++p.steps;
  fold_event(p, e.event);
  if (!is_terminal(p.status))
    p.status = live_status(p);
}

} // namespace kestrion
