#pragma once

/// For programs whose own CAF actors start agents and get their results.

#include <kestrion/actors/embedding.hpp>
#include <kestrion/actors/protocol.hpp>
#include <kestrion/actors/runtime.hpp>

namespace kestrion {

/// What actors talk to: starts runs, waits for them, passes decisions on, gives
/// handles to runs and events to who watches. Good as long as `rt`.
front_actor front_of(runtime& rt);

/// The directory of this moment, behind the front. It is started anew when it
/// crashes, and then has another handle; who was waiting hears nothing.
directory_actor directory_of(runtime& rt);

} // namespace kestrion
