#include <kestrion/messages/base64.hpp>

#include <openssl/evp.h>

#include <algorithm>

namespace kestrion {

namespace {

/// What OpenSSL takes at once has an int for a size; a multiple of 3 bytes
/// needs no padding.
constexpr std::size_t piece_size = 3ULL << 20U;

} // namespace

std::string base64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4 + 1);
  for (; !bytes.empty();
       bytes.remove_prefix(std::min(bytes.size(), piece_size))) {
    const auto piece = bytes.substr(0, piece_size);
    const auto begin = out.size();
    out.resize(begin + (piece.size() + 2) / 3 * 4 + 1); // It adds a 0.
    const auto size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data() + begin),
                      reinterpret_cast<const unsigned char*>(piece.data()),
                      static_cast<int>(piece.size()));
    out.resize(begin + static_cast<std::size_t>(size));
  }
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  constexpr std::size_t text_piece = piece_size / 3 * 4;
  if (text.size() % 4 != 0)
    return std::nullopt;
  std::string out;
  out.reserve(text.size() / 4 * 3);
  for (auto rest = text; !rest.empty();
       rest.remove_prefix(std::min(rest.size(), text_piece))) {
    const auto piece = rest.substr(0, text_piece);
    const auto begin = out.size();
    out.resize(begin + piece.size() / 4 * 3);
    if (EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data() + begin),
                        reinterpret_cast<const unsigned char*>(piece.data()),
                        static_cast<int>(piece.size()))
        < 0)
      return std::nullopt;
  }
  for (auto i = text.size(); i-- > 0 && text[i] == '=' && !out.empty();)
    out.pop_back(); // Padding is decoded as 0.
  // It takes blanks and odd padding, which `base64` does not write.
  return base64(out) == text ? std::optional{std::move(out)} : std::nullopt;
}

} // namespace kestrion
