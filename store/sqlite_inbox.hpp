#pragma once

#include <kestrion/store/event_store.hpp>
#include <kestrion/store/sqlite_connection.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace kestrion {

/// The messages that processes leave for runs of others.
/// @par Threading The writer's.
/// @par Errors as the port has it
class sqlite_inbox {
public:
  /// @param db  The writer's connection; it outlives this. @par Errors `io`
  static result<sqlite_inbox> prepare(sqlite_connection& db);

  std::vector<result<std::uint64_t>>
  post_all(std::span<const inbox_post> posts);
  result<void> answer(std::span<const inbox_answer> answers);
  result<bool> take_back(std::uint64_t id);
  result<void> remove(std::span<const std::uint64_t> ids);

  // In the transaction of an append.

  /// Whether this message has no answer yet.
  result<bool> waits(std::uint64_t post);
  result<void> answer_one(const inbox_answer& x);
  /// Forgets what has no answer: the run has ended.
  result<void> clear(const run_id& run);

private:
  explicit sqlite_inbox(sqlite_connection& db) : db_(&db) {}
  result<void> post_each(std::span<const inbox_post> posts,
                         std::vector<result<std::uint64_t>>& out);
  result<run_status> find_status(const run_id& run);

  sqlite_connection* db_;
  sqlite_statement post_;
  sqlite_statement answer_;
  sqlite_statement waits_;
  sqlite_statement remove_;
  sqlite_statement clear_;
  sqlite_statement status_;
};

} // namespace kestrion
