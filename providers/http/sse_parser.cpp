#include <kestrion/providers/http/sse_parser.hpp>

#include <algorithm>
#include <charconv>

namespace kestrion {

namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

/// Digits only, as the standard has it; what no `duration` holds is nothing.
std::optional<duration> milliseconds_of(std::string_view digits) {
  constexpr std::int64_t most = 1'000LL * 60 * 60 * 24 * 365;
  std::int64_t n = 0;
  const auto* end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, n);
  if (digits.empty() || digits.front() == '-' || read.ec != std::errc{}
      || read.ptr != end || n > most)
    return std::nullopt;
  return std::chrono::milliseconds{n};
}

} // namespace

result<void> sse_parser::feed(std::string_view bytes,
                              const callback& on_event) {
  const auto too_large = [this] {
    return error{errc::limit_exceeded,
                 "a server-sent event is larger than the limit of "
                   + std::to_string(event_bytes_max_) + " bytes"};
  };
  if (failed_)
    return too_large();
  bytes = without_mark(bytes);
  // Where the next LF is stays known while lines end with CR, so that every
  // byte is looked at twice at most.
  std::size_t next_lf = 0;
  bool lf_is_known = false;
  for (std::size_t at = 0; at < bytes.size();) {
    if (after_cr_) {
      after_cr_ = false;
      if (bytes[at] == '\n') {
        ++at;
        continue;
      }
    }
    if (!lf_is_known || next_lf < at) {
      next_lf = std::min(bytes.find('\n', at), bytes.size());
      lf_is_known = true;
    }
    const auto upto_lf = bytes.substr(at, next_lf - at);
    const auto cr = upto_lf.find('\r');
    const auto line = upto_lf.substr(0, cr);
    failed_ = is_too_large(line.size());
    if (failed_)
      return too_large();
    at += line.size();
    if (at == bytes.size()) {
      line_ += line;
      break;
    }
    after_cr_ = bytes[at] == '\r';
    ++at;
    end_line(line, on_event);
  }
  return {};
}

std::string_view sse_parser::without_mark(std::string_view bytes) {
  while (at_start_ && !bytes.empty()) {
    if (bytes.front() != byte_order_mark[mark_seen_]) {
      line_ = byte_order_mark.substr(0, mark_seen_); // It was none.
      at_start_ = false;
    } else {
      bytes.remove_prefix(1);
      at_start_ = ++mark_seen_ < byte_order_mark.size();
    }
  }
  return bytes;
}

bool sse_parser::is_too_large(std::size_t more) const {
  return line_.size() + data_.size() + more > event_bytes_max_;
}

void sse_parser::end_line(std::string_view line, const callback& on_event) {
  if (!line_.empty()) {
    line_ += line;
    line = line_;
  }
  if (line.empty()) {
    dispatch(on_event);
  } else {
    const auto colon = std::min(line.find(':'), line.size());
    auto value = line.substr(std::min(colon + 1, line.size()));
    if (value.starts_with(' '))
      value.remove_prefix(1);
    if (colon > 0) // Else a comment.
      take_field(line.substr(0, colon), value);
  }
  line_.clear();
}

void sse_parser::take_field(std::string_view name, std::string_view value) {
  if (name == "data") {
    data_ += value;
    data_ += '\n';
  } else if (name == "event") {
    type_ = value;
  } else if (name == "id") {
    if (value.find('\0') == std::string_view::npos)
      id_ = value;
  } else if (name == "retry") {
    if (const auto wish = milliseconds_of(value))
      retry_ = wish;
  }
}

void sse_parser::dispatch(const callback& on_event) {
  if (!data_.empty()) {
    data_.pop_back();
    on_event({type_.empty() ? std::string_view{"message"} : type_, data_, id_});
  }
  data_.clear();
  type_.clear();
}

} // namespace kestrion
