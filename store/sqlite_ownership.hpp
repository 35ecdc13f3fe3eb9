#pragma once

#include <kestrion/store/event_store.hpp>
#include <kestrion/store/sqlite_connection.hpp>
#include <kestrion/store/sqlite_owners.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace kestrion {

/// Which runs are ours: `runs.owner` names a row of `owners`. What a dead owner
/// has is free; nobody has to tidy up after it.
/// @par Threading The writer's.
class sqlite_ownership {
public:
  /// @param db  The writer's connection; it and `owners` outlive this.
  /// @par Errors `io`, `corrupt`
  static result<std::unique_ptr<sqlite_ownership>>
  prepare(sqlite_connection& db, sqlite_owners& owners);

  /// @param owner  The value of `runs.owner`, 0 for none.
  /// @par Errors `conflict`, with a sentence that names the owner, unless the
  ///   run is ours or free; `io`. In a transaction of `owners` only.
  result<void> check(const run_id& run, std::int64_t owner);

  result<bool> claim(const run_id& run);
  result<void> release(const run_id& run);
  result<std::vector<run_row>>
  claim_unfinished(std::span<const std::string> agents,
                   const std::optional<run_id>& after, std::size_t limit);

private:
  explicit sqlite_ownership(sqlite_owners& owners) : owners_(owners) {}
  result<void> prepare_all(sqlite_connection& db);
  result<bool> is_ours_or_free(std::int64_t owner);

  sqlite_owners& owners_;
  sqlite_statement owner_;
  sqlite_statement set_owner_;
  sqlite_statement release_;
  sqlite_statement unfinished_;
};

} // namespace kestrion
