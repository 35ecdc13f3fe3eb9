#include <kestrion/store/payloads.hpp>

#include <kestrion/messages/digest.hpp>

#include <charconv>

namespace kestrion {

namespace {

/// What a reference begins with, and with it all that has to be told from one.
/// It is never inside of a JSON string, where the quote has a backslash.
constexpr std::string_view mark = R"({"$)";
constexpr std::string_view before_hash = R"({"$blob":")";
constexpr std::string_view before_size = R"(","bytes":)";

/// The quote that ends the string which begins after `from`, or npos.
std::size_t end_of_string(std::string_view text, std::size_t from) {
  while (true) {
    const auto at = text.find_first_of("\"\\", from);
    if (at == std::string_view::npos || text[at] == '"')
      return at;
    from = at + 2; // What follows a backslash ends nothing.
  }
}

/// Appends `text`, with one more `$` in all that looks like a reference.
void append_marked(std::string& out, std::string_view text) {
  std::size_t done = 0;
  for (auto at = text.find(mark); at != std::string_view::npos;
       at = text.find(mark, done)) {
    out.append(text, done, at + mark.size() - done);
    out += '$';
    done = at + mark.size();
  }
  out.append(text, done);
}

void append_reference(std::string& out, const payload& p) {
  out += before_hash;
  out += p.hash;
  out += before_size;
  out += std::to_string(p.bytes.size());
  out += '}';
}

error not_split(std::size_t at) {
  return {errc::corrupt,
          "there is no reference to a blob at byte " + std::to_string(at)};
}

/// Appends the string that the reference at `at` stands for.
/// @returns Where the reference ends.
result<std::size_t> append_payload(
  std::string& out, std::string_view text, std::size_t at,
  const std::function<result<std::string>(std::string_view)>& find) {
  const auto hash = text.substr(at).substr(
    std::min(before_hash.size(), text.size() - at), payload_hash_length);
  const auto size_at =
    at + before_hash.size() + payload_hash_length + before_size.size();
  if (size_at >= text.size()
      || text.substr(at, before_hash.size()) != before_hash
      || text.substr(size_at - before_size.size(), before_size.size())
           != before_size)
    return not_split(at);
  std::size_t size = 0;
  const auto* end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + size_at, end, size);
  if (read.ec != std::errc{} || read.ptr == end || *read.ptr != '}')
    return not_split(at);
  const auto bytes = find(hash);
  if (!bytes)
    return bytes.error();
  if (bytes->size() != size)
    return error{errc::corrupt, "the blob \"" + std::string{hash} + "\" has "
                                  + std::to_string(bytes->size())
                                  + " bytes; expected " + std::to_string(size)};
  out += '"';
  out += *bytes;
  out += '"';
  return static_cast<std::size_t>(read.ptr - text.data()) + 1;
}

} // namespace

split_text take_payloads_out(std::string_view json, std::size_t bytes_max) {
  split_text out;
  std::size_t done = 0;
  auto begin = json.find('"');
  while (begin != std::string_view::npos) {
    const auto end = end_of_string(json, begin + 1);
    if (end >= json.size())
      break;
    const auto inside = json.substr(begin + 1, end - begin - 1);
    const bool is_name = end + 1 < json.size() && json[end + 1] == ':';
    if (inside.size() > bytes_max && !is_name) {
      append_marked(out.text, json.substr(done, begin - done));
      out.payloads.push_back({sha256_hex(inside), inside});
      append_reference(out.text, out.payloads.back());
      done = end + 1;
    }
    begin = json.find('"', end + 1);
  }
  append_marked(out.text, json.substr(done));
  return out;
}

std::string whole_reference(std::string_view hash) {
  return std::string{before_hash} + std::string{hash} + R"("})";
}

result<std::string> put_payloads_in(
  std::string_view text,
  const std::function<result<std::string>(std::string_view)>& find) {
  std::string out;
  std::size_t done = 0;
  for (auto at = text.find(mark); at != std::string_view::npos;
       at = text.find(mark, done)) {
    out.append(text, done, at - done);
    if (at + mark.size() < text.size() && text[at + mark.size()] == '$') {
      out += mark;
      done = at + mark.size() + 1;
      continue;
    }
    const auto end = append_payload(out, text, at, find);
    if (!end)
      return end.error();
    done = *end;
  }
  out.append(text, done);
  return out;
}

} // namespace kestrion
