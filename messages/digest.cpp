#include <kestrion/messages/digest.hpp>

#include <openssl/evp.h>

#include <new>

namespace kestrion {

namespace {

/// Once: looking an algorithm up takes as long as hashing a short text.
const EVP_MD* algorithm() {
  static const EVP_MD* found = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return found;
}

/// There is nothing else that could go wrong here.
void require(bool ok) {
  if (!ok)
    throw std::bad_alloc{};
}

} // namespace

void sha256::context_free::operator()(evp_md_ctx_st* context) const {
  EVP_MD_CTX_free(context);
}

sha256::sha256() : context_(EVP_MD_CTX_new()) {
  require(context_ && EVP_DigestInit_ex2(context_.get(), algorithm(), nullptr));
}

sha256& sha256::add(std::string_view bytes) {
  require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
  return *this;
}

sha256_digest sha256::finish() {
  sha256_digest out{};
  require(EVP_DigestFinal_ex(context_.get(), out.data(), nullptr) == 1
          && EVP_DigestInit_ex2(context_.get(), nullptr, nullptr) == 1);
  return out;
}

std::string sha256_hex(std::string_view bytes) {
  return to_hex(sha256{}.add(bytes).finish());
}

std::string to_hex(const sha256_digest& digest) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string out;
  out.reserve(2 * digest.size());
  for (auto byte : digest) {
    out += hex[byte >> 4U];
    out += hex[byte & 15U];
  }
  return out;
}

} // namespace kestrion
