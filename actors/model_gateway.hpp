#pragma once

#include <kestrion/actors/protocol.hpp>

namespace kestrion {

/// Starts one attempt; its outcome comes to the run as `model_done`, from
/// whatever thread the model answers on.
/// @par Threading Any thread; a model without I/O may answer before it returns.
void start_model_call(model_work work);

} // namespace kestrion
