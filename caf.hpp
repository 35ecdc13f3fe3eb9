#pragma once

/// For programs whose own CAF actors start agents and get their results.

#include <kestrion/actors/protocol.hpp>
#include <kestrion/actors/runtime.hpp>

namespace kestrion {

/// The actor that starts runs, waits for them and passes decisions on:
/// `start_request`, `run_to_end`, `await_run`, `run_command`.
directory_actor directory_of(runtime& rt);

} // namespace kestrion
