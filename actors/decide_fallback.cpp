#include <kestrion/actors/draft.hpp>

#include <algorithm>

/// Which model of an agent's list makes the next attempt of a call.
namespace kestrion::machine {

namespace {

/// Whether another model may succeed where this one did not: it is out, has
/// nothing left, or can't take the conversation. A bad key or request is a
/// mistake that has to be seen.
bool is_for_another(const model_failure& x) {
  const auto code = x.error.code;
  return x.retryable || code == errc::unavailable
         || code == errc::quota_exhausted || code == errc::unsupported;
}

/// A first model that was found out before gets one attempt to show that it is
/// back.
std::int64_t attempts_with(const draft& d, std::int64_t place) {
  const auto& detour = d.after.detour;
  const bool is_trial = place == 0 && detour && detour->found_out != 0;
  return is_trial ? 1 : d.agent.fallback.attempts_max;
}

duration rest_of(const draft& d, const model_failure& failure) {
  const auto& rule = d.agent.fallback;
  auto rest = rule.rest_first;
  // Another model of the list that is out does not tell of the first.
  auto doublings = d.after.detour ? d.after.detour->found_out : 0;
  if (d.after.model_call->place != 0)
    --doublings;
  for (auto n = doublings; n > 0 && rest < rule.rest_max; --n)
    rest += std::min(rest, rule.rest_max - rest);
  return std::max(rest, failure.retry_after.value_or(duration::zero()));
}

} // namespace

std::optional<model_switched> next_model(const draft& d,
                                         const model_failure& failure,
                                         std::optional<duration> wait) {
  const auto& open = *d.after.model_call;
  const auto tried = d.after.detour ? d.after.detour->tried : 0;
  const auto models = d.agent.models();
  if (tried + 1 >= models || !is_for_another(failure))
    return std::nullopt;
  const auto tries = open.attempt - open.given_up;
  if (wait && *wait <= d.agent.fallback.wait_max
      && tries < attempts_with(d, open.place))
    return std::nullopt;
  // Behind the last comes the first: a call that began with another one, since
  // the first was out, has it left.
  const auto place = open.place + 1 < models ? open.place + 1 : 0;
  return model_switched{open.id,
                        d.agent.model_name(open.place),
                        d.agent.model_name(place),
                        place,
                        std::string{to_string(failure.error.code)},
                        later(d.now, rest_of(d, failure))};
}

} // namespace kestrion::machine
