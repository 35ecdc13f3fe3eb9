#pragma once

#include <kestrion/store/event_store.hpp>
#include <kestrion/store/sqlite_blobs.hpp>
#include <kestrion/store/sqlite_connection.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kestrion {

/// What `run_row_of` reads, in its order.
inline constexpr std::string_view run_columns =
  "id, agent, status, last_seq, created_at, updated_at, parent, tenant, key, "
  "wake_at";

/// @par Errors `corrupt` if no status has that name.
result<run_status> status_of(std::string_view name);

/// The run in the current row of a query for `run_columns`.
/// @par Errors `corrupt`: an id or a status that is none.
result<run_row> run_row_of(const sqlite_statement& row);

/// The reading half of the store, on a connection of its own: never waits for
/// the writer, sees what is committed.
/// @par Threading One thread at a time.
/// @par Errors as the port has it
class sqlite_reader {
public:
  static result<std::unique_ptr<sqlite_reader>> open(const std::string& path);

  result<std::vector<stored_event>> read(const run_id& run,
                                         std::uint64_t after_seq);
  result<log_check> verify(const run_id& run); ///< In sqlite_verify.cpp.
  result<std::optional<run_row>> find(const run_id& run);
  result<std::optional<run_row>> find_by_key(std::string_view agent,
                                             std::string_view key);
  result<std::vector<run_row>> list(const run_query& query);
  result<std::vector<run_row>>
  due(timestamp now, const std::optional<run_row>& after, std::size_t limit);
  result<std::optional<timestamp>> next_wake(timestamp now);
  result<std::optional<snapshot>> find_snapshot(const run_id& run);
  result<std::string> get_blob(std::string_view hash) {
    return blobs_.get(hash);
  }
  result<std::vector<inbox_item>> inbox(std::int64_t owner);
  result<std::optional<std::string>> find_answer(std::uint64_t id);

private:
  explicit sqlite_reader(sqlite_connection db) : db_(std::move(db)) {}
  result<void> prepare_all();
  result<std::vector<stored_event>> read_chain(const run_id& run,
                                               std::uint64_t after_seq);
  result<stored_event> read_event(const run_id& run, std::uint64_t seq,
                                  std::int64_t& id);

  sqlite_connection db_;
  sqlite_blobs blobs_;
  sqlite_statement find_;
  sqlite_statement find_by_key_;
  sqlite_statement end_of_log_;
  sqlite_statement event_;
  sqlite_statement due_;
  sqlite_statement next_wake_;
  sqlite_statement snapshot_;
  sqlite_statement inbox_;
  sqlite_statement answer_;
};

} // namespace kestrion
