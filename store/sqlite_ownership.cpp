#include <kestrion/store/sqlite_ownership.hpp>

#include <kestrion/store/append_rules.hpp>
#include <kestrion/store/sqlite_reader.hpp>

#include <algorithm>
#include <utility>

namespace kestrion {

namespace {

bool is_one_of(std::span<const std::string> names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

} // namespace

result<std::unique_ptr<sqlite_ownership>>
sqlite_ownership::prepare(sqlite_connection& db, sqlite_owners& owners) {
  std::unique_ptr<sqlite_ownership> out{new sqlite_ownership{owners}};
  if (auto ok = out->prepare_all(db); !ok)
    return ok.error();
  return out;
}

result<void> sqlite_ownership::prepare_all(sqlite_connection& db) {
  const auto unfinished =
    "SELECT " + std::string{run_columns}
    + ", rowid, ifnull(owner, 0) FROM runs WHERE status = ";
  const std::pair<sqlite_statement*, std::string> all[] = {
    {&owner_, "SELECT rowid, ifnull(owner, 0), status FROM runs WHERE id = ?"},
    {&set_owner_, "UPDATE runs SET owner = ? WHERE rowid = ?"},
    {&release_, "UPDATE runs SET owner = NULL WHERE id = ? AND owner = ?"},
    // Each half is in order by its index: they are merged, not sorted.
    {&unfinished_, unfinished + "'pending' AND id > ?1 UNION ALL " + unfinished
                     + "'running' AND id > ?1 ORDER BY id"},
  };
  for (const auto& [statement, sql] : all) {
    auto prepared = db.prepare(sql);
    if (!prepared)
      return prepared.error();
    *statement = std::move(*prepared);
  }
  return {};
}

result<bool> sqlite_ownership::is_ours_or_free(std::int64_t owner) {
  if (owner == 0 || owner == owners_.id())
    return true;
  const auto living = owners_.find_living(owner);
  if (!living)
    return living.error();
  return !*living;
}

result<void> sqlite_ownership::check(const run_id& run, std::int64_t owner) {
  if (owner == owners_.id())
    return {};
  const auto living = owners_.find_living(owner);
  if (!living)
    return living.error();
  if (!*living)
    return {};
  return error{errc::conflict, run.str() + " belongs to " + to_string(**living)
                                 + "; we are owner "
                                 + std::to_string(owners_.id())};
}

result<bool> sqlite_ownership::claim(const run_id& run) {
  auto transaction = owners_.begin();
  if (!transaction)
    return transaction.error();
  owner_.start(run);
  const auto found = owner_.step();
  if (!found)
    return found.error();
  if (!*found)
    return no_run(run);
  const auto row = owner_.integer(0);
  const auto owner = owner_.integer(1);
  const auto status = status_of(owner_.text(2));
  owner_.reset();
  if (!status)
    return error{errc::corrupt,
                 "the row of " + run.str() + ": " + status.error().detail};
  auto ours = is_ours_or_free(owner);
  if (!ours || !*ours)
    return ours;
  if (owner != owners_.id() && !is_at_rest(*status))
    if (auto ok = set_owner_.run(owners_.id(), row); !ok)
      return ok.error();
  // Also if nothing changed: what made us an owner again must last.
  if (auto ok = transaction->commit(); !ok)
    return ok.error();
  return true;
}

result<void> sqlite_ownership::release(const run_id& run) {
  return release_.run(run, owners_.id());
}

result<std::vector<run_row>>
sqlite_ownership::claim_unfinished(std::span<const std::string> agents,
                                   const std::optional<run_id>& after,
                                   std::size_t limit) {
  auto transaction = owners_.begin();
  if (!transaction)
    return transaction.error();
  std::vector<run_row> out;
  std::vector<std::int64_t> new_rows;
  unfinished_.start(after ? after->str() : std::string{});
  while (out.size() < limit) {
    const auto found = unfinished_.step();
    if (!found)
      return found.error();
    if (!*found)
      break;
    const auto owner = unfinished_.integer(11);
    const auto fits = is_ours_or_free(owner);
    auto row = run_row_of(unfinished_);
    if (!row || !fits) {
      unfinished_.reset();
      return !row ? row.error() : fits.error();
    }
    if (!*fits || !is_one_of(agents, row->agent))
      continue;
    out.push_back(std::move(*row));
    if (owner != owners_.id())
      new_rows.push_back(unfinished_.integer(10));
  }
  unfinished_.reset();
  for (const auto row : new_rows)
    if (auto ok = set_owner_.run(owners_.id(), row); !ok)
      return ok.error();
  if (auto ok = transaction->commit(); !ok)
    return ok.error();
  return out;
}

} // namespace kestrion
