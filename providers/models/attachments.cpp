#include <kestrion/providers/models/attachments.hpp>

#include <kestrion/messages/base64.hpp>
#include <kestrion/messages/utf8.hpp>

#include <algorithm>
#include <type_traits>

namespace kestrion {

namespace {

template <class Part>
bool is_blob(const Part& x) {
  return x.url.empty();
}

template <class Part>
std::string named(const Part& x) {
  constexpr bool is_image = std::is_same_v<Part, image_part>;
  return std::string{is_image ? "the image" : "the document"} + " \""
         + x.blob.substr(0, 64) + "\"";
}

template <class Part>
result<void> put_in(Part& x, const blob_reader& read) {
  if (const auto flaw = flaw_in(x))
    return error{errc::invalid_argument, named(x) + " " + *flaw};
  const auto bytes = read(x.blob);
  if (!bytes)
    return bytes.error();
  x.url = data_url(x.media_type, *bytes);
  x.blob.clear();
  return {};
}

/// Whether `is_one(x)` of any image or document `x`.
template <class F>
bool any_attachment(const conversation& said, const F& is_one) {
  bool found = false;
  for (const auto& m : said)
    visit_attachments(m->parts,
                      [&](const auto& x) { found = found || is_one(x); });
  return found;
}

} // namespace

bool has_blobs(const message& m) {
  bool found = false;
  visit_attachments(m.parts,
                    [&](const auto& x) { found = found || is_blob(x); });
  return found;
}

result<conversation> with_blobs(const conversation& said,
                                const blob_reader& read) {
  auto out = said;
  for (auto& m : out) {
    if (!has_blobs(*m))
      continue;
    auto copy = *m;
    result<void> ok;
    visit_attachments(copy.parts, [&](auto& x) {
      if (ok && is_blob(x))
        ok = put_in(x, read);
    });
    if (!ok)
      return ok.error();
    m = std::make_shared<const message>(std::move(copy));
  }
  return out;
}

bool has_images(const conversation& said) {
  return any_attachment(said, []<class Part>(const Part&) {
    return std::is_same_v<Part, image_part>;
  });
}

bool has_documents(const conversation& said) {
  return any_attachment(said, []<class Part>(const Part& x) {
    if constexpr (std::is_same_v<Part, document_part>)
      return !is_plain_text(x);
    else
      return false;
  });
}

result<std::string> plain_text_of(const document_part& document,
                                  const std::string& vendor) {
  const auto data = data_in(document.url);
  if (!data)
    return error{errc::unsupported,
                 vendor
                   + " fetches no documents of plain text; expected one "
                     "from the blob store or with a data: URL"};
  auto text = from_base64(data->base64);
  if (!text)
    return error{errc::invalid_argument,
                 "the document \"" + document.name + "\" holds no base64"};
  return to_valid_utf8(std::move(*text));
}

result<std::string> as_words(const document_part& document,
                             const std::string& vendor) {
  if (!is_plain_text(document))
    return error{errc::unsupported, vendor
                                      + " takes no documents but plain "
                                        "text; \""
                                      + document.name + "\" is another"};
  const auto text = plain_text_of(document, vendor);
  if (!text)
    return text.error();
  const auto name = document.name.empty() ? "" : " \"" + document.name + "\"";
  return "Document" + name + ":\n" + *text + "\n";
}

std::string file_name_of(const document_part& document) {
  return document.name.empty() ? "document.pdf" : document.name;
}

error not_read_yet(const std::string& vendor) {
  return {errc::unsupported,
          "an image or a document from the blob store has to be read before "
          "it is sent to "
            + vendor + "; expected one with a URL"};
}

} // namespace kestrion
