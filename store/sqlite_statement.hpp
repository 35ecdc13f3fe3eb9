#pragma once

#include <kestrion/messages/digest.hpp>
#include <kestrion/messages/error.hpp>
#include <kestrion/messages/run_id.hpp>
#include <kestrion/messages/time.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace kestrion {

/// Bytes for a BLOB column; everything else that is text is bound as TEXT.
struct blob_view {
  std::string_view bytes;
};

inline blob_view blob_of(const sha256_digest& digest) {
  return {{reinterpret_cast<const char*>(digest.data()), digest.size()}};
}

/// What `db` says about its last failure, as one of our codes: `corrupt` for a
/// damaged file, `limit_exceeded` for a value that no row can hold, else `io`.
/// @param code  The (extended) result code that the failing call returned.
error sqlite_failure(sqlite3* db, int code);

/// A prepared statement, to be run any number of times.
/// @par Threading Its connection's owner only.
/// @par Source sqlite.org/c3ref/stmt.html
class sqlite_statement {
public:
  sqlite_statement() = default; ///< None; only to be assigned to.
  sqlite_statement(sqlite_statement&& other) noexcept;
  sqlite_statement& operator=(sqlite_statement&& other) noexcept;
  ~sqlite_statement();

  /// @par Errors as `sqlite_failure`
  static result<sqlite_statement> prepare(sqlite3* db, std::string_view sql);

  /// Runs a statement without result rows. Parameters are numbered from 1, in
  /// the order of `values`. @par Errors as `sqlite_failure`
  template <class... Values>
  result<void> run(const Values&... values) {
    // The values outlive this call, so SQLite need not copy them.
    reset();
    keep_copies_ = false;
    int at = 0;
    (bind(++at, values), ...);
    return finish();
  }

  /// Begins a query; copies `values`. Then `step` from row to row.
  template <class... Values>
  void start(const Values&... values) {
    reset();
    keep_copies_ = true;
    int at = 0;
    (bind(++at, values), ...);
  }

  void bind(int at, std::nullopt_t);
  void bind(int at, std::int64_t value);
  void bind(int at, std::string_view value);
  void bind(int at, const run_id& value);
  void bind(int at, timestamp value);
  void bind(int at, blob_view value);
  template <class T>
  void bind(int at, const std::optional<T>& value) {
    if (value)
      bind(at, *value);
    else
      bind(at, std::nullopt);
  }

  /// @returns True if there is a row; at the end the statement is reset.
  /// @par Errors as `sqlite_failure`; the statement is reset.
  result<bool> step();

  /// Ends a query early; the read transaction it held ends with it. What is
  /// bound stays until the next `run` or `start` binds every parameter anew.
  void reset();

  // -- columns of the row, from 0; views hold until the next step -------------

  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  std::string_view text(int column) const;
  timestamp time(int column) const;

  /// All 0 if the column has another number of bytes.
  sha256_digest digest(int column) const;

private:
  explicit sqlite_statement(sqlite3_stmt* raw) : raw_(raw) {}
  result<void> finish();
  void note(int code);

  sqlite3_stmt* raw_ = nullptr;
  int bind_code_ = 0; ///< The first failure to bind; `step` reports it.
  bool keep_copies_ = true;
};

} // namespace kestrion
