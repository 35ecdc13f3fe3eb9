#pragma once

#include <kestrion/actors/run_state.hpp>
#include <kestrion/messages/command.hpp>

#include <optional>
#include <span>

namespace kestrion {

/// Makes up the command that the first events of `log`, which is not empty,
/// followed from in the state `s`; nothing for an event that never comes first.
std::optional<command> command_of(const run_state& s,
                                  std::span<const recorded_event> log);

} // namespace kestrion
