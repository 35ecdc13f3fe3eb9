#pragma once

#include <kestrion/store/sqlite_connection.hpp>

#include <kestrion/messages/run_id.hpp>

#include <cstdint>
#include <span>

/// Forgetting runs in a SQLite file, on the connection that writes.
namespace kestrion {

/// As `event_store::erase`. Inside a write transaction.
/// @par Errors as `sqlite_failure`
result<std::uint64_t> erase_runs(sqlite_connection& db,
                                 std::span<const run_id> runs);

/// As `event_store::used_bytes`. @par Errors as `sqlite_failure`
result<std::uint64_t> used_bytes_of(sqlite_connection& db);

/// As `event_store::reclaim`. Row ids of runs may be others afterwards.
/// @par Errors as `sqlite_failure`
result<void> reclaim_space(sqlite_connection& db);

} // namespace kestrion
