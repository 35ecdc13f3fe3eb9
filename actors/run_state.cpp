#include <kestrion/actors/run_state.hpp>

#include <algorithm>

namespace kestrion {

std::vector<std::string> missing_roles(const open_call& call) {
  const auto granted = [&](const std::string* role) {
    return std::any_of(
      call.grants.begin(), call.grants.end(), [&](const role_grant& g) {
        return g.digest == call.digest && (!role || g.role == *role);
      });
  };
  std::vector<std::string> missing;
  if (!call.gated)
    return missing;
  if (call.roles.empty() && !granted(nullptr))
    missing.emplace_back();
  for (const auto& role : call.roles)
    if (!granted(&role))
      missing.push_back(role);
  return missing;
}

bool operator==(const run_state& a, const run_state& b) {
  return a.header == b.header && a.progress == b.progress
         && a.results == b.results
         && std::equal(a.conversation.begin(), a.conversation.end(),
                       b.conversation.begin(), b.conversation.end(),
                       [](const auto& x, const auto& y) { return *x == *y; });
}

std::vector<std::string> open_children(const run_state& state) {
  auto out = state.progress.left_children;
  for (const auto& call : state.progress.calls)
    if (call.phase == call_phase::child)
      out.push_back(call.id);
  return out;
}

std::string output_of(const run_state& state) {
  if (state.conversation.empty()
      || state.conversation.back()->role != role::assistant)
    return {};
  return text_of(*state.conversation.back());
}

} // namespace kestrion
