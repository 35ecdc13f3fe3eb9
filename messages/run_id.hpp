#pragma once

#include <kestrion/messages/error.hpp>
#include <kestrion/messages/time.hpp>

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>

namespace kestrion {

/// Names one run for ever: `run_` and a ULID, so ids sort by the time of their
/// start. 16 bytes, cheap to copy.
/// @par Source github.com/ulid/spec
class run_id {
public:
  static constexpr std::size_t text_length = 30; ///< "run_" and 26 characters.

  constexpr run_id() = default; ///< No run; `!id`.

  /// @param random  80 fresh random bits, in the low bits of the two values.
  static run_id make(timestamp now, std::uint16_t random_high,
                     std::uint64_t random_low);

  /// @par Errors `invalid_argument` unless `text` is what `to_string` writes.
  static result<run_id> parse(std::string_view text);

  explicit operator bool() const { return *this != run_id{}; }
  auto operator<=>(const run_id&) const = default;
  bool operator==(const run_id& other) const {
    using halves = std::array<std::uint64_t, 2>; // Two steps, and no call.
    return std::bit_cast<halves>(bytes_) == std::bit_cast<halves>(other.bytes_);
  }

  /// The start's time, in milliseconds as ULIDs have it.
  timestamp time() const;

  std::string str() const;
  const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }

private:
  std::array<std::uint8_t, 16> bytes_{};
};

/// The run that the call of `parent` is: it starts with the parent's time and
/// goes on with 80 bits of the SHA-256 of "PARENT/CALL". The same for ever, so
/// a call can't become two runs.
run_id child_id(const run_id& parent, std::string_view call);

std::string to_string(const run_id& id);
std::ostream& operator<<(std::ostream& out, const run_id& id);

} // namespace kestrion

template <>
struct std::hash<kestrion::run_id> {
  std::size_t operator()(const kestrion::run_id& id) const noexcept {
    std::uint64_t low = 0; // The random half; it is evenly spread already.
    std::memcpy(&low, id.bytes().data() + 8, sizeof low);
    return low;
  }
};
