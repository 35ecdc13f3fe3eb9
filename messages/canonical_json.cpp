#include <kestrion/messages/canonical_json.hpp>

#include <kestrion/messages/json_text.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

namespace kestrion {

namespace {

/// UTF-16 code units of UTF-8 text, for RFC 8785 §3.2.3's order of members.
std::u16string utf16(std::string_view text) {
  std::u16string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t n = lead < 0x80   ? 1
                          : lead < 0xE0 ? 2
                          : lead < 0xF0 ? 3
                                        : 4;
    char32_t c = n == 1 ? lead : lead & (0x7FU >> n);
    for (std::size_t k = 1; k < n && i + k < text.size(); ++k)
      c = (c << 6U) | (static_cast<unsigned char>(text[i + k]) & 0x3FU);
    i += n;
    if (c < 0x10000) {
      out += static_cast<char16_t>(c);
    } else {
      out += static_cast<char16_t>(0xD7C0U + (c >> 10U));
      out += static_cast<char16_t>(0xDC00U + (c & 0x3FFU));
    }
  }
  return out;
}

/// ECMAScript's Number::toString, which RFC 8785 §3.2.2.3 asks for.
void append_number(std::string& out, double number) {
  if (number == 0 || !std::isfinite(number)) {
    out += std::isfinite(number) ? "0" : "null";
    return;
  }
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, number,
                                 std::chars_format::scientific)
                     .ptr;
  std::string_view shortest{text, static_cast<std::size_t>(end - text)};
  if (shortest.front() == '-') {
    out += '-';
    shortest.remove_prefix(1);
  }
  const auto e = shortest.find('e');
  int exponent = 0;
  const auto* digits_of_exponent = shortest.data() + e + 1;
  if (*digits_of_exponent == '+')
    ++digits_of_exponent;
  std::from_chars(digits_of_exponent, end, exponent);
  std::string digits{shortest.substr(0, 1)};
  if (e > 2)
    digits += shortest.substr(2, e - 2);
  const int k = static_cast<int>(digits.size());
  const int n = exponent + 1; // Position of the decimal point.
  if (k <= n && n <= 21) {
    out += digits + std::string(static_cast<std::size_t>(n - k), '0');
  } else if (0 < n && n <= 21) {
    out += digits.substr(0, static_cast<std::size_t>(n)) + "."
           + digits.substr(static_cast<std::size_t>(n));
  } else if (-6 < n && n <= 0) {
    out += "0." + std::string(static_cast<std::size_t>(-n), '0') + digits;
  } else {
    out += digits.substr(0, 1);
    if (k > 1)
      out += "." + digits.substr(1);
    out += n > 0 ? "e+" : "e-";
    out += std::to_string(std::abs(n - 1));
  }
}

void append(std::string& out, const boost::json::value& json) {
  switch (json.kind()) {
    case boost::json::kind::null: out += "null"; break;
    case boost::json::kind::bool_:
      out += json.get_bool() ? "true" : "false";
      break;
    case boost::json::kind::int64:
      out += std::to_string(json.get_int64());
      break;
    case boost::json::kind::uint64:
      out += std::to_string(json.get_uint64());
      break;
    case boost::json::kind::double_:
      append_number(out, json.get_double());
      break;
    case boost::json::kind::string:
      append_json_string(out,
                         {json.get_string().data(), json.get_string().size()});
      break;
    case boost::json::kind::array: {
      out += '[';
      const char* separator = "";
      for (const auto& element : json.get_array()) {
        out += separator;
        append(out, element);
        separator = ",";
      }
      out += ']';
      break;
    }
    case boost::json::kind::object: {
      std::vector<std::pair<std::u16string, const boost::json::key_value_pair*>>
        members;
      for (const auto& member : json.get_object())
        members.emplace_back(utf16({member.key().data(), member.key().size()}),
                             &member);
      std::sort(members.begin(), members.end(),
                [](const auto& a, const auto& b) { return a.first < b.first; });
      out += '{';
      const char* separator = "";
      for (const auto& [ignored, member] : members) {
        out += separator;
        append_json_string(out, {member->key().data(), member->key().size()});
        out += ':';
        append(out, member->value());
        separator = ",";
      }
      out += '}';
    }
  }
}

} // namespace

std::string canonical_json(const boost::json::value& json) {
  std::string out;
  append(out, json);
  return out;
}

} // namespace kestrion
