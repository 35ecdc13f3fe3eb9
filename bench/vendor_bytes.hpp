#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// Answers as the vendors' servers word them, for benchmarks.
namespace bench {

enum class vendor { anthropic, openai, responses, ollama };
std::string_view name_of(vendor v);

/// @throws std::invalid_argument  for a name of none.
vendor vendor_of(std::string_view name);

/// The first part of a streamed answer of text, up to its first token.
std::string_view stream_head(vendor v);

/// One token of it.
/// @param text  Must need no escape in JSON.
std::string stream_token(vendor v, std::string_view text);

/// The rest, after the last token.
/// @param text  All of it, which some vendors repeat at the end.
std::string stream_tail(vendor v, std::string_view text);

/// A streamed answer of about so many bytes, in tokens of 4 to 6 letters.
struct streamed_answer {
  std::string bytes;
  std::string text;
};
streamed_answer stream_of(vendor v, std::size_t bytes);

/// An Anthropic answer of text in one piece.
std::string whole_answer(std::string_view text);

} // namespace bench
