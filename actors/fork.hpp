#pragma once

#include <kestrion/messages/event.hpp>
#include <kestrion/store/event_store.hpp>

#include <cstdint>
#include <span>
#include <string>

namespace kestrion {

/// What a fork is to be.
struct fork_options {
  std::string by; ///< Who forks it. Required.
};

/// What begins a run with the first events of another. It belongs to nobody:
/// parent, key and deadline of the other are not its own.
/// @param fresh  The id of the new run.
/// @param events  The whole log of the other.
/// @param at  The last event that is taken over. What one decision led to has
///   to be there as a whole, and no end of the run.
/// @par Errors `invalid_argument`, naming the nearest events that are possible;
///   `invalid_argument` without `by`
result<append_request> fork_of(const run_id& fresh, const run_id& original,
                               std::span<const recorded_event> events,
                               std::uint64_t at, const fork_options& options,
                               timestamp now);

} // namespace kestrion
