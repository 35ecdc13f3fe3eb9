#include <kestrion/actors/draft.hpp>
#include <kestrion/actors/gate.hpp>
#include <kestrion/messages/utf8.hpp>

/// What the decisions of people lead to; who may decide what is in `gate`.
namespace kestrion::machine {

bool expire_if_due(draft& d) {
  std::vector<const open_call*> late;
  for_each_closed_gate(d.state.progress, [&](const open_call& call) {
    if (call.deadline && *call.deadline <= d.now)
      late.push_back(&call);
  });
  if (late.empty())
    return false;
  for (const auto* call : late)
    d.emit(approval_expired{call->id});
  d.emit(run_expired{"call " + late.front()->id + " of " + late.front()->tool
                     + " was not approved by "
                     + to_string(*late.front()->deadline)});
  return true;
}

namespace {

/// What both kinds of decision begin with: the call, or an answer that needs no
/// more (a repetition, a refusal, an expiry).
std::variant<const open_call*, outcome> begin(draft& d,
                                              const gate_decision& g) {
  auto gate = find_gate(d.state.progress, g);
  if (!gate)
    return outcome{gate.error()};
  if (std::holds_alternative<already_decided>(*gate))
    return outcome{decision{}};
  if (expire_if_due(d)) {
    d.out.refusal =
      error{errc::refused, d.after.reason + "; the run is expired"};
    return outcome{std::move(d.out)};
  }
  return std::get<const open_call*>(*gate);
}

/// Whether people are asked for more by it.
bool raises_limits(const draft& d, const open_call& call) {
  const auto& request = d.state.progress.limit;
  return request && &request->call == &call;
}

/// Why `arguments` can't take the place of those that `call` has.
std::optional<std::string> unfit(const draft& d, const open_call& call,
                                 const std::string& arguments) {
  if (!raises_limits(d, call))
    return misfit(d.agent, call.tool, arguments);
  const auto raise = raise_of(d, arguments);
  return raise ? std::nullopt : std::optional{raise.error().detail};
}

/// As the log will have it: a repetition has to be equal to what is there.
template <class Decision>
gate_decision common(const Decision& x) {
  return {x.call, x.tool, to_valid_utf8(x.by), to_valid_utf8(x.role), x.digest};
}

} // namespace

outcome on(const run_state& s, const agent_definition& a,
           const approve_call& c) {
  draft d{s, a, c.now};
  const auto& x = c.decision;
  auto decision = common(x);
  decision.edited = x.arguments;
  auto begun = begin(d, decision);
  if (auto* answer = std::get_if<outcome>(&begun))
    return std::move(*answer);
  const auto& call = *std::get<const open_call*>(begun);
  approval_granted granted{call.id, decision.by, decision.role, call.digest,
                           x.arguments};
  if (x.arguments) {
    if (auto why = unfit(d, call, *x.arguments))
      return error{errc::invalid_argument, "edited arguments: " + *why};
    granted.digest = approval_digest(call.tool, *x.arguments);
  }
  d.emit(std::move(granted));
  if (raises_limits(d, call))
    settle_limit(d);
  else
    start_if_open(d);
  return std::move(d.out);
}

outcome on(const run_state& s, const agent_definition& a, const deny_call& c) {
  draft d{s, a, c.now};
  const auto& x = c.decision;
  auto decision = common(x);
  decision.grants = false;
  auto begun = begin(d, decision);
  if (auto* answer = std::get_if<outcome>(&begun))
    return std::move(*answer);
  const auto& call = *std::get<const open_call*>(begun);
  d.emit(approval_denied{call.id, decision.by, decision.role, call.digest,
                         x.reason});
  if (raises_limits(d, call)) {
    fail(d, errc::limit_exceeded,
         "the run's limit is reached: " + s.progress.limit->why + "; "
           + decision.by + " did not allow more"
           + (x.reason.empty() ? "" : ": " + x.reason));
    return std::move(d.out);
  }
  start_if_open(d);
  stop_if_spent(d);
  return std::move(d.out);
}

} // namespace kestrion::machine
