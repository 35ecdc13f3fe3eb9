#pragma once

#include <kestrion/actors/run_state.hpp>

namespace kestrion {

/// The part of `fold` that deciding needs: everything but what was said.
void fold_progress(run_progress& progress, const recorded_event& e);

} // namespace kestrion
