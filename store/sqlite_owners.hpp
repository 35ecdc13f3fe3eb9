#pragma once

#include <kestrion/store/owner_locks.hpp>
#include <kestrion/store/sqlite_connection.hpp>
#include <kestrion/store/sqlite_store.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace kestrion {

class sqlite_owners;

/// A write transaction of an owner: in it our row exists and our lease is good.
/// Rolls back unless it was committed; then we are again who we were before.
class owner_transaction {
public:
  owner_transaction(owner_transaction&& other) noexcept
    : owners_(std::exchange(other.owners_, nullptr)), before_(other.before_),
      inner_(std::move(other.inner_)) {}
  owner_transaction& operator=(owner_transaction&&) = delete;
  ~owner_transaction();

  /// @par Errors as `sqlite_transaction`
  result<void> commit();

private:
  friend class sqlite_owners;
  owner_transaction(sqlite_owners& owners, sqlite_transaction inner);

  sqlite_owners* owners_;
  std::int64_t before_; ///< Our id when it began.
  sqlite_transaction inner_;
};

/// What the others know of an owner.
struct living_owner {
  std::int64_t id = 0;
  std::int64_t pid = 0;
  /// Since it last renewed; nothing: a program of version 2, without leases.
  std::optional<duration> age;
};

/// "owner 3, process 4711, which renewed its lease 0.250 s ago"
std::string to_string(const living_owner& owner);

/// The owners of one store: who we are among them, and who of the others lives.
///
/// An owner is a row in `owners`; its id is the number of a byte in the file
/// `<database>-owners` that it has locked, and is never used twice. It is dead
/// to the others as soon as the lock is free, the lease has run out, or the row
/// is gone. One that was only slow finds its row, or enters again under a new
/// id and takes along what still bears the old one.
///
/// Whether a lease is good is only ever asked inside a write transaction, in
/// which nobody else renews, enters or takes; so two never answer it for one
/// run at a time.
/// @par Threading The writer's, except for `id`.
class sqlite_owners {
public:
  /// Becomes an owner, and removes the rows of dead ones.
  /// @param db  The writer's connection; outlives this.
  /// @par Errors `io`, `corrupt`
  static result<std::unique_ptr<sqlite_owners>> enter(sqlite_connection& db,
                                                      sqlite_options options);

  /// Of our row; another one after we were taken for dead.
  /// @par Threading Any thread.
  std::int64_t id() const { return id_; }

  /// Enters again if our row is gone, and renews in passing a lease of which
  /// half is over: nobody takes a run under a lease that has run out.
  /// @par Errors `io`, `corrupt`
  result<owner_transaction> begin();

  /// @par Errors `io`, `corrupt`
  result<void> renew();

  /// @param id  Another one's; 0 is nobody's.
  /// @returns Nothing if that owner is dead to us.
  /// @par Errors `io`, `corrupt`. In a write transaction only.
  result<std::optional<living_owner>> find_living(std::int64_t id);

private:
  friend class owner_transaction;
  /// A row, as it stands now.
  struct entry {
    living_owner owner;
    duration lease{};
  };
  sqlite_owners(sqlite_connection& db, owner_locks locks,
                sqlite_options options)
    : db_(db), locks_(std::move(locks)), options_(std::move(options)) {}
  result<void> prepare_all();
  result<std::optional<entry>> find(std::int64_t id);
  result<void> stay();
  result<void> add_us();
  result<void> forget_dead();
  result<void> write_renewal();

  sqlite_connection& db_;
  owner_locks locks_;
  const sqlite_options options_;
  std::atomic<std::int64_t> id_{0};
  sqlite_statement find_;
  sqlite_statement insert_;
  sqlite_statement forget_;
  sqlite_statement renew_;
  sqlite_statement take_along_;
};

} // namespace kestrion
