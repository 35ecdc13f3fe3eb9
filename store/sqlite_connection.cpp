#include <kestrion/store/sqlite_connection.hpp>

#include <sqlite3.h>

#include <chrono>
#include <utility>

namespace kestrion {

namespace {

/// How long to wait for the write lock of another process.
constexpr std::chrono::milliseconds busy_max{10'000};

} // namespace

void sqlite_connection::closer::operator()(sqlite3* db) const {
  sqlite3_close_v2(db);
}

result<sqlite_connection> sqlite_connection::open(const std::string& path,
                                                  bool create) {
  // "file:…", ":memory:" and "" mean something else to SQLite; "./" prevents
  // it.
  const auto name = path.starts_with('/') ? path : "./" + path;
  sqlite3* db = nullptr;
  const int code =
    sqlite3_open_v2(name.c_str(), &db,
                    SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0)
                      | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                    nullptr);
  sqlite_connection out{db};
  if (code != SQLITE_OK)
    return error{errc::io, "the store \"" + path
                             + "\" can't be opened: " + sqlite3_errstr(code)};
  sqlite3_busy_timeout(db, static_cast<int>(busy_max.count()));
  return out;
}

result<void> sqlite_connection::run(const char* sql) {
  const int code = sqlite3_exec(raw(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK)
    return sqlite_failure(raw(), code);
  return {};
}

result<std::int64_t> sqlite_connection::integer(std::string_view sql) {
  auto statement = prepare(sql);
  if (!statement)
    return statement.error();
  const auto row = statement->step();
  if (!row)
    return row.error();
  return *row ? statement->integer(0) : 0;
}

result<sqlite_statement> sqlite_connection::prepare(std::string_view sql) {
  return sqlite_statement::prepare(raw(), sql);
}

result<sqlite_transaction> sqlite_transaction::begin(sqlite_connection& db,
                                                     mode m) {
  auto begun = db.run(m == mode::write ? "BEGIN IMMEDIATE" : "BEGIN");
  if (!begun)
    return begun.error();
  return sqlite_transaction{db};
}

sqlite_transaction::~sqlite_transaction() {
  // Some failures (disk full, I/O) have rolled back already.
  if (db_ != nullptr && sqlite3_get_autocommit(db_->raw()) == 0)
    sqlite3_exec(db_->raw(), "ROLLBACK", nullptr, nullptr, nullptr);
}

result<void> sqlite_transaction::commit() {
  auto committed = db_->run("COMMIT");
  if (committed)
    db_ = nullptr;
  return committed;
}

} // namespace kestrion
