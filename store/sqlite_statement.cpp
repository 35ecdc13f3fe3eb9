#include <kestrion/store/sqlite_statement.hpp>

#include <sqlite3.h>

#include <algorithm>
#include <utility>

namespace kestrion {

namespace {

errc code_of(int sqlite_code) {
  switch (sqlite_code & 0xff) { // the primary code of an extended one
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return errc::corrupt;
    case SQLITE_TOOBIG: return errc::limit_exceeded;
    default: return errc::io;
  }
}

} // namespace

error sqlite_failure(sqlite3* db, int code) {
  const char* file = sqlite3_db_filename(db, "main");
  std::string detail = "the store \"";
  detail += file == nullptr ? "" : file;
  detail += "\": ";
  detail += sqlite3_errstr(code);
  // errmsg adds names where it speaks of the same failure.
  if (sqlite3_extended_errcode(db) == code
      && std::string_view{sqlite3_errmsg(db)} != sqlite3_errstr(code)) {
    detail += ": ";
    detail += sqlite3_errmsg(db);
  }
  detail += " (SQLite code " + std::to_string(code) + ")";
  return {code_of(code), std::move(detail)};
}

sqlite_statement::sqlite_statement(sqlite_statement&& other) noexcept
  : raw_(std::exchange(other.raw_, nullptr)), bind_code_(other.bind_code_),
    keep_copies_(other.keep_copies_) {}

sqlite_statement&
sqlite_statement::operator=(sqlite_statement&& other) noexcept {
  std::swap(raw_, other.raw_);
  std::swap(bind_code_, other.bind_code_);
  std::swap(keep_copies_, other.keep_copies_);
  return *this;
}

sqlite_statement::~sqlite_statement() {
  sqlite3_finalize(raw_);
}

result<sqlite_statement> sqlite_statement::prepare(sqlite3* db,
                                                   std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const int code =
    sqlite3_prepare_v3(db, sql.data(), static_cast<int>(sql.size()),
                       SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  if (code != SQLITE_OK)
    return sqlite_failure(db, code);
  return sqlite_statement{raw};
}

void sqlite_statement::bind(int at, std::nullopt_t) {
  note(sqlite3_bind_null(raw_, at));
}

void sqlite_statement::bind(int at, std::int64_t value) {
  note(sqlite3_bind_int64(raw_, at, value));
}

void sqlite_statement::bind(int at, std::string_view value) {
  // A null pointer would bind NULL, which an empty view is not.
  note(sqlite3_bind_text64(
    raw_, at, value.empty() ? "" : value.data(), value.size(),
    keep_copies_ ? SQLITE_TRANSIENT : SQLITE_STATIC, SQLITE_UTF8));
}

void sqlite_statement::bind(int at, const run_id& value) {
  const auto text = value.str();
  note(sqlite3_bind_text64(raw_, at, text.data(), text.size(), SQLITE_TRANSIENT,
                           SQLITE_UTF8));
}

void sqlite_statement::bind(int at, timestamp value) {
  bind(at, std::int64_t{value.time_since_epoch().count()});
}

void sqlite_statement::bind(int at, blob_view value) {
  note(sqlite3_bind_blob64(
    raw_, at, value.bytes.empty() ? "" : value.bytes.data(), value.bytes.size(),
    keep_copies_ ? SQLITE_TRANSIENT : SQLITE_STATIC));
}

result<bool> sqlite_statement::step() {
  const int code = bind_code_ != SQLITE_OK ? bind_code_ : sqlite3_step(raw_);
  if (code == SQLITE_ROW)
    return true;
  if (code == SQLITE_DONE) {
    reset();
    return false;
  }
  auto failure = sqlite_failure(sqlite3_db_handle(raw_), code);
  reset();
  return failure;
}

result<void> sqlite_statement::finish() {
  while (true) {
    const auto row = step();
    if (!row)
      return row.error();
    if (!*row)
      return {};
  }
}

void sqlite_statement::reset() {
  sqlite3_reset(raw_);
  bind_code_ = SQLITE_OK;
}

void sqlite_statement::note(int code) {
  if (bind_code_ == SQLITE_OK)
    bind_code_ = code;
}

bool sqlite_statement::is_null(int column) const {
  return sqlite3_column_type(raw_, column) == SQLITE_NULL;
}

std::int64_t sqlite_statement::integer(int column) const {
  return sqlite3_column_int64(raw_, column);
}

std::string_view sqlite_statement::text(int column) const {
  const auto* bytes = sqlite3_column_blob(raw_, column);
  const int size = sqlite3_column_bytes(raw_, column);
  return {static_cast<const char*>(bytes), static_cast<std::size_t>(size)};
}

timestamp sqlite_statement::time(int column) const {
  return timestamp{timestamp::duration{integer(column)}};
}

sha256_digest sqlite_statement::digest(int column) const {
  sha256_digest out{};
  if (const auto bytes = text(column); bytes.size() == out.size())
    std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

} // namespace kestrion
