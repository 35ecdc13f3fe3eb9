#pragma once

#include <kestrion/store/sqlite_connection.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace kestrion {

/// Reads what large texts keep beside their rows.
/// @par Threading One thread at a time, that of the connection.
class sqlite_blobs {
public:
  sqlite_blobs() = default; ///< None; only to be assigned to.
  static result<sqlite_blobs> prepare(sqlite_connection& db);

  /// @par Errors `not_found`; `corrupt` if the bytes do not have that hash;
  ///   `io`
  result<std::string> get(std::string_view hash);

  /// With the strings that were taken out of it.
  /// @par Errors as `put_payloads_in`
  result<std::string> whole_text(std::string_view text);

  /// The data of an event.
  /// @param hashes  What it needs; nothing: none.
  /// @par Errors as `put_payloads_in`
  result<std::string> whole_data(std::string_view data,
                                 const std::optional<std::string>& hashes);

private:
  sqlite_statement get_;
};

} // namespace kestrion
