#pragma once

#include <kestrion/messages/time.hpp>

#include <charconv>
#include <chrono>
#include <optional>
#include <string_view>
#include <system_error>

/// How values of the vendors' headers are read.
namespace kestrion {

/// No server is believed that says longer.
inline constexpr duration wait_most = std::chrono::hours{24};

/// A number and nothing else.
template <class Number>
std::optional<Number> number_in(std::string_view text) {
  Number out{};
  const auto* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, out);
  if (text.empty() || read.ec != std::errc{} || read.ptr != end)
    return std::nullopt;
  return out;
}

} // namespace kestrion
