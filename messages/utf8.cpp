#include <kestrion/messages/utf8.hpp>

#include <cstdint>
#include <cstring>

namespace kestrion {

namespace {

/// Length of the valid sequence at `s[i]`, or 0.
std::size_t sequence_length(std::string_view s, std::size_t i) {
  const auto byte = [&](std::size_t k) {
    return k < s.size() ? static_cast<std::uint8_t>(s[k]) : std::uint8_t{0};
  };
  const auto tail = [&](std::size_t k) {
    return (byte(k) & 0xC0U) == 0x80U;
  };
  const auto a = byte(i);
  const auto b = byte(i + 1);
  if (a < 0x80)
    return 1;
  if (a >= 0xC2 && a <= 0xDF)
    return tail(i + 1) ? 2 : 0;
  if (a >= 0xE0 && a <= 0xEF) {
    const bool second = (a == 0xE0)   ? b >= 0xA0 && b <= 0xBF
                        : (a == 0xED) ? b >= 0x80 && b <= 0x9F
                                      : tail(i + 1);
    return second && tail(i + 2) ? 3 : 0;
  }
  if (a >= 0xF0 && a <= 0xF4) {
    const bool second = (a == 0xF0)   ? b >= 0x90 && b <= 0xBF
                        : (a == 0xF4) ? b >= 0x80 && b <= 0x8F
                                      : tail(i + 1);
    return second && tail(i + 2) && tail(i + 3) ? 4 : 0;
  }
  return 0;
}

/// Of the ASCII that `text` begins with, in steps of eight bytes: text of a
/// model is checked several times on its way.
std::size_t ascii_length(std::string_view text) {
  constexpr std::uint64_t high_bits = 0x8080808080808080U;
  std::size_t i = 0;
  for (std::uint64_t eight = 0; i + sizeof eight <= text.size();
       i += sizeof eight) {
    std::memcpy(&eight, text.data() + i, sizeof eight);
    if ((eight & high_bits) != 0)
      break;
  }
  return i;
}

} // namespace

bool is_valid_utf8(std::string_view text) {
  // Nearly all text begins in ASCII, and most of it ends there.
  for (std::size_t i = ascii_length(text); i < text.size();) {
    const auto n = sequence_length(text, i);
    if (n == 0)
      return false;
    i += n;
  }
  return true;
}

std::string to_valid_utf8(std::string text) {
  if (is_valid_utf8(text))
    return text;
  std::string out;
  out.reserve(text.size() + 16);
  for (std::size_t i = 0; i < text.size();) {
    const auto n = sequence_length(text, i);
    if (n == 0) {
      out += "\xEF\xBF\xBD";
      ++i;
    } else {
      out.append(text, i, n);
      i += n;
    }
  }
  return out;
}

} // namespace kestrion
