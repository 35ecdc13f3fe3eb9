#pragma once

#include <kestrion/store/event_store.hpp>
#include <kestrion/store/owner_locks.hpp>
#include <kestrion/store/sqlite_connection.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace kestrion {

/// Which runs are ours: an opened store is a row in `owners` that lives while
/// its byte in the file `<database>-owners` is locked, and `runs.owner` names
/// such a row. A dead owner's runs are free; nobody has to tidy up after it.
/// @par Threading The writer's.
class sqlite_ownership {
public:
  /// Becomes an owner. @param db  The writer's connection; outlives this.
  /// @par Errors `io`, `corrupt`
  static result<std::unique_ptr<sqlite_ownership>>
  take_up(sqlite_connection& db);

  /// Of our row in `owners`.
  std::int64_t id() const { return id_; }

  /// @param owner  The value of `runs.owner`, 0 for none.
  /// @par Errors `conflict`, with a sentence that names the owner, unless the
  ///   run is ours or free; `io`. In a write transaction only.
  result<void> check(const run_id& run, std::int64_t owner);

  result<bool> claim(const run_id& run);
  result<void> release(const run_id& run);
  result<std::vector<run_row>>
  claim_unfinished(std::span<const std::string> agents,
                   const std::optional<run_id>& after, std::size_t limit);

private:
  sqlite_ownership(sqlite_connection& db, owner_locks locks)
    : db_(db), locks_(std::move(locks)) {}
  result<void> enter();
  result<void> forget_dead();
  result<void> prepare_all();
  result<bool> is_ours_or_free(std::int64_t owner) const;

  sqlite_connection& db_;
  owner_locks locks_;
  std::int64_t id_ = 0;
  sqlite_statement owner_;
  sqlite_statement describe_;
  sqlite_statement set_owner_;
  sqlite_statement release_;
  sqlite_statement unfinished_;
};

} // namespace kestrion
