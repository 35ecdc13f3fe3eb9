#pragma once

#include "vendor_server.hpp"

#include <kestrion/kestrion.hpp>

namespace examples {

/// A real model if the environment has what one needs: ANTHROPIC_API_KEY,
/// OPENAI_API_KEY or OLLAMA_MODEL, in this order; KESTRION_MODEL names another
/// model of that vendor. Else `stand_in`, which answers on loopback in
/// Anthropic's wire format for as long as the model lives.
kestrion::model_ptr choose_model(vendor_server::script stand_in);

} // namespace examples
