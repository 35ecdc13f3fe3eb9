#pragma once

#include <kestrion/messages/error.hpp>
#include <kestrion/providers/http/client.hpp>

#include <boost/json/value.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What a cassette holds, and how it is written. Pure.
///
///     {"cassette":1}
///     {"request":{"body":{...},"method":"POST","url":"https://..."}}
///     {"response":{"headers":{...},"status":529,"body":{...}}}
///     {"request":...}
///     {"response":{"headers":{...},"status":200}}   streamed: its body follows
///     {"chunk":"event: message_start\ndata: ...\n\n"}
///     {"end":"complete"}
///     {"request":...}
///     {"failure":{"code":"io","detail":"...","step":"body",...}}
///
/// A body that is no JSON is "text" instead of "body". A failure may follow
/// chunks: then the answer was cut.
namespace kestrion::cassette_file {

struct exchange {
  std::string method;
  std::string url;
  std::string body; ///< As sent, or with the same meaning.
  std::optional<http_response> response = {};
  bool is_streamed = false;             ///< Then the body is in `chunks`.
  std::vector<std::string> chunks = {}; ///< An event or line each.
  std::optional<http_failure> failure = {};
  std::size_t line = 0; ///< Of its request in the file, from 1.
};

/// Strikes out what must not be written.
class redactor {
public:
  explicit redactor(std::vector<std::string> secrets)
    : secrets_(std::move(secrets)) {}

  /// With what is secret in these headers.
  redactor with(const http_headers& headers) const;

  std::string text(std::string text) const;
  std::string url(std::string url) const; ///< Parameters that hold keys, too.

private:
  std::vector<std::string> secrets_;
};

/// Of the answer's, those that mean something to who reads it again.
http_headers worth_keeping(const http_headers& headers);

/// A streamed body, an event or line each.
std::vector<std::string> pieces_of(std::string_view body);

/// The first line of a file.
std::string header();

/// With a line break at its end.
std::string write(const exchange& x);

/// @param name  Of the file, for errors. @par Errors `corrupt`, `unsupported`
result<std::vector<exchange>> read(std::string_view text,
                                   const std::string& name);

/// "/v1/messages?beta=true" of a URL.
std::string_view target_of(std::string_view url);

/// Where two bodies differ, in a sentence; nothing if they mean the same.
std::optional<std::string> difference(std::string_view recorded,
                                      std::string_view now);

} // namespace kestrion::cassette_file
