#pragma once

#include <kestrion/messages/error.hpp>
#include <kestrion/scheduler/zone_rule.hpp>

#include <optional>
#include <string_view>

namespace date {
class time_zone;
} // namespace date

namespace kestrion {

/// A zone of the system's time zone database, as it was when the program first
/// asked for one. Copies are cheap.
/// @par Threading Any thread.
/// @par Source IANA's tz database, Debian's package tzdata; RFC 8536 §3.3 (the
///   rule in a file's footer, for times after those that it lists)
class time_zone {
public:
  time_zone() = default; ///< UTC, which needs no database.

  /// @param name  "UTC", "Europe/Berlin": case matters.
  /// @par Errors `invalid_argument` for a name that the database does not
  ///   have; `io` if there is no database
  static result<time_zone> find(std::string_view name);

  /// The period that `t` lies in.
  zone_period at(timestamp t) const;

private:
  const date::time_zone* zone_ = nullptr; ///< Lives as long as the program.
  std::optional<zone_rule> rule_ = {};    ///< After the changes that it lists.
};

} // namespace kestrion
