#pragma once

#include <kestrion/store/event_store.hpp>

#include <memory>
#include <string>

namespace kestrion {

/// The store in a SQLite file: one connection that writes, others that read
/// beside it. Writes wait for each other, so any thread may write.
/// @param path  Of the file; its folder must exist.
/// @par Errors as `open_store`; `corrupt` if SQLite finds the file damaged.
result<std::unique_ptr<event_store>> open_sqlite_store(const std::string& path);

} // namespace kestrion
