#include <kestrion/store/sqlite_ownership.hpp>

#include <kestrion/store/append_rules.hpp>
#include <kestrion/store/sqlite_reader.hpp>

#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace kestrion {

namespace {

using mode = sqlite_transaction::mode;

bool is_one_of(std::span<const std::string> names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

} // namespace

result<std::unique_ptr<sqlite_ownership>>
sqlite_ownership::take_up(sqlite_connection& db) {
  // SQLite's name of the file: whatever path leads to it, the locks are one.
  const std::string file = sqlite3_db_filename(db.raw(), "main");
  auto locks = owner_locks::open(file + "-owners");
  if (!locks)
    return locks.error();
  std::unique_ptr<sqlite_ownership> out{
    new sqlite_ownership{db, std::move(*locks)}};
  if (auto ok = out->prepare_all(); !ok)
    return ok.error();
  if (auto ok = out->enter(); !ok)
    return ok.error();
  return out;
}

result<void> sqlite_ownership::prepare_all() {
  const std::pair<sqlite_statement*, std::string> all[] = {
    {&owner_, "SELECT rowid, ifnull(owner, 0), status FROM runs WHERE id = ?"},
    {&describe_, "SELECT pid FROM owners WHERE id = ?"},
    {&set_owner_, "UPDATE runs SET owner = ? WHERE rowid = ?"},
    {&release_, "UPDATE runs SET owner = NULL WHERE id = ? AND owner = ?"},
    {&unfinished_, "SELECT " + std::string{run_columns}
                     + ", rowid, ifnull(owner, 0) FROM runs WHERE status IN "
                       "('pending', 'running') AND id > ? ORDER BY id"},
  };
  for (const auto& [statement, sql] : all) {
    auto prepared = db_.prepare(sql);
    if (!prepared)
      return prepared.error();
    *statement = std::move(*prepared);
  }
  return {};
}

/// Enters our row; the lock is ours before anybody sees the row.
result<void> sqlite_ownership::enter() {
  auto transaction = sqlite_transaction::begin(db_, mode::write);
  if (!transaction)
    return transaction.error();
  if (auto ok = forget_dead(); !ok)
    return ok;
  auto insert = db_.prepare("INSERT INTO owners(pid, opened_at) VALUES(?,?)");
  if (!insert)
    return insert.error();
  bool taken = false;
  while (!taken) { // Somebody may still hold bytes of a database that is gone.
    if (auto ok = insert->run(std::int64_t{::getpid()}, system_now()); !ok)
      return ok;
    id_ = sqlite3_last_insert_rowid(db_.raw());
    const auto lock = locks_.take(id_);
    if (!lock)
      return lock.error();
    taken = *lock;
  }
  return transaction->commit();
}

/// Keeps the table small. Ids are not used twice, so that what a dead owner
/// leaves in `runs.owner` names nobody for ever.
result<void> sqlite_ownership::forget_dead() {
  auto owners = db_.prepare("SELECT id FROM owners");
  if (!owners)
    return owners.error();
  auto forget = db_.prepare("DELETE FROM owners WHERE id = ?");
  if (!forget)
    return forget.error();
  std::vector<std::int64_t> dead;
  while (true) {
    const auto found = owners->step();
    if (!found)
      return found.error();
    if (!*found)
      break;
    const auto id = owners->integer(0);
    const auto alive = locks_.is_taken(id);
    if (!alive)
      return alive.error();
    if (!*alive)
      dead.push_back(id);
  }
  for (const auto id : dead)
    if (auto ok = forget->run(id); !ok)
      return ok;
  return {};
}

result<bool> sqlite_ownership::is_ours_or_free(std::int64_t owner) const {
  if (owner == 0 || owner == id_)
    return true;
  const auto alive = locks_.is_taken(owner);
  if (!alive)
    return alive.error();
  return !*alive;
}

result<void> sqlite_ownership::check(const run_id& run, std::int64_t owner) {
  const auto fits = is_ours_or_free(owner);
  if (!fits)
    return fits.error();
  if (*fits)
    return {};
  describe_.start(owner);
  const auto found = describe_.step();
  if (!found)
    return found.error();
  const auto pid = *found ? describe_.integer(0) : 0;
  describe_.reset();
  return error{errc::conflict, run.str() + " belongs to owner "
                                 + std::to_string(owner) + ", process "
                                 + std::to_string(pid) + "; we are owner "
                                 + std::to_string(id_)};
}

result<bool> sqlite_ownership::claim(const run_id& run) {
  auto transaction = sqlite_transaction::begin(db_, mode::write);
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
  if (!ours || !*ours || owner == id_ || is_at_rest(*status))
    return ours;
  if (auto ok = set_owner_.run(id_, row); !ok)
    return ok.error();
  if (auto ok = transaction->commit(); !ok)
    return ok.error();
  return true;
}

result<void> sqlite_ownership::release(const run_id& run) {
  return release_.run(run, id_);
}

result<std::vector<run_row>>
sqlite_ownership::claim_unfinished(std::span<const std::string> agents,
                                   const std::optional<run_id>& after,
                                   std::size_t limit) {
  auto transaction = sqlite_transaction::begin(db_, mode::write);
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
    const auto owner = unfinished_.integer(10);
    const auto fits = is_ours_or_free(owner);
    auto row = run_row_of(unfinished_);
    if (!row || !fits) {
      unfinished_.reset();
      return !row ? row.error() : fits.error();
    }
    if (!*fits || !is_one_of(agents, row->agent))
      continue;
    out.push_back(std::move(*row));
    if (owner != id_)
      new_rows.push_back(unfinished_.integer(9));
  }
  unfinished_.reset();
  for (const auto row : new_rows)
    if (auto ok = set_owner_.run(id_, row); !ok)
      return ok.error();
  if (auto ok = transaction->commit(); !ok)
    return ok.error();
  return out;
}

} // namespace kestrion
