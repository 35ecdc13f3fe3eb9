#include <kestrion/messages/run_id.hpp>

#include <kestrion/messages/digest.hpp>

#include <algorithm>
#include <charconv>
#include <ostream>

namespace kestrion {

namespace {

constexpr std::string_view prefix = "run_";
constexpr std::string_view alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t digits = 26; // 130 bits; the first holds 3 of them.

int digit_value(char c) {
  const auto at = alphabet.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

} // namespace

run_id run_id::make(timestamp now, std::uint16_t random_high,
                    std::uint64_t random_low) {
  const auto ms = static_cast<std::uint64_t>(
    std::chrono::floor<std::chrono::milliseconds>(now)
      .time_since_epoch()
      .count());
  run_id out;
  for (std::size_t i = 0; i < 6; ++i)
    out.bytes_[i] = static_cast<std::uint8_t>(ms >> (8 * (5 - i)));
  out.bytes_[6] = static_cast<std::uint8_t>(random_high >> 8);
  out.bytes_[7] = static_cast<std::uint8_t>(random_high);
  for (std::size_t i = 0; i < 8; ++i)
    out.bytes_[8 + i] = static_cast<std::uint8_t>(random_low >> (8 * (7 - i)));
  return out;
}

result<run_id> run_id::parse(std::string_view text) {
  const auto bad = [&] {
    return error{errc::invalid_argument,
                 "\"" + std::string{text.substr(0, 64)}
                   + "\" is no run id; expected run_ and 26 characters of "
                     "Crockford's base 32"};
  };
  if (text.size() != text_length || !text.starts_with(prefix))
    return bad();
  run_id out;
  // 26 digits of 5 bits fill 130; the two on top must be zero.
  unsigned buffer = 0;
  int bits = -2;
  std::size_t at = 0;
  for (char c : text.substr(prefix.size())) {
    const int v = digit_value(c);
    if (v < 0 || (at == 0 && bits == -2 && v > 7))
      return bad();
    buffer = (buffer << 5U) | static_cast<unsigned>(v);
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      out.bytes_[at++] = static_cast<std::uint8_t>(buffer >> bits);
    }
  }
  return out;
}

timestamp run_id::time() const {
  std::int64_t ms = 0;
  for (std::size_t i = 0; i < 6; ++i)
    ms = (ms << 8) | bytes_[i];
  return timestamp{std::chrono::milliseconds{ms}};
}

std::string run_id::str() const {
  std::string out(text_length, '\0');
  auto at = std::copy(prefix.begin(), prefix.end(), out.begin());
  unsigned buffer = 0;
  int bits = 2; // Two zero bits on top make 130 of 128.
  for (auto byte : bytes_) {
    buffer = (buffer << 8U) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      *at++ = alphabet[(buffer >> bits) & 31U];
    }
  }
  return out;
}

run_id child_id(const run_id& parent, std::string_view call) {
  const auto hash = sha256_hex(parent.str() + "/" + std::string{call});
  std::uint16_t high = 0;
  std::uint64_t low = 0;
  const auto* text = hash.data();
  std::from_chars(text, text + 4, high, 16);
  std::from_chars(text + 4, text + 20, low, 16);
  return run_id::make(parent.time(), high, low);
}

std::string to_string(const run_id& id) {
  return id.str();
}

std::ostream& operator<<(std::ostream& out, const run_id& id) {
  return out << id.str();
}

} // namespace kestrion
