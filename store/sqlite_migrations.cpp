#include <kestrion/store/sqlite_migrations.hpp>

#include <kestrion/store/sqlite_verify.hpp>

#include <sqlite3.h>

#include <array>
#include <chrono>
#include <thread>

namespace kestrion {

namespace {

/// Why the events have no index on (run, seq): they are a chain, newest first,
/// that starts at `runs.last_event` and goes on at `events.previous`. Every
/// append then writes to the end of the table, where an index would dirty one
/// page for each of a thousand interleaved runs. Bare SQLite, 1,000 runs up to
/// 300 events each, 750 appends of 1.5 events of 300 bytes a commit; events a
/// second, and CPU time of 300,000 events:
///   chain                                    232,000   0.9 s
///   index on (integer number of run, seq)    131,000   1.9 s
///   index on (run, seq)                       60,000   3.4 s
///   WITHOUT ROWID, key (run, seq)             31,000   7.0 s
/// The price: a query of one's own for the events of a run scans the table.
/// Reading a log follows the chain by primary key and so finds every gap.
constexpr const char* version_1 = R"sql(
CREATE TABLE runs(
  id TEXT NOT NULL UNIQUE,     -- run_…, sorts by time
  agent TEXT NOT NULL,
  status TEXT NOT NULL,
  last_seq INTEGER NOT NULL,   -- length of the log
  last_event INTEGER NOT NULL, -- events.id of the newest event
  created_at INTEGER NOT NULL, -- microseconds since 1970, UTC
  updated_at INTEGER NOT NULL,
  parent TEXT,                 -- runs.id
  tenant TEXT,
  key TEXT                     -- the caller's idempotency key
) STRICT;
CREATE INDEX runs_by_status ON runs(status, id);
CREATE INDEX runs_by_agent ON runs(agent, id);
CREATE INDEX runs_by_parent ON runs(parent, id) WHERE parent IS NOT NULL;
CREATE INDEX runs_by_time ON runs(created_at);
CREATE UNIQUE INDEX runs_by_key ON runs(agent, key) WHERE key IS NOT NULL;

CREATE TABLE events(
  id INTEGER PRIMARY KEY,      -- grows; the order of all events
  run TEXT NOT NULL,           -- runs.id
  seq INTEGER NOT NULL,        -- 1, 2, 3 … in each run
  at INTEGER NOT NULL,         -- microseconds since 1970, UTC
  type TEXT NOT NULL,
  data TEXT NOT NULL,          -- a JSON object
  blob TEXT,                   -- blobs.hash, if the data was too large for here
  previous INTEGER             -- events.id of the one before in this run
) STRICT;

CREATE TABLE blobs(
  hash TEXT NOT NULL PRIMARY KEY, -- SHA-256 of the bytes
  bytes BLOB NOT NULL
) STRICT;

CREATE TABLE snapshots(
  run TEXT NOT NULL PRIMARY KEY,
  seq INTEGER NOT NULL,
  version INTEGER NOT NULL,
  data BLOB NOT NULL
) STRICT;
)sql";

/// Several processes share the file: who works on which run, and what others
/// have to say to it.
constexpr const char* version_2 = R"sql(
ALTER TABLE runs ADD COLUMN owner INTEGER; -- owners.id

CREATE TABLE owners(
  id INTEGER PRIMARY KEY AUTOINCREMENT, -- lives while byte #id is locked
  pid INTEGER NOT NULL,
  opened_at INTEGER NOT NULL
) STRICT;

CREATE TABLE inbox(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run TEXT NOT NULL,           -- runs.id
  data TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX inbox_by_run ON inbox(run);
)sql";

/// A process may hang for ever and keep its lock: an owner also has a lease.
/// `renewed_at` is in microseconds of CLOCK_MONOTONIC, NULL for a program of
/// version 2; `lease` in microseconds, as the owner itself promised. And who
/// posts a message hears what became of it.
constexpr const char* version_3 = R"sql(
ALTER TABLE owners ADD COLUMN renewed_at INTEGER;
ALTER TABLE owners ADD COLUMN lease INTEGER;
ALTER TABLE inbox ADD COLUMN answer TEXT;
CREATE INDEX inbox_waiting ON inbox(run, id) WHERE answer IS NULL;
DROP INDEX inbox_by_run;
)sql";

/// What has a deadline is found without reading logs, and a list of several
/// statuses without sorting them all. (Runs of before have none: they are
/// looked at when they are next heard of.)
constexpr const char* version_4 = R"sql(
ALTER TABLE runs ADD COLUMN wake_at INTEGER; -- microseconds since 1970, UTC
CREATE INDEX runs_by_wake ON runs(wake_at, id) WHERE wake_at IS NOT NULL;
CREATE INDEX runs_of_parents ON runs(status, id) WHERE parent IS NOT NULL;
)sql";

