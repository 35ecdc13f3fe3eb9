#include <kestrion/messages/attachments.hpp>

#include <kestrion/messages/base64.hpp>

namespace kestrion {

namespace {

constexpr std::string_view scheme = "data:";
constexpr std::string_view encoding = ";base64,";

/// The media type that is said: in the URL, or beside of the blob.
template <class Part>
std::string_view media_type_of(const Part& x) {
  const auto data = data_in(x.url);
  return data ? data->media_type : std::string_view{x.media_type};
}

template <class Part>
std::optional<std::string> flaw_in_reference(const Part& x) {
  if (x.url.empty() && x.blob.empty())
    return "has neither a URL nor a blob; expected one of the two";
  if (!x.url.empty() && !x.blob.empty())
    return "has a URL and a blob; expected one of the two";
  return std::nullopt;
}

/// A vendor that fetches it sees for itself what it is.
template <class Part>
bool has_to_say_its_type(const Part& x) {
  return x.url.empty() || x.url.starts_with(scheme);
}

} // namespace

std::string data_url(std::string_view media_type, std::string_view bytes) {
  std::string out{scheme};
  out += media_type;
  out += encoding;
  out += base64(bytes);
  return out;
}

std::optional<inline_data> data_in(std::string_view url) {
  const auto at = url.find(encoding);
  if (!url.starts_with(scheme) || at == std::string_view::npos
      || at == scheme.size())
    return std::nullopt;
  return inline_data{url.substr(scheme.size(), at - scheme.size()),
                     url.substr(at + encoding.size())};
}

std::optional<std::string> flaw_in(const image_part& image) {
  if (auto flaw = flaw_in_reference(image))
    return flaw;
  const auto type = media_type_of(image);
  if (has_to_say_its_type(image) && !type.starts_with("image/"))
    return "has the media type \"" + std::string{type}
           + "\"; expected one like \"image/png\"";
  return std::nullopt;
}

bool is_plain_text(const document_part& document) {
  return media_type_of(document).starts_with("text/");
}

std::optional<std::string> flaw_in(const document_part& document) {
  if (auto flaw = flaw_in_reference(document))
    return flaw;
  const auto type = media_type_of(document);
  if (has_to_say_its_type(document) && type != "application/pdf"
      && !is_plain_text(document))
    return "has the media type \"" + std::string{type}
           + "\"; expected \"application/pdf\" or one of text";
  return std::nullopt;
}

} // namespace kestrion
