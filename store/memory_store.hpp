#pragma once

#include <memory>

#include <kestrion/store/event_store.hpp>

namespace kestrion {

/// A store that forgets everything with the process; the same contract as the
/// durable ones otherwise.
/// @par Threading Any thread, also for writing.
std::unique_ptr<event_store> make_memory_store();

} // namespace kestrion
