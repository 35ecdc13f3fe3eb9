#pragma once

#include <kestrion/store/event_store.hpp>

#include <functional>
#include <memory>
#include <string>

namespace kestrion {

/// CLOCK_MONOTONIC: the same for all processes of one boot of one machine.
duration monotonic_now();

struct sqlite_options {
  /// What we promise the other processes: positive.
  duration lease = lease_default;
  /// The clock of leases; those who share a file share it. Must not throw.
  std::function<duration()> now = monotonic_now;
};

/// The store in a SQLite file: one connection that writes, others that read
/// beside it. Writes wait for each other, so any thread may write.
/// @param path  Of the file; its folder must exist.
/// @par Errors as `open_store`; `corrupt` if SQLite finds the file damaged.
result<std::unique_ptr<event_store>>
open_sqlite_store(const std::string& path, sqlite_options options = {});

} // namespace kestrion
