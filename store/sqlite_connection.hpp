#pragma once

#include <kestrion/store/sqlite_statement.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace kestrion {

/// One connection to a database file. @par Threading One thread at a time.
class sqlite_connection {
public:
  /// @param create  If there is no such file: make one, or fail.
  /// @par Errors `io` if it can't be opened; the file's content is not looked
  ///   at yet.
  static result<sqlite_connection> open(const std::string& path, bool create);

  /// Runs SQL without parameters and results, one statement or more.
  /// @par Errors as `sqlite_failure`
  result<void> run(const char* sql);

  /// The first column of the first row: a pragma's value, a count.
  /// @par Errors as `sqlite_failure`
  result<std::int64_t> integer(std::string_view sql);

  /// @par Errors as `sqlite_failure`
  result<sqlite_statement> prepare(std::string_view sql);

  sqlite3* raw() const { return db_.get(); }

private:
  struct closer {
    void operator()(sqlite3* db) const;
  };
  explicit sqlite_connection(sqlite3* db) : db_(db) {}
  std::unique_ptr<sqlite3, closer> db_;
};

/// A transaction that rolls back unless it was committed.
class sqlite_transaction {
public:
  /// `read` sees one state of the file throughout; `write` also has the file's
  /// only write lock from the start on, so nothing it reads is stale.
  enum class mode : std::uint8_t { read, write };

  /// @par Errors `io`, also if another process keeps the lock for too long.
  static result<sqlite_transaction> begin(sqlite_connection& db, mode m);

  sqlite_transaction(sqlite_transaction&& other) noexcept
    : db_(std::exchange(other.db_, nullptr)) {}
  sqlite_transaction& operator=(sqlite_transaction&&) = delete;
  ~sqlite_transaction();

  /// After this, what was written survives a power loss. @par Errors `io`, and
  /// all is rolled back.
  result<void> commit();

private:
  explicit sqlite_transaction(sqlite_connection& db) : db_(&db) {}
  sqlite_connection* db_;
};

} // namespace kestrion
