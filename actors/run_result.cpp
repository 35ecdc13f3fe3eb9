#include <kestrion/actors/run_result.hpp>

#include <boost/describe/enum_from_string.hpp>

namespace kestrion {

namespace {

std::string waits_for(const run_result& r) {
  std::string why;
  for (const auto& a : r.approvals) {
    why += (why.empty() ? "" : "; ") + a.tool + " (" + a.call
           + ") waits for approval by ";
    const char* separator = "";
    for (const auto& role : a.missing_roles) {
      why += separator + (role.empty() ? "anyone" : role);
      separator = " and ";
    }
    if (a.deadline)
      why += " until " + to_string(*a.deadline);
  }
  for (const auto& d : r.in_doubt)
    why += (why.empty() ? "" : "; ") + d.tool + " (" + d.call
           + ") was interrupted: did it happen?";
  for (const auto& q : r.questions)
    why += (why.empty() ? "" : "; ") + q.call + " asks: " + q.question;
  return why;
}

std::string sleeps_until(const run_state& s) {
  std::string why;
  for (const auto& call : s.progress.calls)
    if (call.phase == call_phase::sleeping)
      why += (why.empty() ? "" : "; ") + call.id + " sleeps until "
             + to_string(call.not_before);
  return why;
}

std::string works_for(const run_state& s) {
  std::string why;
  if (s.progress.check)
    why = s.progress.check->call + " is being checked";
  for (const auto& call : s.progress.calls)
    if (call.phase == call_phase::child)
      why += (why.empty() ? "" : "; ") + call.tool + " (" + call.id + ")"
             + (call.handoff ? " hands over to " : " waits for a run of ")
             + call.agent;
  return why;
}

errc code_of(const run_result& r) {
  if (r.status == run_status::cancelled)
    return errc::cancelled;
  if (r.status == run_status::expired)
    return errc::timeout;
  auto code = errc::ok;
  const bool is_known = boost::describe::enum_from_string(r.code.c_str(), code);
  return is_known && code != errc::ok ? code : errc::refused;
}

} // namespace

run_result result_of(const run_id& id, const run_state& s) {
  const auto& p = s.progress;
  run_result r;
  r.id = id;
  r.agent = s.header->agent;
  r.status = p.status;
  r.code = p.code;
  r.reason = p.reason;
  r.turns = p.turns;
  r.tool_calls = p.tool_calls;
  r.usage = p.usage;
  r.cost_usd_micros = p.cost_usd_micros;
  if (p.status == run_status::completed)
    r.output = output_of(s);
  if (p.handed_over) {
    r.handed_to = child_id(id, p.handed_over->call);
    r.reason =
      "handed over to " + p.handed_over->agent + ", " + r.handed_to->str();
  }
  for (const auto& call : p.calls) {
    if (call.phase == call_phase::asking)
      r.questions.push_back(
        {id, r.agent, call.id, call.question, call.choices});
    if (call.phase == call_phase::in_doubt)
      r.in_doubt.push_back({id, call.id, call.tool, call.arguments});
  }
  for_each_closed_gate(p, [&](const open_call& call) {
    r.approvals.push_back({id, r.agent, call.id, call.tool, call.arguments,
                           call.digest, missing_roles(call), call.deadline});
  });
  if (r.reason.empty())
    r.reason = waits_for(r);
  if (p.limit && !p.parked)
    r.reason = "the run's limit is reached: " + p.limit->why + "; " + r.reason;
  if (r.reason.empty())
    r.reason = works_for(s);
  if (r.reason.empty())
    r.reason = sleeps_until(s);
  return r;
}

std::optional<error> error_of(const run_result& r) {
  if (!is_terminal(r.status) || r.status == run_status::completed)
    return std::nullopt;
  return error{code_of(r), "run " + r.id.str() + " ended as "
                             + std::string{to_string(r.status)}
                             + (r.reason.empty() ? "" : ": " + r.reason)};
}

boost::json::value run_result::output_json() const {
  if (auto ended = error_of(*this))
    throw failure(std::move(*ended));
  if (status != run_status::completed)
    throw failure({errc::refused, "run " + id.str() + " is "
                                    + std::string{to_string(status)}
                                    + "; it has no answer yet"});
  if (handed_to)
    throw failure({errc::refused, "run " + id.str() + " was " + reason
                                    + "; the answer is that of the other run"});
  auto json = parse_json(output, "the answer of run " + id.str());
  if (!json)
    throw failure({errc::invalid_output, json.error().detail});
  return std::move(*json);
}

void show_throttled(run_result& r, const call_waiting& why) {
  r.status = run_status::throttled;
  r.reason = "its model call waits for \"" + why.reason + "\", "
             + std::to_string(why.before) + " before it";
  if (why.wait) {
    const auto ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(*why.wait);
    r.reason += ", for about " + std::to_string(ms.count()) + " ms";
  }
}

} // namespace kestrion
