#pragma once

#include <kestrion/actors/run_state.hpp>

/// What the fold of a run's progress does with events that concern a part of it
/// alone. Internal to it.
namespace kestrion {

/// The attempt that was opened when the one before failed is with another
/// model.
void change_model(run_progress& p, const model_switched& x);

/// The model that answered is not out.
void note_answer(run_progress& p);

void start_compaction(run_progress& p, const compaction_started& x);

/// The model call that waited takes along what was heard meanwhile.
void compact(run_progress& p, const conversation_compacted& x);

void fail_compaction(run_progress& p, const compaction_failed& x);

/// Nothing new starts until people decide.
void ask_for_more(run_progress& p, const limit_reached& x);

void raise(run_progress& p, const limits_raised& x);

} // namespace kestrion
