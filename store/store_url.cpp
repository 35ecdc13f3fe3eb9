#include <charconv>

#include <kestrion/store/memory_store.hpp>
#include <kestrion/store/sqlite_store.hpp>
#include <kestrion/store/store_url.hpp>

namespace kestrion {

namespace {

constexpr std::string_view supported =
  "sqlite:///relative.db, sqlite:////absolute.db and memory: are supported";

std::string quoted(std::string_view url) {
  return "the store URL \"" + std::string{url.substr(0, 256)} + "\" ";
}

result<std::string> percent_decode(std::string_view text,
                                   std::string_view url) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const auto digits = text.substr(i + 1, 2);
    unsigned value = 0;
    const auto [end, ec] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (ec != std::errc{} || digits.size() != 2 || end != digits.data() + 2
        || value == 0)
      return error{errc::invalid_argument,
                   quoted(url) + "has \"%" + std::string{digits} + "\" at byte "
                     + std::to_string(url.size() - text.size() + i)
                     + "; expected % and two hexadecimal digits, not 00"};
    out += static_cast<char>(value);
    i += 2;
  }
  return out;
}

} // namespace

result<store_location> parse_store_url(std::string_view url) {
  if (url.find('\0') != std::string_view::npos)
    return error{errc::invalid_argument,
                 quoted(url.substr(0, url.find('\0'))) + "holds a NUL byte"};
  if (url == "memory:")
    return store_location{};
  if (url.starts_with("memory:"))
    return error{errc::unsupported,
                 quoted(url) + "has a path; expected memory: alone"};
  constexpr std::string_view sqlite = "sqlite:";
  if (!url.starts_with(sqlite)) {
    const auto colon = url.find(':');
    if (colon == std::string_view::npos)
      return error{errc::unsupported,
                   quoted(url) + "has no scheme; " + std::string{supported}};
    return error{errc::unsupported, quoted(url) + "has the scheme \""
                                      + std::string{url.substr(0, colon)}
                                      + "\"; " + std::string{supported}};
  }
  auto rest = url.substr(sqlite.size());
  if (rest.empty() || rest == "//" || rest == "///")
    return error{errc::invalid_argument,
                 quoted(url) + "has no path; expected sqlite:///file.db"};
  if (!rest.starts_with("///"))
    return error{errc::unsupported, quoted(url)
                                      + "names a host or lacks a slash; "
                                      + std::string{supported}};
  rest.remove_prefix(3);
  if (rest.find_first_of("?#") != std::string_view::npos)
    return error{errc::unsupported,
                 quoted(url)
                   + "has a query or a fragment; expected none (write %3F for "
                     "a question mark in the path, %23 for a hash)"};
  auto path = percent_decode(rest, url);
  if (!path)
    return path.error();
  return store_location{store_location::kind::sqlite, std::move(*path)};
}

result<std::unique_ptr<event_store>> open_store(std::string_view url,
                                                duration lease) {
  auto location = parse_store_url(url);
  if (!location)
    return location.error();
  if (location->where == store_location::kind::memory)
    return make_memory_store();
  return open_sqlite_store(location->path, {.lease = lease});
}

} // namespace kestrion
