#include <kestrion/messages/error.hpp>

#include <boost/describe/enum_to_string.hpp>

namespace kestrion {

std::string_view to_string(errc code) {
  return boost::describe::enum_to_string(code, "unknown");
}

bool may_pass(errc code) {
  return code == errc::io || code == errc::timeout || code == errc::unavailable
         || code == errc::rate_limited || code == errc::conflict;
}

std::string to_string(const error& e) {
  return std::string{to_string(e.code)} + ": " + e.detail;
}

} // namespace kestrion
