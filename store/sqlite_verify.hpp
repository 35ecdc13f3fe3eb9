#pragma once

#include <kestrion/store/event_store.hpp>
#include <kestrion/store/sqlite_blobs.hpp>
#include <kestrion/store/sqlite_connection.hpp>

#include <cstdint>

namespace kestrion {

/// Where the row of a run says that its log ends.
struct noted_end {
  std::uint64_t seq = 0;
  std::int64_t event = 0; ///< The id of the last event's row.
  sha256_digest hash = {};
};

/// Looks at all events of the file that are of this run, in the order of their
/// seqs: what a log that can't be read has to be searched for. Reads the whole
/// table.
/// @returns With the first flaw, if there is one. @par Errors as
/// `sqlite_failure`
result<log_check> search_flaw(sqlite_connection& db, sqlite_blobs& blobs,
                              const run_id& run, const noted_end& end);

/// Gives the events of a file that has none yet their hashes, and each run that
/// of its last event. To be called inside a write transaction.
/// @par Errors as `sqlite_failure`
result<void> add_hashes(sqlite_connection& db);

} // namespace kestrion
