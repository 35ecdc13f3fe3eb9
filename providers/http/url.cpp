#include <kestrion/providers/http/url.hpp>

#include <algorithm>
#include <charconv>

namespace kestrion {

namespace {

constexpr std::uint16_t default_port(bool tls) {
  return tls ? 443 : 80;
}

std::string lower(std::string_view text) {
  std::string out{text};
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  return out;
}

error bad_url(std::string_view text, std::string_view why) {
  return {errc::invalid_argument, "the URL \""
                                    + std::string{text.substr(0, 200)} + "\" "
                                    + std::string{why}};
}

bool printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c < 0x7f && c != '"' && c != '<' && c != '>' && c != '\\';
  });
}

bool host_characters(std::string_view host, bool bracketed) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.'
           || c == '-' || c == '_' || (bracketed && c == ':');
  });
}

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

} // namespace

std::string http_url::origin() const {
  return (tls ? "https://" : "http://") + bracketed(host) + ":"
         + std::to_string(port);
}

std::string http_url::authority() const {
  return port == default_port(tls)
           ? bracketed(host)
           : bracketed(host) + ":" + std::to_string(port);
}

result<http_url> parse_http_url(std::string_view text) {
  if (!printable(text))
    // Not quoted: whatever is in there may be a pasted secret or a line break.
    return error{errc::invalid_argument,
                 "the URL holds a blank, a quote or a control character"};
  http_url url;
  const auto scheme_end = text.find("://");
  const auto scheme = lower(text.substr(0, std::min(scheme_end, text.size())));
  if (scheme_end == std::string_view::npos
      || (scheme != "http" && scheme != "https"))
    return bad_url(text, "does not begin with http:// or https://");
  url.tls = scheme == "https";

  const auto rest = text.substr(scheme_end + 3);
  const auto path_at = std::min(rest.find_first_of("/?#"), rest.size());
  auto authority = rest.substr(0, path_at);
  if (authority.find('@') != std::string_view::npos)
    return error{errc::invalid_argument,
                 "a URL must not hold a user or a password"};
  if (rest.find('#') != std::string_view::npos)
    return bad_url(text, "has a fragment");
  url.target = rest.substr(path_at);
  if (url.target.empty() || url.target.front() != '/')
    url.target.insert(0, "/");

  const auto is_bracketed = !authority.empty() && authority.front() == '[';
  const auto host_end = is_bracketed
                          ? authority.find(']')
                          : std::min(authority.find(':'), authority.size());
  if (host_end == std::string_view::npos)
    return bad_url(text, "lacks the ] of its IPv6 address");
  url.host = lower(is_bracketed ? authority.substr(1, host_end - 1)
                                : authority.substr(0, host_end));
  if (!host_characters(url.host, is_bracketed))
    return bad_url(text, "has no valid host");

  auto port = authority.substr(host_end + (is_bracketed ? 1 : 0));
  url.port = default_port(url.tls);
  if (port.empty())
    return url;
  port.remove_prefix(1); // The colon; anything else fails below.
  const auto end = port.data() + port.size();
  const auto read = std::from_chars(port.data(), end, url.port);
  if (authority[authority.size() - port.size() - 1] != ':' || read.ptr != end
      || read.ec != std::errc{} || url.port == 0)
    return bad_url(text, "has no valid port");
  return url;
}

} // namespace kestrion
