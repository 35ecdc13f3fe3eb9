#include <kestrion/actors/said_bytes.hpp>

#include <kestrion/messages/match.hpp>

namespace kestrion {

namespace {

/// Images and documents count as vendors bill them, about: a document's pages
/// as what its text may have.
std::size_t bytes_of_part(const text_part& x) {
  return x.text.size();
}
std::size_t bytes_of_part(const image_part&) {
  return 4'000;
}
std::size_t bytes_of_part(const document_part&) {
  return 40'000;
}
std::size_t bytes_of_part(const reasoning_part& x) {
  return x.raw.size();
}
std::size_t bytes_of_part(const opaque_part& x) {
  return x.raw.size();
}
std::size_t bytes_of_part(const tool_call_part& x) {
  return x.name.size() + x.arguments.size();
}

std::size_t bytes_of_part(const tool_result_part& x) {
  return x.content.size() + bytes_of(x.attachments);
}

} // namespace

std::size_t bytes_of(const std::optional<std::vector<content_part>>& list) {
  std::size_t n = 0;
  if (list)
    for (const auto& p : *list)
      n += match(p, [](const auto& x) { return bytes_of_part(x); });
  return n;
}

std::int64_t bytes_of(const std::vector<part>& parts) {
  std::size_t n = 0;
  for (const auto& p : parts)
    n += match(p, [](const auto& x) { return bytes_of_part(x); });
  return static_cast<std::int64_t>(n);
}

} // namespace kestrion
