#include <kestrion/actors/draft.hpp>

#include <vector>

/// When calls that sleep end.
namespace kestrion::machine {

void wake_sleepers(draft& d, const std::optional<std::string>& by) {
  if (d.after.parked || is_terminal(d.after.status))
    return;
  std::vector<event> over;
  for (const auto& call : d.after.calls) {
    if (call.phase != call_phase::sleeping)
      continue;
    if (call.not_before <= d.now)
      over.push_back(tool_call_completed{
        call.id, "Slept until " + to_string(call.not_before) + ".", {}, {}});
    else if (by)
      over.push_back(tool_call_completed{call.id,
                                         "Woken at " + to_string(d.now)
                                           + ", before "
                                           + to_string(call.not_before) + ".",
                                         {},
                                         by});
  }
  if (over.empty())
    return;
  for (auto& e : over)
    d.emit(std::move(e));
  stop_if_spent(d);
}

} // namespace kestrion::machine
