#pragma once

#include <kestrion/messages/conversation.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

/// Images and documents, by reference or with their bytes in a `data:` URL.
namespace kestrion {

/// The URL of an `image_part` or a `document_part` that holds its bytes.
/// @param media_type  "image/png", "application/pdf"
/// @par Source RFC 2397
std::string data_url(std::string_view media_type, std::string_view bytes);

/// A `data:` URL in its parts, as views of it.
struct inline_data {
  std::string_view media_type;
  std::string_view base64;
};

/// @returns Nothing if `url` is no `data:` URL with a media type and base64.
std::optional<inline_data> data_in(std::string_view url);

/// What is wrong with an image or a document, as the end of a sentence that
/// begins with what it is; nothing: nothing.
std::optional<std::string> flaw_in(const image_part& image);
std::optional<std::string> flaw_in(const document_part& document);

/// Whether it is plain text, which any model can read, and no PDF.
bool is_plain_text(const document_part& document);

/// Calls `f` with each image and each document in a list of parts of whichever
/// kind, constant or not, and with those of tool results.
template <class Parts, class F>
void visit_attachments(Parts& parts, const F& f) {
  for (auto& p : parts) {
    if (auto* image = std::get_if<image_part>(&p))
      f(*image);
    else if (auto* document = std::get_if<document_part>(&p))
      f(*document);
    else if constexpr (std::is_same_v<std::remove_cvref_t<decltype(p)>, part>)
      if (auto* answered = std::get_if<tool_result_part>(&p);
          answered && answered->attachments)
        visit_attachments(*answered->attachments, f);
  }
}

} // namespace kestrion
