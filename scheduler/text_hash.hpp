#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

namespace kestrion {

/// Hashes any kind of string alike, so that tables of strings are asked without
/// making one.
struct text_hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept {
    return std::hash<std::string_view>{}(text);
  }
};

} // namespace kestrion
