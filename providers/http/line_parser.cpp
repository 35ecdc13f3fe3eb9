#include <kestrion/providers/http/line_parser.hpp>

#include <algorithm>

namespace kestrion {

namespace {

void tell(std::string_view line, const line_parser::callback& on_line) {
  if (line.ends_with('\r'))
    line.remove_suffix(1);
  if (line.find_first_not_of(" \t") != std::string_view::npos)
    on_line(line);
}

} // namespace

result<void> line_parser::feed(std::string_view bytes,
                               const callback& on_line) {
  while (!bytes.empty()) {
    const auto piece = bytes.substr(0, bytes.find('\n'));
    failed_ = failed_ || line_.size() + piece.size() > line_bytes_max_;
    if (failed_)
      return error{errc::limit_exceeded, "a line is larger than the limit of "
                                           + std::to_string(line_bytes_max_)
                                           + " bytes"};
    if (piece.size() == bytes.size()) {
      line_ += piece;
      break;
    }
    if (line_.empty()) {
      tell(piece, on_line);
    } else {
      line_ += piece;
      tell(line_, on_line);
      line_.clear();
    }
    bytes.remove_prefix(piece.size() + 1);
  }
  return {};
}

void line_parser::finish(const callback& on_line) {
  tell(line_, on_line);
  line_.clear();
}

} // namespace kestrion
