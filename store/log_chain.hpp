#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include <kestrion/messages/digest.hpp>
#include <kestrion/store/event_store.hpp>

/// The hashes that make a log a chain. Pure.
namespace kestrion {

/// The hashes of a log's events, one after the other.
///
/// That of an event is the SHA-256 over the hash before it, its seq and its
/// time (8 bytes each, big-endian, the time in microseconds since 1970), the
/// length of its type (likewise), its type and its data, whole. Before the
/// first event there is the SHA-256 of "kestrion log 1 " and the run's id.
/// @par Threading One thread at a time.
class log_chain {
public:
  /// What comes before a run's first event.
  sha256_digest start(const run_id& run);

  sha256_digest next(const sha256_digest& before, std::uint64_t seq,
                     timestamp at, std::string_view type,
                     std::string_view data);

private:
  sha256 hash_;
};

/// Compares a log with its hashes.
/// @param events  All of them, from the first on.
/// @param head  The hash that the log ended with when it was last written.
log_check check_log(const run_id& run, std::span<const stored_event> events,
                    const sha256_digest& head);

} // namespace kestrion
