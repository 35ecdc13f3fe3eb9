#pragma once

#include <kestrion/messages/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace kestrion {

/// An http or https URL, taken apart.
struct http_url {
  bool tls = false;
  std::string host; ///< Lower case; an IPv6 address without brackets.
  std::uint16_t port = 0;
  std::string target; ///< Path and query; begins with a slash.

  /// "https://example.com:8443": what connections are shared by.
  std::string origin() const;
  /// The Host header: without the port if it is the scheme's own.
  std::string authority() const;
};

/// @par Errors `invalid_argument`: no http(s), a user, a fragment, blanks or
///             control characters, an empty host, a bad port.
/// @par Source RFC 3986, RFC 9110 section 4.2
result<http_url> parse_http_url(std::string_view text);

} // namespace kestrion
