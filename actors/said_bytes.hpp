#pragma once

#include <kestrion/messages/conversation.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace kestrion {

/// Of what was said, as `run_progress::said_bytes` counts them.
std::int64_t bytes_of(const std::vector<part>& parts);

/// Of what follows the content of a tool's result.
std::size_t bytes_of(const std::optional<std::vector<content_part>>& list);

} // namespace kestrion
