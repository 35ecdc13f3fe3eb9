#pragma once

#include <kestrion/actors/run_state.hpp>
#include <kestrion/messages/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>

/// A folded state as bytes. A snapshot only saves the reading of a log, so one
/// that is not exactly as written is no loss: it is ignored.
namespace kestrion {

/// Of the state, its bytes and the fold that leads to it. Raise it whenever
/// one of them changes: snapshots of another version are not read.
inline constexpr std::uint32_t snapshot_version = 6;

/// JSON, behind its own SHA-256.
std::string encode_snapshot(const run_state& state);

/// Inverse of `encode_snapshot`.
/// @par Errors `corrupt` if it is not as written.
result<run_state> decode_snapshot(std::string_view bytes);

} // namespace kestrion
