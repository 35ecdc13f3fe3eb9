#include <kestrion/messages/json_text.hpp>

#include <kestrion/messages/utf8.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/stream_parser.hpp>

#include <charconv>
#include <cmath>

namespace kestrion {

result<boost::json::value> parse_json(std::string_view text,
                                      std::string_view what) {
  boost::json::parse_options options;
  options.max_depth = json_depth_max;
  boost::json::stream_parser parser{{}, options};
  boost::system::error_code ec;
  const auto consumed = parser.write_some(text.data(), text.size(), ec);
  if (!ec && consumed < text.size())
    ec = boost::json::error::extra_data;
  if (!ec)
    parser.finish(ec);
  if (ec)
    return error{errc::invalid_argument,
                 std::string{what} + " is no JSON at byte "
                   + std::to_string(consumed) + ": " + ec.message()};
  return parser.release();
}

namespace {

void append_escaped(std::string& out, std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::size_t plain = 0; // Start of what needs no escape.
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\')
      continue;
    out.append(text, plain, i - plain);
    plain = i + 1;
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
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
