#pragma once

#include <kestrion/store/sqlite_connection.hpp>

namespace kestrion {

/// "Kest": marks the file as ours (PRAGMA application_id).
inline constexpr std::int64_t store_application_id = 0x4b657374;

/// The number of the newest migration (PRAGMA user_version).
std::int64_t store_version();

/// Creates the tables in an empty file or brings older ones up to date, each
/// step in a transaction of its own. Several processes may do so at once.
/// @param path  For the errors.
/// @par Errors `unsupported`, with the file untouched: no SQLite database, one
///   of another program, or one of a newer version. `corrupt`, `io`.
result<void> migrate(sqlite_connection& db, const std::string& path);

} // namespace kestrion
