#pragma once

#include <cstddef>

namespace kestrion {

/// In bytes. Another size costs time, and no more.
inline constexpr std::size_t cache_line = 64;

/// Asks for memory that is needed soon, and does not wait for it. Where
/// thousands wait, each of them has not been looked at for long, and waiting
/// for its memory takes longer than all that is decided about it.
inline void fetch(const void* what, std::size_t bytes) {
  for (std::size_t at = 0; at < bytes; at += cache_line)
    __builtin_prefetch(static_cast<const char*>(what) + at);
}

} // namespace kestrion
