#include <kestrion/store/sqlite_owners.hpp>

#include <kestrion/messages/time.hpp>

#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <vector>

namespace kestrion {

namespace {

/// "0.250 s"
std::string in_seconds(duration d) {
  const auto ms = std::chrono::floor<std::chrono::milliseconds>(d).count();
  auto fraction = std::to_string(ms % 1'000);
  fraction.insert(0, 3 - fraction.size(), '0');
  return std::to_string(ms / 1'000) + "." + fraction + " s";
}

} // namespace

std::string to_string(const living_owner& owner) {
  const auto name = "owner " + std::to_string(owner.id) + ", process "
                    + std::to_string(owner.pid);
  if (!owner.age)
    return name + ", a program without leases";
  return name + ", which renewed its lease " + in_seconds(*owner.age) + " ago";
}

duration monotonic_now() {
  // Not std::chrono::steady_clock: processes compare what it says, so it must
  // be this very clock.
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::chrono::floor<duration>(std::chrono::seconds{now.tv_sec}
                                      + std::chrono::nanoseconds{now.tv_nsec});
}

owner_transaction::owner_transaction(sqlite_owners& owners,
                                     sqlite_transaction inner)
  : owners_(&owners), before_(owners.id_), inner_(std::move(inner)) {}

owner_transaction::~owner_transaction() {
  if (owners_ == nullptr || owners_->id_ == before_)
    return;
  owners_->locks_.drop(owners_->id_);
  owners_->id_ = before_;
}

result<void> owner_transaction::commit() {
  auto committed = inner_.commit();
  if (!committed)
    return committed;
  if (owners_->id_ != before_)
    owners_->locks_.drop(before_); // Its row is gone, so it says nothing.
  owners_ = nullptr;
  return {};
}

result<std::unique_ptr<sqlite_owners>>
sqlite_owners::enter(sqlite_connection& db, sqlite_options options) {
  // SQLite's name of the file: whatever path leads to it, the locks are one.
  const std::string file = sqlite3_db_filename(db.raw(), "main");
  auto locks = owner_locks::open(file + "-owners");
  if (!locks)
    return locks.error();
  std::unique_ptr<sqlite_owners> out{
    new sqlite_owners{db, std::move(*locks), std::move(options)}};
  if (auto ok = out->prepare_all(); !ok)
    return ok.error();
  auto transaction = out->begin();
  if (!transaction)
    return transaction.error();
  if (auto ok = out->forget_dead(); !ok)
    return ok.error();
  if (auto ok = transaction->commit(); !ok)
    return ok.error();
  return out;
}

result<void> sqlite_owners::prepare_all() {
  const std::pair<sqlite_statement*, std::string_view> all[] = {
    {&find_, "SELECT pid, renewed_at, lease FROM owners WHERE id = ?"},
    {&insert_, "INSERT INTO owners(pid, opened_at, renewed_at, lease) "
               "VALUES(?,?,?,?)"},
    {&forget_, "DELETE FROM owners WHERE id = ?"},
    {&renew_, "UPDATE owners SET renewed_at = ? WHERE id = ?"},
    {&take_along_, "UPDATE runs SET owner = ? WHERE owner = ?"},
  };
  for (const auto& [statement, sql] : all) {
    auto prepared = db_.prepare(sql);
    if (!prepared)
      return prepared.error();
    *statement = std::move(*prepared);
  }
  return {};
}

result<owner_transaction> sqlite_owners::begin() {
  auto inner = sqlite_transaction::begin(db_, sqlite_transaction::mode::write);
  if (!inner)
    return inner.error();
  owner_transaction out{*this, std::move(*inner)};
  if (auto ok = stay(); !ok)
    return ok.error();
  return out;
}

result<void> sqlite_owners::renew() {
  auto transaction = begin();
  if (!transaction)
    return transaction.error();
  if (auto ok = write_renewal(); !ok)
    return ok;
  return transaction->commit();
}

result<void> sqlite_owners::write_renewal() {
  return renew_.run(options_.now().count(), id_.load());
}

/// Nobody is an owner under an id whose row is gone: to the others it is free.
result<void> sqlite_owners::stay() {
  const auto us = find(id_);
  if (!us)
    return us.error();
  if (!*us)
    return add_us();
  if (const auto age = (*us)->owner.age; !age || *age >= options_.lease / 2)
    return write_renewal();
  return {};
}

/// The lock is ours before anybody sees the row. What we owned under another id
/// is ours under the new one, unless somebody took it in between.
result<void> sqlite_owners::add_us() {
  const auto before = id_.load();
  for (bool taken = false; !taken;) {
    if (auto ok = insert_.run(std::int64_t{::getpid()}, system_now(),
                              options_.now().count(), options_.lease.count());
        !ok)
      return ok;
    const auto id = sqlite3_last_insert_rowid(db_.raw());
    const auto lock = locks_.take(id);
    if (!lock)
      return lock.error();
    taken = *lock;
    if (taken)
      id_ = id;
    else if (auto ok = forget_.run(id); !ok)
      return ok; // Else pass over a byte of a database that is gone.
  }
  if (before == 0)
    return {};
  return take_along_.run(id_.load(), before);
}

/// Keeps the table small. Ids are not used twice, so that what a dead owner
/// leaves in `runs.owner` names nobody for ever.
result<void> sqlite_owners::forget_dead() {
  auto owners = db_.prepare("SELECT id FROM owners WHERE id <> ?");
  if (!owners)
    return owners.error();
  std::vector<std::int64_t> others;
  owners->start(id_.load());
  while (true) {
    const auto found = owners->step();
    if (!found)
      return found.error();
    if (!*found)
      break;
    others.push_back(owners->integer(0));
  }
  for (const auto id : others) {
    const auto living = find_living(id);
    if (!living)
      return living.error();
    if (!*living)
      if (auto ok = forget_.run(id); !ok)
        return ok;
  }
  return {};
}

result<std::optional<sqlite_owners::entry>>
sqlite_owners::find(std::int64_t id) {
  find_.start(id);
  const auto found = find_.step();
  if (!found)
    return found.error();
  if (!*found)
    return std::optional<entry>{};
  entry out{{id, find_.integer(0), {}}, duration{find_.integer(2)}};
  if (!find_.is_null(1)) {
    // What lies in the future is of another boot; there the lock decides.
    const auto now = std::max(options_.now(), duration{});
    const duration renewed{find_.integer(1)};
    out.owner.age = now - std::clamp(renewed, duration{}, now);
  }
  find_.reset();
  return std::optional{out};
}

result<std::optional<living_owner>>
sqlite_owners::find_living(std::int64_t id) {
  const std::optional<living_owner> dead;
  if (id == 0)
    return dead;
  const auto found = find(id);
  if (!found)
    return found.error();
  if (!*found)
    return dead;
  const auto& [owner, lease] = **found;
  if (owner.age && *owner.age >= lease)
    return dead;
  const auto locked = locks_.is_taken(id);
  if (!locked)
    return locked.error();
  return *locked ? std::optional{owner} : dead;
}

} // namespace kestrion
