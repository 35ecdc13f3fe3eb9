#pragma once

#include <boost/json/value.hpp>

#include <kestrion/messages/error.hpp>

#include <string>
#include <string_view>

namespace kestrion {

/// Nesting that we accept in any JSON from outside.
inline constexpr std::size_t json_depth_max = 128;

/// Parses exactly one JSON document.
/// @param what  Names the document in the error: "arguments of apply_manifest".
/// @par Errors `invalid_argument`, with the position of the first bad byte.
result<boost::json::value> parse_json(std::string_view text,
                                      std::string_view what);

/// Appends `text` as a JSON string, quotes included. Invalid UTF-8 becomes
/// U+FFFD, so the result always parses.
void append_json_string(std::string& out, std::string_view text);

/// Appends the shortest text that reads back as `number`; `null` for infinities
/// and NaN, which JSON does not have.
void append_json_number(std::string& out, double number);

} // namespace kestrion
