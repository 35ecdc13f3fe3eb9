#pragma once

#include <kestrion/messages/conversation.hpp>
#include <kestrion/messages/error.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

/// Images that a vendor gets with the request, as base64 in a `data:` URL.
namespace kestrion {

/// A `data:` URL in its parts, as views of it.
struct image_data {
  std::string_view media_type; ///< "image/png"
  std::string_view base64;
};

/// @returns Nothing if `url` is no `data:` URL with a media type and base64.
/// @par Source RFC 2397
std::optional<image_data> image_data_of(std::string_view url);

/// Gives the bytes that are kept under a hash, or says why not.
using blob_reader = std::function<result<std::string>(const std::string& hash)>;

/// Whether an image of the message is a blob.
bool has_blobs(const message& m);

/// The conversation with a `data:` URL in place of each image that is a blob.
/// Messages without such images are shared, not copied.
/// @par Errors `invalid_argument` for a blob without a media type of an image;
///   what `read` says.
result<conversation> with_images(const conversation& said,
                                 const blob_reader& read);

} // namespace kestrion
