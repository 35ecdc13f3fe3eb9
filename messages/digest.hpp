#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace kestrion {

/// A SHA-256 hash. @par Source FIPS 180-4
using sha256_digest = std::array<std::uint8_t, 32>;

/// Hashes one text after the other, each from pieces. Making one costs more
/// than hashing a short text, so keep it.
/// @par Threading One thread at a time.
class sha256 {
public:
  sha256();

  /// @returns Itself.
  sha256& add(std::string_view bytes);

  /// The hash of what was added; it begins anew.
  sha256_digest finish();

private:
  struct context_free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, context_free> context_;
};

/// SHA-256 of `bytes`, as 64 lower-case hexadecimal digits.
std::string sha256_hex(std::string_view bytes);

/// As 64 lower-case hexadecimal digits.
std::string to_hex(const sha256_digest& digest);

} // namespace kestrion
