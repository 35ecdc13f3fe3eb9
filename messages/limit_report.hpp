#pragma once

#include <kestrion/messages/time.hpp>

#include <boost/describe/enum.hpp>

#include <cstdint>
#include <optional>

namespace kestrion {

/// What a limit counts.
enum class limit_kind : std::uint8_t {
  requests,
  input_tokens,
  output_tokens,
  total_tokens, ///< Input and output.
  concurrency,  ///< Calls at the same time; has no period.
};
BOOST_DESCRIBE_ENUM(limit_kind, requests, input_tokens, output_tokens,
                    total_tokens, concurrency)

/// What a server says about one limit in an answer, whatever its headers are
/// called. What it does not say is not set.
struct limit_report {
  limit_kind kind = limit_kind::requests;
  std::optional<std::int64_t> limit{};     ///< A period.
  std::optional<std::int64_t> remaining{}; ///< When it answered.
  /// By our clock: when all that it has counted so far is forgotten.
  std::optional<timestamp> reset_at{};
  bool operator==(const limit_report&) const = default;
};

} // namespace kestrion
