#pragma once

#include <kestrion/messages/error.hpp>
#include <kestrion/messages/run_status.hpp>
#include <kestrion/messages/time.hpp>
#include <kestrion/store/event_store.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kestrion {

/// Which runs are not kept. What has not ended, and what is above or below a
/// run that has not, is always kept.
struct retention_rule {
  /// Since they ended; 0 or more.
  duration older_than = std::chrono::days{30};
  std::vector<run_status> statuses = {}; ///< Any of these; empty: all ends.
  std::optional<std::string> agent = {};
  std::optional<std::string> tenant = {};
  /// Only as long as the store uses more bytes than that, the oldest first.
  std::optional<std::uint64_t> used_bytes_max = {};
  /// A folder that gets a capsule, RUN.jsonl, of each before it goes; it has to
  /// be there. Empty: none.
  std::string archive = {};
};

/// What became of it.
struct retention_report {
  std::uint64_t erased = 0;
  std::uint64_t spared = 0; ///< For the sake of runs that have not ended.
  std::uint64_t bytes_before = 0;
  std::uint64_t bytes_after = 0;
};

/// Archives, erases, and gives the space back. Killed in between, it may be
/// done again: an archived run that is still there is archived anew.
/// @par Errors `invalid_argument` for a rule that makes no sense; `io`,
///   `corrupt`: runs that were erased before that stay so
result<retention_report> retain(event_store& store, const retention_rule& rule,
                                timestamp now);

} // namespace kestrion
