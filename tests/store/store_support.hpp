#pragma once

#include <kestrion/tests/support/temp_folder.hpp>

#include <kestrion/store/event_store.hpp>

#include <sqlite3.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>

namespace kestrion::test {

/// The agents of all runs here.
inline const std::vector<std::string> all_agents{"ops"};

/// The n-th run; ids grow with n.
inline run_id run_number(std::uint64_t n) {
  return run_id::make(timestamp{}, 0, n);
}

inline timestamp at(std::int64_t microseconds) {
  return timestamp{duration{microseconds}};
}

inline encoded_event event_of(std::string data, timestamp when = at(1)) {
  return {when, "message_received", std::move(data)};
}

/// The first append of a run, with one event.
inline append_request first_append(const run_id& run,
                                   std::string data = R"({"n":1})") {
  append_request out;
  out.run = run;
  out.events.push_back(event_of(std::move(data)));
  out.status = run_status::running;
  out.created.emplace();
  out.created->agent = "ops";
  return out;
}

inline append_request next_append(const run_id& run, std::uint64_t seq,
                                  std::string data = "{}") {
  append_request out;
  out.run = run;
  out.expected_seq = seq;
  out.events.push_back(event_of(std::move(data)));
  out.status = run_status::running;
  return out;
}

inline result<std::uint64_t> append(event_store& store,
                                    const append_request& request) {
  return store.append({&request, 1}).at(0);
}

/// What somebody does to the file with the sqlite3 shell.
inline void run_sql(const std::string& file, const std::string& sql) {
  sqlite3* db = nullptr;
  const bool ok =
    sqlite3_open(file.c_str(), &db) == SQLITE_OK
    && sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
  const std::string message = sqlite3_errmsg(db);
  sqlite3_close(db);
  if (!ok)
    throw std::runtime_error(sql + ": " + message);
}

/// The first column of the first row, as text.
inline std::string ask_sql(const std::string& file, const std::string& sql) {
  sqlite3* db = nullptr;
  sqlite3_stmt* query = nullptr;
  std::string out = "no row";
  if (sqlite3_open(file.c_str(), &db) == SQLITE_OK
      && sqlite3_prepare_v2(db, sql.c_str(), -1, &query, nullptr) == SQLITE_OK
      && sqlite3_step(query) == SQLITE_ROW
      && sqlite3_column_text(query, 0) != nullptr)
    out = reinterpret_cast<const char*>(sqlite3_column_text(query, 0));
  sqlite3_finalize(query);
  sqlite3_close(db);
  return out;
}

/// The contract's two parties.
struct memory_store_maker {
  std::unique_ptr<event_store> store = open_store("memory:").value();
};

struct sqlite_store_maker {
  temp_folder folder;
  std::unique_ptr<event_store> store =
    open_store("sqlite:///" + (folder / "runs.db")).value();
};

} // namespace kestrion::test
