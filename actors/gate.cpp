#include <kestrion/actors/gate.hpp>

#include <kestrion/messages/canonical_json.hpp>
#include <kestrion/messages/digest.hpp>
#include <kestrion/messages/json_text.hpp>

#include <boost/json/object.hpp>

#include <algorithm>

namespace kestrion {

namespace {

using found = result<std::variant<const open_call*, already_decided>>;

std::string target(const gate_decision& d) {
  if (d.tool.empty())
    return d.call.empty() ? "any call" : "call " + d.call;
  return (d.call.empty() ? "a call" : "call " + d.call) + " of " + d.tool;
}

bool names(const gate_decision& d, const std::string& call,
           const std::string& tool) {
  return (d.call.empty() || d.call == call)
         && (d.tool.empty() || d.tool == tool);
}

/// What a call of `tool` binds once `d` is in the log; empty: any.
std::string digest_after(const gate_decision& d, const std::string& tool) {
  return d.edited ? approval_digest(tool, *d.edited) : d.digest;
}

bool is_repeated(const gate_decision& d, const role_grant& g,
                 const std::string& digest) {
  return d.by == g.by && d.role == g.role
         && (digest.empty() || digest == g.digest);
}

bool is_repeated(const gate_decision& d, const closed_gate& gate) {
  const auto digest = digest_after(d, gate.tool);
  if (gate.denial)
    return !d.grants && is_repeated(d, *gate.denial, digest);
  return d.grants
         && std::any_of(
           gate.grants.begin(), gate.grants.end(),
           [&](const auto& g) { return is_repeated(d, g, digest); });
}

/// The gates that `d` may be about and that are not open any more.
std::vector<const closed_gate*> decided_gates(const run_progress& p,
                                              const gate_decision& d) {
  std::vector<const closed_gate*> out;
  for (const auto& gate : p.closed_gates) {
    bool is_open = false;
    for_each_closed_gate(p, [&](const open_call& call) {
      is_open = is_open || call.id == gate.call;
    });
    if (!is_open && names(d, gate.call, gate.tool))
      out.push_back(&gate);
  }
  return out;
}

bool is_repeated(const run_progress& p, const gate_decision& d) {
  const auto gates = decided_gates(p, d);
  return std::any_of(gates.begin(), gates.end(),
                     [&](const auto* gate) { return is_repeated(d, *gate); });
}

/// Why nothing can be decided where no gate that fits is open.
error why_not(const run_progress& p, const gate_decision& d) {
  if (is_terminal(p.status))
    return {errc::refused, "the run is " + std::string{to_string(p.status)}
                             + "; nothing can be decided any more"};
  const auto gates = decided_gates(p, d);
  if (gates.empty())
    return {errc::not_found, "no approval is waiting for " + target(d)};
  const auto& last = *gates.back();
  return {errc::refused,
          "call " + last.call + " of " + last.tool
            + (last.denial ? " was denied by " + last.denial->by
                           : " was approved by " + last.grants.back().by)};
}

error wrong_role(const open_call& call, const gate_decision& d) {
  std::string roles;
  for (const auto& role : call.roles)
    roles += (roles.empty() ? "" : ", ") + role;
  return {errc::forbidden,
          "call " + call.id + " of " + call.tool + " needs the role " + roles
            + "; " + d.by + " has "
            + (d.role.empty() ? "none" : "\"" + d.role + "\"")};
}

/// Whether `d` may decide about this open gate; false for a repetition.
result<bool> check(const open_call& call, const gate_decision& d) {
  const auto about = "call " + call.id + " of " + call.tool;
  const auto digest = digest_after(d, call.tool);
  const role_grant* same_role = nullptr; // Agreed to these arguments already.
  for (const auto& g : call.grants)
    if (g.digest == call.digest && g.role == d.role)
      same_role = &g;
  if (d.grants && same_role && is_repeated(d, *same_role, digest))
    return false; // The same decision twice is one decision.
  if (!d.digest.empty() && d.digest != call.digest)
    return error{errc::refused, "the decision is for the digest " + d.digest
                                  + ", but " + about + " has " + call.digest};
  if (!call.roles.empty()
      && std::find(call.roles.begin(), call.roles.end(), d.role)
           == call.roles.end())
    return wrong_role(call, d);
  const bool changes = d.edited && digest != call.digest;
  if (d.grants && same_role && !changes)
    return error{errc::refused, about + " was already approved by "
                                  + same_role->by + " in the role \""
                                  + same_role->role + "\""};
  return true;
}

/// The calls that wait for people and that `d` may be about; only those that it
/// looked at, if there are some.
std::vector<const open_call*> open_gates(const run_progress& p,
                                         const gate_decision& d) {
  std::vector<const open_call*> named;
  std::vector<const open_call*> seen;
  for_each_closed_gate(p, [&](const open_call& call) {
    if (!names(d, call.id, call.tool))
      return;
    named.push_back(&call);
    if (call.digest == d.digest)
      seen.push_back(&call);
  });
  return seen.empty() ? named : seen;
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
  const auto open = open_gates(p, d);
  const bool was_seen = open.size() == 1 && open.front()->digest == d.digest;
  if ((open.empty() || (!d.digest.empty() && !was_seen)) && is_repeated(p, d))
    return found::value_type{already_decided{}};
  if (open.empty())
    return why_not(p, d);
  if (open.size() > 1) {
    std::string ids;
    for (const auto* call : open)
      ids += (ids.empty() ? "" : ", ") + call->id;
    return error{errc::refused,
                 "several calls wait (" + ids + "); name one by its \"call\""};
  }
  auto may = check(*open.front(), d);
  if (!may)
    return may.error();
  if (!*may)
    return found::value_type{already_decided{}};
  return found::value_type{open.front()};
}

} // namespace kestrion
