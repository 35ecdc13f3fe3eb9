#pragma once

#include <kestrion/messages/attachments.hpp>
#include <kestrion/messages/error.hpp>

#include <functional>
#include <string>

/// Images and documents on the way to a vendor.
namespace kestrion {

/// Gives the bytes that are kept under a hash, or says why not.
using blob_reader = std::function<result<std::string>(const std::string& hash)>;

/// Whether an image or a document of the message is a blob.
bool has_blobs(const message& m);

/// The conversation with a `data:` URL in place of each blob. Messages without
/// blobs are shared, not copied.
/// @par Errors `invalid_argument` for a media type that does not fit; what
///   `read` says.
result<conversation> with_blobs(const conversation& said,
                                const blob_reader& read);

/// Whether there is an image, or a document that is no plain text.
bool has_images(const conversation& said);
bool has_documents(const conversation& said);

/// The text of a document of plain text.
/// @par Errors `unsupported` if `vendor` would have to fetch it;
///             `invalid_argument` for what is no base64.
result<std::string> plain_text_of(const document_part& document,
                                  const std::string& vendor);

/// It as words, with its name, for a vendor that takes no such documents.
/// @par Errors As `plain_text_of`; `unsupported` if it is no plain text.
result<std::string> as_words(const document_part& document,
                             const std::string& vendor);

/// Its name, or one for a PDF that has none.
std::string file_name_of(const document_part& document);

/// For an image or a document that is still a blob, where a vendor needs bytes.
error not_read_yet(const std::string& vendor);

} // namespace kestrion
