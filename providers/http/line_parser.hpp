#pragma once

#include <kestrion/messages/error.hpp>

#include <functional>
#include <string>
#include <string_view>

namespace kestrion {

/// Reads newline-delimited JSON, line by line, from any split of its bytes.
/// Blank lines are skipped, a CR before the LF does not count.
/// @par Threading One owner.
/// @par Source github.com/ndjson/ndjson-spec
class line_parser {
public:
  /// The view lives until the callback returns; it is never blank.
  using callback = std::function<void(std::string_view)>;

  explicit line_parser(std::size_t line_bytes_max = 32U << 20U)
    : line_bytes_max_(line_bytes_max) {}

  /// Takes the next bytes and calls `on_line` for each line they end.
  /// @par Errors `limit_exceeded`: a line is too large. The parser then stays
  ///   as it is and refuses everything.
  result<void> feed(std::string_view bytes, const callback& on_line);

  /// The stream is over: a last line needs no LF.
  void finish(const callback& on_line);

private:
  const std::size_t line_bytes_max_;
  std::string line_; ///< What came of a line that has not ended.
  bool failed_ = false;
};

} // namespace kestrion
