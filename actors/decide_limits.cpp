#include <kestrion/actors/draft.hpp>
#include <kestrion/actors/fold_progress.hpp>
#include <kestrion/actors/gate.hpp>
#include <kestrion/messages/described.hpp>

#include <algorithm>
#include <limits>

/// What a limit that is reached leads to, and what people say to that.
namespace kestrion::machine {

namespace {

using raised_count = std::optional<std::int64_t> limit_raise::*;

/// A limit at which a run stops.
struct reached_limit {
  const char* name;
  raised_count raised; ///< Null: the wall time.
  std::int64_t used;
  std::int64_t max;
  std::int64_t declared;   ///< At the start of the run.
  std::int64_t wanted = 0; ///< On top of what is used.
};

std::vector<reached_limit> reached(const draft& d, const run_progress& p,
                                   std::int64_t children) {
  std::vector<reached_limit> out;
  const auto& declared = d.header().limits;
  const auto l = limits_of(declared, p);
  const auto check = [&](bool is_reached, const char* name, raised_count raised,
                         std::int64_t used, std::int64_t max,
                         std::int64_t at_start) {
    if (is_reached)
      out.push_back({name, raised, used, max, at_start});
  };
  const auto tokens = p.usage.total() + p.lost_tokens_estimate;
  check(p.model_call && p.turns >= l.turns_max, "turns_max",
        &limit_raise::turns_max, p.turns, l.turns_max, declared.turns_max);
  check(p.tool_calls > l.tool_calls_max, "tool_calls_max",
        &limit_raise::tool_calls_max, p.tool_calls, l.tool_calls_max,
        declared.tool_calls_max);
  check(tokens >= l.tokens_max, "tokens_max", &limit_raise::tokens_max, tokens,
        l.tokens_max, declared.tokens_max);
  check(p.cost_usd_micros >= l.cost_usd_micros_max, "cost_usd_micros_max",
        &limit_raise::cost_usd_micros_max, p.cost_usd_micros,
        l.cost_usd_micros_max, declared.cost_usd_micros_max);
  const auto of_default = [](const run_limits& x) {
    return x.descendants_max.value_or(default_descendants_max);
  };
  check(p.descendants + children > of_default(l), "descendants_max",
        &limit_raise::descendants_max, p.descendants, of_default(l),
        of_default(declared));
  if (p.descendants + children > of_default(l))
    out.back().wanted = children;
  return out;
}

bool is_overdue(const draft& d, const run_limits& limits) {
  return d.now - d.after.started_at >= limits.wall_time_max;
}

std::int64_t sum(std::int64_t a, std::int64_t b) {
  constexpr auto max = std::numeric_limits<std::int64_t>::max();
  return a > max - b ? max : a + b;
}

/// As much again as the run was started with.
std::int64_t proposed(const reached_limit& x) {
  return sum(std::max(sum(x.used, x.wanted), x.max),
             std::max<std::int64_t>(1, x.declared));
}

std::string propose(const std::vector<reached_limit>& all) {
  limit_raise raise;
  for (const auto& x : all)
    if (x.raised)
      raise.*x.raised = proposed(x);
    else
      raise.wall_time_max = duration{proposed(x)};
  std::string text;
  append_json(text, raise);
  return text;
}

/// Holds the run.
void ask_for_more(draft& d, const std::vector<reached_limit>& all) {
  const auto& first = all.front();
  const auto times = d.after.raised ? d.after.raised->times : 0;
  limit_reached event{"l" + std::to_string(times + 1), first.name, first.used,
                      first.max, propose(all)};
  const approval_gate& gate = d.agent.limit_gate;
  approval_requested request{event.call,
                             std::string{raise_limits_name},
                             approval_digest(raise_limits_name, event.proposal),
                             gate.roles,
                             {}};
  if (gate.deadline)
    request.deadline = later(d.now, *gate.deadline);
  d.emit(std::move(event));
  d.emit(std::move(request));
}

bool is_at_work(const run_progress& p) {
  return p.model_call || !p.calls.empty();
}

std::string in_words(const reached_limit& x) {
  return std::string{x.name} + " of " + std::to_string(x.max)
         + " (used: " + std::to_string(x.used) + ")";
}

/// Which member of `x` is no more than what holds, if any.
std::optional<error> why_no_raise(const limit_raise& x, const run_limits& now) {
  std::optional<error> why;
  const auto check = [&](const char* name, std::optional<std::int64_t> raised,
                         std::int64_t max) {
    if (raised && *raised <= max && !why)
      why = error{errc::invalid_argument,
                  std::string{name} + " is " + std::to_string(*raised)
                    + "; expected more than the " + std::to_string(max)
                    + " that hold now"};
  };
  check("turns_max", x.turns_max, now.turns_max);
  check("tool_calls_max", x.tool_calls_max, now.tool_calls_max);
  check("tokens_max", x.tokens_max, now.tokens_max);
  check("cost_usd_micros_max", x.cost_usd_micros_max, now.cost_usd_micros_max);
  check("descendants_max", x.descendants_max,
        now.descendants_max.value_or(default_descendants_max));
  if (x.wall_time_max)
    check("wall_time_max", x.wall_time_max->count(), now.wall_time_max.count());
  return why;
}

} // namespace

void stop_if_spent(draft& d, std::int64_t children) {
  const auto& p = d.after;
  if (is_terminal(p.status) || !is_at_work(p) || p.limit)
    return;
  const auto all = reached(d, p, children);
  if (all.empty())
    return;
  if (d.agent.limit_gate.required)
    ask_for_more(d, all);
  else
    fail(d, errc::limit_exceeded,
         "the run's limit is reached: " + in_words(all.front()));
}

void stop_if_overdue(draft& d) {
  const auto max = d.limits().wall_time_max;
  if (d.after.limit || !is_overdue(d, d.limits()))
    return;
  if (!d.agent.limit_gate.required)
    return fail(d, errc::limit_exceeded,
                "the run's limit is reached: wall_time_max of "
                  + std::to_string(max.count() / 1'000'000) + " s");
  // What is held is not under way.
  if (const auto open = d.after.model_call; open && open->not_before <= d.now) {
    const auto lost = estimate_lost(d);
    d.emit(model_call_interrupted{open->id, open->attempt, lost.tokens,
                                  lost.usd_micros});
  }
  ask_for_more(d, {{"wall_time_max",
                    {},
                    (d.now - d.after.started_at).count(),
                    max.count(),
                    d.header().limits.wall_time_max.count()}});
}

result<limit_raise> raise_of(const draft& d, const std::string& arguments) {
  const std::string about = "the arguments of raise_limits";
  const auto json = parse_json(arguments, about);
  if (!json)
    return json.error();
  auto raise = decode_json<limit_raise>(*json, about);
  if (!raise)
    return error{errc::invalid_argument, raise.error().detail};
  if (auto why = why_no_raise(*raise, d.limits()))
    return *why;
  auto then = d.after;
  fold_progress(then, {then.seq + 1, d.now, limits_raised{{}, *raise}});
  if (const auto all = reached(d, then, 0); !all.empty())
    return error{errc::invalid_argument,
                 about + " leave nothing: " + in_words(all.front())};
  if (is_overdue(d, limits_of(d.header().limits, then)))
    return error{errc::invalid_argument,
                 about + " leave no time: wall_time_max is over"};
  return raise;
}

void settle_limit(draft& d) {
  const auto& request = d.after.limit;
  if (!request || !missing_roles(request->call).empty())
    return;
  // Was decoded before: it is our own proposal, or one that was checked.
  const auto json = parse_json(request->call.arguments, "the arguments");
  auto raise =
    json ? decode_json<limit_raise>(*json) : result<limit_raise>{limit_raise{}};
  d.emit(limits_raised{request->call.id, raise ? *raise : limit_raise{}});
  start_if_open(d);
  stop_if_spent(d);
}

} // namespace kestrion::machine
