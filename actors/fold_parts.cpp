#include <kestrion/actors/fold_parts.hpp>

#include <boost/describe/members.hpp>
#include <boost/describe/modifiers.hpp>
#include <boost/mp11/algorithm.hpp>

namespace kestrion {

// -- other models -------------------------------------------------------------

void change_model(run_progress& p, const model_switched& x) {
  if (!p.model_call)
    return;
  auto detour = p.detour ? *p.detour : model_detour{};
  detour.found_out += p.model_call->place == 0 ? 1 : 0;
  detour.place = x.place;
  detour.until = x.until;
  ++detour.tried;
  p.detour = detour;
  p.model_call->place = x.place;
  p.model_call->given_up = p.model_call->attempt - 1;
}

void note_answer(run_progress& p) {
  if (!p.detour || !p.model_call)
    return;
  p.detour->tried = 0;
  if (p.model_call->place == 0)
    p.detour.reset();
}

// -- summaries ----------------------------------------------------------------

void start_compaction(run_progress& p, const compaction_started& x) {
  p.compaction =
    open_compaction{x.call, 1, {}, x.place, x.first, x.messages, x.tokens};
}

void compact(run_progress& p, const conversation_compacted& x) {
  p.compaction.reset();
  p.compacted = compaction_past{x.first + 1 + x.kept, 0};
  p.usage += x.usage;
  p.cost_usd_micros += x.cost_usd_micros.value_or(0);
  p.said_bytes = x.said_bytes;
  p.context_offset = x.tokens_after - x.said_bytes / bytes_per_token;
  p.heard = 0;
}

void fail_compaction(run_progress& p, const compaction_failed& x) {
  p.usage += x.usage;
  p.cost_usd_micros += x.cost_usd_micros.value_or(0);
  if (!p.compaction)
    return;
  if (x.retry_at) {
    p.compaction->attempt = x.attempt + 1;
    p.compaction->not_before = *x.retry_at;
    return;
  }
  auto past = p.compacted ? *p.compacted : compaction_past{};
  past.not_below = p.compaction->tokens + p.compaction->tokens / 10;
  p.compacted = past;
  p.compaction.reset();
  p.heard = 0;
}

// -- limits -------------------------------------------------------------------

void ask_for_more(run_progress& p, const limit_reached& x) {
  limit_request request;
  request.call.id = x.call;
  request.call.tool = raise_limits_name;
  request.call.arguments = x.proposal;
  request.why = x.limit + " of " + std::to_string(x.max)
                + " (used: " + std::to_string(x.used) + ")";
  p.limit = std::move(request);
}

void raise(run_progress& p, const limits_raised& x) {
  auto raised = p.raised ? *p.raised : raised_limits{};
  ++raised.times;
  using boost::describe::describe_members;
  boost::mp11::mp_for_each<
    describe_members<limit_raise, boost::describe::mod_public>>(
    [&](auto member) {
      if (x.limits.*member.pointer)
        raised.limits.*member.pointer = x.limits.*member.pointer;
    });
  p.raised = raised;
  p.limit.reset();
  if (p.model_call)
    p.heard = 0; // It is made now, with what was heard meanwhile.
}

} // namespace kestrion
