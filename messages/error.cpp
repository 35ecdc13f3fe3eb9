#include <kestrion/messages/error.hpp>

namespace kestrion {

std::string_view to_string(errc code) {
  switch (code) {
    case errc::ok: return "ok";
    case errc::invalid_argument: return "invalid_argument";
    case errc::not_found: return "not_found";
    case errc::refused: return "refused";
    case errc::forbidden: return "forbidden";
    case errc::conflict: return "conflict";
    case errc::corrupt: return "corrupt";
    case errc::unsupported: return "unsupported";
    case errc::io: return "io";
    case errc::timeout: return "timeout";
    case errc::cancelled: return "cancelled";
    case errc::unavailable: return "unavailable";
    case errc::rate_limited: return "rate_limited";
    case errc::quota_exhausted: return "quota_exhausted";
    case errc::unauthenticated: return "unauthenticated";
    case errc::limit_exceeded: return "limit_exceeded";
  }
  return "unknown";
}

std::string to_string(const error& e) {
  return std::string{to_string(e.code)} + ": " + e.detail;
}

} // namespace kestrion
