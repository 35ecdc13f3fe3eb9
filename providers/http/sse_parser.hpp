#pragma once

#include <kestrion/messages/error.hpp>
#include <kestrion/messages/time.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace kestrion {

/// One server-sent event. The views live until the callback returns.
struct sse_event {
  std::string_view type; ///< "message" if the server gave none.
  std::string_view data; ///< Lines joined by LF.
  std::string_view id;   ///< The last one so far; empty if there was none.
};

/// Reads a stream of server-sent events from any split of its bytes.
///
/// Lines end with LF, CR or CRLF; a byte order mark, comments and unknown
/// fields are skipped. An event that no blank line ends is none. Bytes that are
/// no UTF-8 pass as they are.
/// @par Threading One owner.
/// @par Source html.spec.whatwg.org, section 9.2.6
class sse_parser {
public:
  using callback = std::function<void(const sse_event&)>;

  /// @param event_bytes_max  Of one event's data, and of one line.
  explicit sse_parser(std::size_t event_bytes_max = 32U << 20U)
    : event_bytes_max_(event_bytes_max) {}

  /// Takes the next bytes and calls `on_event` for each event they end.
  /// @par Errors `limit_exceeded`: a line or an event is too large. The parser
  ///   then stays as it is and refuses everything.
  result<void> feed(std::string_view bytes, const callback& on_event);

  /// How long the server wants a client to wait before it connects again.
  std::optional<duration> retry() const { return retry_; }

private:
  std::string_view without_mark(std::string_view bytes);
  void end_line(std::string_view line, const callback& on_event);
  void take_field(std::string_view name, std::string_view value);
  void dispatch(const callback& on_event);
  bool is_too_large(std::size_t more) const;

  const std::size_t event_bytes_max_;
  std::string line_; ///< What came of a line that has not ended.
  std::string data_; ///< Each line of it with an LF.
  std::string type_;
  std::string id_;
  std::optional<duration> retry_;
  std::size_t mark_seen_ = 0; ///< Bytes of the byte order mark.
  bool at_start_ = true;
  bool after_cr_ = false; ///< An LF would belong to the line before.
  bool failed_ = false;
};

} // namespace kestrion
