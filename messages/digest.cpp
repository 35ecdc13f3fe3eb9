#include <kestrion/messages/digest.hpp>

#include <openssl/sha.h>

#include <array>

namespace kestrion {

std::string sha256_hex(std::string_view bytes) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         hash.data());
  std::string out;
  out.reserve(2 * hash.size());
  for (auto byte : hash) {
    out += hex[byte >> 4U];
    out += hex[byte & 15U];
  }
  return out;
}

} // namespace kestrion
