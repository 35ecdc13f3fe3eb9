#pragma once

#include <string>
#include <string_view>

namespace kestrion {

/// True if `text` is UTF-8 as RFC 3629 has it: shortest form, no surrogates.
bool is_valid_utf8(std::string_view text);

/// Replaces each byte that is not part of valid UTF-8 by U+FFFD. Whatever
/// enters the log from outside passes here, so that a tool that returns raw
/// bytes can't make a row that no JSON parser reads back.
std::string to_valid_utf8(std::string text);

} // namespace kestrion
