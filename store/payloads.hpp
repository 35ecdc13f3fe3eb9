#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <kestrion/messages/error.hpp>

/// Long strings of a JSON text, kept beside it under their SHA-256. In their
/// place is `{"$blob":"<hash>","bytes":N}`. What looks like that already has
/// one more `$`, so every text comes back byte for byte, JSON or not. Pure.
namespace kestrion {

inline constexpr std::size_t payload_hash_length = 64; ///< Characters.

/// What was taken out of a text.
struct payload {
  std::string hash;
  std::string_view bytes; ///< As JSON has it between the quotes, so escaped.
};

struct split_text {
  std::string text;
  std::vector<payload> payloads; ///< In their order; views of the whole text.
};

/// Takes the strings of more than `bytes_max` bytes out of `json`; names of
/// members stay.
split_text take_payloads_out(std::string_view json, std::size_t bytes_max);

/// What stands for a text that was taken out as a whole.
std::string whole_reference(std::string_view hash);

/// Inverse of `take_payloads_out`.
/// @param find  Gives the bytes under a hash.
/// @par Errors What `find` says; `corrupt` for a text that was not split, or
///   bytes of another length.
result<std::string> put_payloads_in(
  std::string_view text,
  const std::function<result<std::string>(std::string_view)>& find);

} // namespace kestrion
