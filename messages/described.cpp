#include <kestrion/messages/described.hpp>

namespace kestrion::detail {

namespace {

constexpr std::size_t shown_max = 80; ///< Of a bad value, in its error.

std::string place(std::string_view path) {
  return path.empty() ? "the document" : "\"" + std::string{path} + "\"";
}

error bad(std::string detail) {
  return {errc::invalid_argument, std::move(detail)};
}

} // namespace

error mistyped(std::string_view path, std::string_view expected,
               const boost::json::value& got) {
  auto shown = boost::json::serialize(got);
  if (shown.size() > shown_max)
    shown = shown.substr(0, shown_max) + "...";
  return bad(place(path) + " is " + shown + "; expected "
             + std::string{expected});
}

error missing(std::string_view path, std::string_view name) {
  return bad(place(path) + " lacks the member \"" + std::string{name} + "\"");
}

error unexpected(std::string_view path, std::string_view name) {
  return bad(place(path) + " has an unknown member \"" + std::string{name}
             + "\"");
}

error unknown_name(std::string_view path, std::string_view got) {
  return bad(place(path) + " is \"" + std::string{got.substr(0, shown_max)}
             + "\", which is none of the known names");
}

std::string member_path(const std::string& path, std::string_view name) {
  return path.empty() ? std::string{name} : path + "." + std::string{name};
}

} // namespace kestrion::detail
