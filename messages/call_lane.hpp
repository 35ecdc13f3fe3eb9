#pragma once

#include <boost/describe/enum.hpp>

#include <cstdint>

namespace kestrion {

/// Whose model calls go first where limits make them wait.
enum class call_lane : std::uint8_t {
  batch,
  interactive, ///< A person waits: ahead of batch, up to its share of 90 %.
};
BOOST_DESCRIBE_ENUM(call_lane, batch, interactive)

} // namespace kestrion
