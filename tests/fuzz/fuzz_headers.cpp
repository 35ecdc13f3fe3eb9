#include <kestrion/providers/models/failure.hpp>
#include <kestrion/providers/models/rate_limits.hpp>
#include <kestrion/tests/fuzz/split.hpp>

#include <algorithm>
#include <chrono>
#include <string>

namespace kestrion::test {

namespace {

/// A header a line, "name: value".
http_headers headers_in(std::string_view text) {
  http_headers out;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    if (const auto colon = line.find(": "); colon != line.npos)
      out.push_back({std::string{line.substr(0, colon)},
                     std::string{line.substr(colon + 2)}});
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

} // namespace

} // namespace kestrion::test

/// Whatever headers say of limits and waits is a number that makes sense, or
/// counts as nothing.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using namespace kestrion;
  using namespace kestrion::test;
  constexpr auto now =
    timestamp{std::chrono::sys_days{std::chrono::year{2026} / 11 / 23}};
  constexpr auto day = std::chrono::hours{24};
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto headers = headers_in(text);
  for (const auto& x : limits_of(headers, now)) {
    must(!x.limit || *x.limit >= 1);
    must(!x.remaining || *x.remaining >= 0);
  }
  if (const auto wait = retry_after(headers, now))
    must(*wait >= duration{} && *wait <= day);
  if (const auto wait = parse_go_duration(text))
    must(*wait >= duration{} && *wait <= day);
  static_cast<void>(parse_rfc3339(text));
  static_cast<void>(parse_http_date(text));
  return 0;
}
