#include <kestrion/messages/json_text.hpp>

#include <kestrion/messages/utf8.hpp>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace kestrion {

namespace {

bool needs_escape(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

/// Where the next byte from `i` on is that needs an escape, or the end. Looks
/// at eight bytes at once: subtracting from each byte sets its high bit if the
/// byte was less, and a byte equals another if their xor is less than 1.
std::size_t find_escape(std::string_view text, std::size_t i) {
  constexpr std::uint64_t ones = 0x0101010101010101U;
  const auto has_less = [](std::uint64_t bytes, std::uint64_t bound) {
    return (bytes - ones * bound) & ~bytes & (ones * 0x80U);
  };
  for (std::uint64_t eight = 0; i + sizeof eight <= text.size();
       i += sizeof eight) {
    std::memcpy(&eight, text.data() + i, sizeof eight);
    if ((has_less(eight, 0x20) | has_less(eight ^ (ones * '"'), 1)
         | has_less(eight ^ (ones * '\\'), 1))
        != 0)
      break;
  }
  while (i < text.size() && !needs_escape(text[i]))
    ++i;
  return i;
}

void append_escaped(std::string& out, std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::size_t plain = 0; // Start of what needs no escape.
  for (auto i = find_escape(text, 0); i < text.size();
       i = find_escape(text, i + 1)) {
    const auto c = static_cast<unsigned char>(text[i]);
    out.append(text, plain, i - plain);
    plain = i + 1;
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        out += "\\u00";
        out += hex[c >> 4U];
        out += hex[c & 15U];
    }
  }
  out.append(text, plain, text.size() - plain);
}

} // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  if (is_valid_utf8(text))
    append_escaped(out, text);
  else
    append_escaped(out, to_valid_utf8(std::string{text}));
  out += '"';
}

void append_json_number(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, number).ptr;
  out.append(text, end);
}

} // namespace kestrion
