#pragma once

#include <kestrion/actors/run_state.hpp>
#include <kestrion/messages/command.hpp>
#include <kestrion/messages/error.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <variant>

/// Who may decide about which call: the rules of approvals.
namespace kestrion {

/// What an approval binds: SHA-256 of the canonical JSON of
/// `{"arguments": …, "tool": …}`.
/// @param arguments  JSON text; has been validated.
std::string approval_digest(std::string_view tool, std::string_view arguments);

/// One decision, as both kinds have it in common.
struct gate_decision {
  std::string call;
  std::string tool;
  std::string by;
  std::string role;
  std::string digest; ///< What was looked at; empty: not said.
  bool grants = true;
  std::optional<std::string> edited =
    {}; ///< The arguments that it sets instead.
};

/// The decision was taken before by the same person in the same role.
struct already_decided {};

/// Finds the call that `d` is about, and checks that it may be decided so. A
/// digest also tells calls of one tool apart.
/// @returns The call, in `progress`; or that it is a repetition.
/// @par Errors `invalid_argument` without `by`; `not_found` if no such call
///   waits; `refused` if it is ambiguous, decided otherwise, for another digest
///   or the run has ended; `forbidden` for a role that the gate does not name.
result<std::variant<const open_call*, already_decided>>
find_gate(const run_progress& progress, const gate_decision& d);

} // namespace kestrion
