#pragma once

#include <kestrion/actors/run_state.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace kestrion {

/// What the model is told of a signal.
std::string text_of(const signal_received& signal);

/// What the model is told of an answer that was rejected.
std::string text_of(const output_rejected& rejected);

/// What the model is told instead of the messages that were summed up.
std::string text_of(const conversation_compacted& compacted);

/// The part of `fold` that deciding needs: everything but what was said.
void fold_progress(run_progress& progress, const recorded_event& e);

} // namespace kestrion
