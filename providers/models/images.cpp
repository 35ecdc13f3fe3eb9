#include <kestrion/providers/models/images.hpp>

#include <kestrion/messages/base64.hpp>

#include <algorithm>
#include <cstdint>

namespace kestrion {

namespace {

constexpr std::string_view scheme = "data:";
constexpr std::string_view encoding = ";base64,";

bool is_blob(const part& p) {
  const auto* image = std::get_if<image_part>(&p);
  return image && image->url.empty();
}

/// @par Errors As `with_images`
result<std::string> data_url_of(const image_part& image,
                                const blob_reader& read) {
  const auto named = "the image \"" + image.blob.substr(0, 64) + "\"";
  if (!image.media_type.starts_with("image/"))
    return error{errc::invalid_argument,
                 named + " has the media type \"" + image.media_type
                   + "\"; expected one like \"image/png\""};
  const auto bytes = read(image.blob);
  if (!bytes)
    return bytes.error();
  return std::string{scheme} + image.media_type + std::string{encoding}
         + base64(*bytes);
}

} // namespace

std::optional<image_data> image_data_of(std::string_view url) {
  const auto at = url.find(encoding);
  if (!url.starts_with(scheme) || at == std::string_view::npos
      || at == scheme.size())
    return std::nullopt;
  return image_data{url.substr(scheme.size(), at - scheme.size()),
                    url.substr(at + encoding.size())};
}

bool has_blobs(const message& m) {
  return std::any_of(m.parts.begin(), m.parts.end(), is_blob);
}

result<conversation> with_images(const conversation& said,
                                 const blob_reader& read) {
  auto out = said;
  for (auto& m : out) {
    if (!has_blobs(*m))
      continue;
    auto copy = *m;
    for (auto& p : copy.parts) {
      if (!is_blob(p))
        continue;
      auto& image = std::get<image_part>(p);
      auto url = data_url_of(image, read);
      if (!url)
        return url.error();
      image = {image.media_type, std::move(*url), ""};
    }
    m = std::make_shared<const message>(std::move(copy));
  }
  return out;
}

} // namespace kestrion
