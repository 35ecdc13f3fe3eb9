#include <kestrion/actors/gate.hpp>

#include <kestrion/messages/canonical_json.hpp>
#include <kestrion/messages/digest.hpp>
#include <kestrion/messages/json_text.hpp>

#include <boost/json/object.hpp>

#include <algorithm>

namespace kestrion {

namespace {

using found = result<std::variant<std::size_t, already_decided>>;

std::string target(const gate_decision& d) {
  if (!d.call.empty())
    return "call " + d.call;
  return d.tool.empty() ? "any call" : "a call of " + d.tool;
}

bool names(const gate_decision& d, const std::string& call,
           const std::string& tool) {
  return (d.call.empty() || d.call == call)
         && (d.tool.empty() || d.tool == tool);
}

bool same(const gate_decision& d, const role_grant& g) {
  return d.by == g.by && d.role == g.role
         && (d.digest.empty() || d.digest == g.digest);
}

/// The answer where no open gate fits: a repetition, or why not.
found decide_on_closed(const run_progress& p, const gate_decision& d) {
  const auto last = std::find_if(
    p.closed_gates.rbegin(), p.closed_gates.rend(),
    [&](const auto& gate) { return names(d, gate.call, gate.tool); });
  if (last != p.closed_gates.rend()) {
    if (last->denial
          ? !d.grants && same(d, *last->denial)
          : d.grants
              && std::any_of(last->grants.begin(), last->grants.end(),
                             [&](const auto& g) { return same(d, g); }))
      return found::value_type{already_decided{}};
  }
  if (is_terminal(p.status))
    return error{errc::refused, "the run is " + std::string{to_string(p.status)}
                                  + "; nothing can be decided any more"};
  if (last == p.closed_gates.rend())
    return error{errc::not_found, "no approval is waiting for " + target(d)};
  if (last->denial)
    return error{errc::refused, "call " + last->call + " of " + last->tool
                                  + " was denied by " + last->denial->by};
  return error{errc::refused, "call " + last->call + " of " + last->tool
                                + " was approved by " + last->grants.back().by};
}

/// Whether `d` may decide about this open gate.
result<bool> check(const open_call& call, const gate_decision& d) {
  const auto about = "call " + call.id + " of " + call.tool;
  if (!d.digest.empty() && d.digest != call.digest)
    return error{errc::refused, "the decision is for the digest " + d.digest
                                  + ", but " + about + " has " + call.digest};
  const bool role_fits =
    call.roles.empty()
    || std::find(call.roles.begin(), call.roles.end(), d.role)
         != call.roles.end();
  if (!role_fits) {
    std::string roles;
    for (const auto& role : call.roles)
      roles += (roles.empty() ? "" : ", ") + role;
    return error{errc::forbidden,
                 about + " needs the role " + roles + "; " + d.by + " has "
                   + (d.role.empty() ? "none" : "\"" + d.role + "\"")};
  }
  if (!d.grants)
    return true;
  for (const auto& g : call.grants) {
    if (g.digest != call.digest || g.role != d.role)
      continue;
    if (g.by == d.by)
      return false; // The same decision twice is one decision.
    return error{errc::refused, about + " was already approved by " + g.by
                                  + " in the role \"" + g.role + "\""};
  }
  return true;
}

} // namespace

std::string approval_digest(std::string_view tool, std::string_view arguments) {
  auto parsed = parse_json(arguments, "the arguments");
  boost::json::object bound;
  bound["tool"] = boost::json::string_view{tool.data(), tool.size()};
  bound["arguments"] = parsed ? std::move(*parsed) : boost::json::value{};
  return sha256_hex(canonical_json(std::move(bound)));
}

found find_gate(const run_progress& p, const gate_decision& d) {
  if (d.by.empty())
    return error{errc::invalid_argument,
                 "a decision about " + target(d)
                   + " has to say who decides: \"by\" is empty"};
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < p.calls.size(); ++i) {
    const auto& call = p.calls[i];
    if (call.phase == call_phase::waiting && !missing_roles(call).empty()
        && names(d, call.id, call.tool))
      open.push_back(i);
  }
  if (open.empty())
    return decide_on_closed(p, d);
  if (open.size() > 1) {
    std::string ids;
    for (auto i : open)
      ids += (ids.empty() ? "" : ", ") + p.calls[i].id;
    return error{errc::refused,
                 "several calls wait (" + ids + "); name one by its \"call\""};
  }
  auto may = check(p.calls[open.front()], d);
  if (!may)
    return may.error();
  if (!*may)
    return found::value_type{already_decided{}};
  return found::value_type{open.front()};
}

} // namespace kestrion
