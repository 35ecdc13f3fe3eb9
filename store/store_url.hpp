#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <kestrion/messages/error.hpp>

namespace kestrion {

/// Where a store lives.
struct store_location {
  enum class kind : std::uint8_t { memory, sqlite };
  kind where = kind::memory;
  std::string path; ///< Of the file, for `sqlite`; percent-decoded.
};

/// `memory:`, `sqlite:///relative.db` or `sqlite:////absolute.db`.
/// @par Errors `unsupported` for another scheme, a host or a query string;
///   `invalid_argument` for no path, or an escape that is none.
/// @par Source RFC 3986 §2.1, §3
result<store_location> parse_store_url(std::string_view url);

} // namespace kestrion