/// What processes agree on beside runs: who has which part of a limit.
constexpr const char* version_5 = R"sql(
CREATE TABLE shared(
  name TEXT NOT NULL PRIMARY KEY,
  data TEXT NOT NULL
) STRICT;
)sql";

/// Each event has the hash of it and of all before it in its run, so that
/// nothing can be changed without a trace; `add_hashes` fills in those of
/// before.
constexpr const char* version_6 = R"sql(
ALTER TABLE events ADD COLUMN hash BLOB; -- SHA-256: store/log_chain.hpp
ALTER TABLE runs ADD COLUMN hash BLOB;   -- that of the newest event
)sql";

/// Never edit one that was released; append.
constexpr std::array migrations{version_1, version_2, version_3,
                                version_4, version_5, version_6};

constexpr std::int64_t hashes_since = 6;

/// Must be set before the first table exists. A page of 8 KiB holds some 25
/// events; half or double that was slower.
constexpr const char* file_format =
  "PRAGMA page_size=8192; PRAGMA auto_vacuum=NONE;";

error foreign(const std::string& path, std::string_view what) {
  return {errc::unsupported, "\"" + path + "\" is " + std::string{what}
                               + "; expected a Kestrion store or no file"};
}

/// The version in the file, 0 if the file is empty.
result<std::int64_t> check_version(sqlite_connection& db,
                                   const std::string& path) {
  const auto application = db.integer("PRAGMA application_id");
  if (!application) {
    if (application.error().code == errc::corrupt)
      return foreign(path, "no SQLite database");
    return application.error();
  }
  auto version = db.integer("PRAGMA user_version");
  if (!version)
    return version.error();
  const auto tables = db.integer("SELECT count(*) FROM sqlite_schema");
  if (!tables)
    return tables.error();
  if (*application != store_application_id) {
    if (*application != 0 || *version != 0 || *tables != 0)
      return foreign(path, "a database of another program");
    return 0;
  }
  if (*version > store_version())
    return error{errc::unsupported,
                 "\"" + path + "\" has version " + std::to_string(*version)
                   + " of the store; this program knows up to "
                   + std::to_string(store_version())};
  if (*version < 1)
    return error{errc::corrupt, "\"" + path + "\" has version "
                                  + std::to_string(*version)
                                  + " of the store; expected 1 or more"};
  return version;
}

/// SQLite reports a busy file at once here, without waiting.
result<void> switch_to_wal(sqlite_connection& db) {
  constexpr int attempts_max = 500;
  result<void> switched = db.run("PRAGMA journal_mode=WAL");
  for (int i = 1; i < attempts_max && !switched
                  && (sqlite3_errcode(db.raw()) & 0xff) == SQLITE_BUSY;
       ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
    switched = db.run("PRAGMA journal_mode=WAL");
  }
  return switched;
}

/// One step; another process may have made it in the meantime.
result<void> step(sqlite_connection& db, const std::string& path) {
  auto transaction =
    sqlite_transaction::begin(db, sqlite_transaction::mode::write);
  if (!transaction)
    return transaction.error();
  const auto version = check_version(db, path);
  if (!version)
    return version.error();
  if (*version == store_version())
    return {};
  const auto next = std::to_string(*version + 1);
  const auto stamp =
    "PRAGMA application_id=" + std::to_string(store_application_id)
    + "; PRAGMA user_version=" + next;
  if (auto ok = db.run(migrations[static_cast<std::size_t>(*version)]); !ok)
    return ok;
  if (*version + 1 == hashes_since)
    if (auto ok = add_hashes(db); !ok)
      return ok;
  if (auto ok = db.run(stamp.c_str()); !ok)
    return ok;
  return transaction->commit();
}

} // namespace

std::int64_t store_version() {
  return static_cast<std::int64_t>(migrations.size());
}

/// Of one moment: while we look, another process may create the store, and half
/// of that would look like a database of another program.
result<std::int64_t> check_version_at_once(sqlite_connection& db,
                                           const std::string& path) {
  auto transaction =
    sqlite_transaction::begin(db, sqlite_transaction::mode::read);
  if (!transaction)
    return transaction.error();
  return check_version(db, path);
}

result<void> migrate(sqlite_connection& db, const std::string& path) {
  auto version = check_version_at_once(db, path);
  if (!version)
    return version.error();
  if (*version == 0)
    if (auto ok = db.run(file_format); !ok)
      return ok;
  if (auto ok = switch_to_wal(db); !ok)
    return ok;
  while (*version < store_version()) {
    if (auto ok = step(db, path); !ok)
      return ok;
    version = check_version_at_once(db, path);
    if (!version)
      return version.error();
  }
  return {};
}

} // namespace kestrion
