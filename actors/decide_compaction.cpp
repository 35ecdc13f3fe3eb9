#include <kestrion/actors/compaction.hpp>
#include <kestrion/actors/draft.hpp>
#include <kestrion/actors/fold_progress.hpp>
#include <kestrion/actors/said_bytes.hpp>
#include <kestrion/messages/match.hpp>
#include <kestrion/messages/utf8.hpp>
#include <kestrion/scheduler/backoff.hpp>

#include <algorithm>

/// When older messages are summed up, and what follows.
namespace kestrion::machine {

namespace {

/// The run can go on without a summary, so it does not wait for one for long.
constexpr std::int64_t compaction_attempts_max = 3;

bool is_due(const run_progress& p, const compaction_spec& rule) {
  const auto tokens = context_tokens(p);
  return tokens >= rule.tokens_max()
         && (!p.compacted || tokens >= p.compacted->not_below);
}

/// `k3` for `m3`.
std::string compaction_of(const std::string& model_call) {
  return "k" + model_call.substr(1);
}

/// The model that only sums up, or the one that the open call goes to.
std::int64_t place_of(const agent_definition& a, const open_model_call& open) {
  return a.compaction->model ? a.models() : open.place;
}

/// What is wrong with a summary.
std::optional<error> flaw_in(const model_reply& reply,
                             const std::string& summary) {
  if (reply.stop == stop_reason::refusal)
    return error{errc::refused, "the model refused to sum up"};
  if (reply.stop == stop_reason::max_tokens)
    return error{errc::limit_exceeded,
                 "the summary was cut at summary_tokens_max"};
  if (summary.find_first_not_of(" \t\r\n") == std::string::npos)
    return error{errc::corrupt, "the summary is empty"};
  return std::nullopt;
}

std::int64_t bytes_in(const conversation& said, const open_compaction& range) {
  std::int64_t bytes = 0;
  for (auto i = range.first; i < range.first + range.messages; ++i)
    bytes += bytes_of(said[static_cast<std::size_t>(i)]->parts);
  return bytes;
}

compaction_failed failed(const draft& d, const model_done& c, error why) {
  compaction_failed out;
  out.call = c.call;
  out.attempt = d.state.progress.compaction->attempt;
  out.code = to_string(why.code);
  out.detail = std::move(why.detail);
  out.duration = c.duration;
  return out;
}

std::optional<std::int64_t> plausible_cost(const model_reply& reply) {
  if (!reply.cost_usd_micros)
    return std::nullopt;
  return plausible(*reply.cost_usd_micros);
}

void take(draft& d, const model_done& c, const model_reply& reply) {
  const auto& open = *d.state.progress.compaction;
  const auto& said = d.state.conversation;
  conversation_compacted done;
  done.call = c.call;
  done.first = open.first;
  done.messages = open.messages;
  done.kept = std::ssize(said) - open.first - open.messages;
  done.summary = to_valid_utf8(text_of({role::assistant, reply.parts}));
  const auto replaced = bytes_in(said, open);
  const auto bytes = static_cast<std::int64_t>(text_of(done).size());
  auto flaw = flaw_in(reply, done.summary);
  if (!flaw && bytes >= replaced)
    flaw = error{errc::refused, "the summary has " + std::to_string(bytes)
                                  + " bytes, what it is to replace "
                                  + std::to_string(replaced)};
  if (flaw) {
    auto event = failed(d, c, std::move(*flaw));
    event.usage = plausible(reply.usage);
    event.cost_usd_micros = plausible_cost(reply);
    d.emit(std::move(event));
    return;
  }
  const auto before = std::max<std::int64_t>(d.after.said_bytes, 1);
  done.said_bytes = std::max<std::int64_t>(before - replaced + bytes, 0);
  done.tokens_before = context_tokens(d.after);
  done.tokens_after = static_cast<std::int64_t>(
    static_cast<double>(done.tokens_before)
    * static_cast<double>(done.said_bytes) / static_cast<double>(before));
  done.model = reply.model;
  done.usage = plausible(reply.usage);
  done.cost_usd_micros = plausible_cost(reply);
  done.duration = c.duration;
  done.attempt = open.attempt;
  if (!reply.request_id.empty())
    done.request_id = reply.request_id;
  d.emit(std::move(done));
}

void take(draft& d, const model_done& c, const model_failure& failure) {
  const auto attempt = d.state.progress.compaction->attempt;
  auto event = failed(d, c, failure.error);
  if (failure.retryable && attempt < compaction_attempts_max)
    event.retry_at =
      later(c.now, retry_delay({}, attempt, failure.retry_after, c.jitter));
  d.emit(std::move(event));
}

} // namespace

void compact_if_due(const run_state& s, const agent_definition& a,
                    timestamp now, decision& d) {
  if (d.status != run_status::running)
    return;
  auto p = s.progress;
  for (const auto& e : d.events)
    fold_progress(p, {p.seq + 1, now, e});
  const auto& open = p.model_call;
  if (!open || p.compaction || !is_due(p, *a.compaction)
      || (s.progress.model_call && !s.progress.limit
          && s.progress.model_call->id == open->id))
    return; // A call that is under way does not wait.
  auto after = s;
  for (const auto& e : d.events) {
    const auto seq = after.progress.seq + 1;
    after = fold(std::move(after), {seq, now, e});
  }
  if (const auto range =
        compactable(after.conversation, a.compaction->keep_last))
    d.events.emplace_back(
      compaction_started{compaction_of(open->id), range->first, range->count,
                         context_tokens(p), place_of(a, *open)});
}

outcome take_summary(const run_state& s, const agent_definition& a,
                     const model_done& c) {
  const auto& open = *s.progress.compaction;
  if (open.call != c.call || s.progress.parked
      || (c.attempt != 0 && c.attempt != open.attempt))
    return decision{}; // Late or twice: settled already.
  draft d{s, a, c.now};
  match(c.outcome, [&](const auto& x) { take(d, c, x); });
  stop_if_spent(d);
  return std::move(d.out);
}

} // namespace kestrion::machine
