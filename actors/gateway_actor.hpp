#pragma once

#include <kestrion/actors/protocol.hpp>

#include <caf/typed_event_based_actor.hpp>

namespace kestrion {

gateway_actor::behavior_type gateway(gateway_actor::pointer self);

} // namespace kestrion
