#pragma once

#include <kestrion/messages/error.hpp>

#include <boost/json/value.hpp>

#include <functional>
#include <set>
#include <string>

namespace kestrion::detail {

/// Which texts the validator would match against regular expressions.
struct schema_facts {
  bool matches_anything = false;
  std::set<std::string, std::less<>> matched_members; ///< Else these, anywhere.
};

/// Refuses what the validator would not survive: subschemas that apply
/// themselves to the same value for ever, references that lead out of the
/// document, regular expressions that are none.
/// @par Errors `invalid_argument`, naming the reference or the pattern.
result<schema_facts> check_schema(const boost::json::value& schema);

} // namespace kestrion::detail
