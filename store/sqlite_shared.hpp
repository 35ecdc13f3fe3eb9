#pragma once

#include <kestrion/store/sqlite_connection.hpp>

#include <functional>
#include <string>
#include <string_view>

namespace kestrion {

/// The texts that all processes of a store share.
/// @par Threading The writer's.
class sqlite_shared {
public:
  /// @param db  The writer's connection; it outlives this. @par Errors `io`
  static result<sqlite_shared> prepare(sqlite_connection& db);

  /// As the port has it.
  result<void>
  update(std::string_view name,
         const std::function<std::string(const std::string&)>& change);

private:
  explicit sqlite_shared(sqlite_connection& db) : db_(&db) {}
  result<std::string> find(std::string_view name);

  sqlite_connection* db_;
  sqlite_statement find_;
  sqlite_statement put_;
};

} // namespace kestrion
