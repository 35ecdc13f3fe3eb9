#pragma once

#include "vendor_server.hpp"

/// What a sensible model would answer, for those without a key. It follows from
/// the conversation alone, so another process can go on where one died.
examples::vendor_turn stand_in(const examples::vendor_request& request);
