#pragma once

#include <kestrion/messages/error.hpp>

#include <boost/json/value.hpp>

namespace kestrion::detail {

/// What the validator has to know of a schema.
struct schema_facts {
  bool has_patterns = false; ///< Some text is matched by a regular expression.
};

/// Refuses what the validator would not survive: subschemas that apply
/// themselves to the same value for ever, references that lead out of the
/// document, regular expressions that are none.
/// @par Errors `invalid_argument`, naming the reference or the pattern.
result<schema_facts> check_schema(const boost::json::value& schema);

} // namespace kestrion::detail
