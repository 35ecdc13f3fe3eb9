#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace kestrion {

/// RFC 4648, section 4, with padding.
std::string base64(std::string_view bytes);

/// Inverse of `base64`.
/// @returns Nothing for a text that `base64` would not write.
std::optional<std::string> from_base64(std::string_view text);

} // namespace kestrion
