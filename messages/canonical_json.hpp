#pragma once

#include <boost/json/value.hpp>

#include <string>

namespace kestrion {

/// The one text of `json`: members sorted, no spaces, shortest numbers. Equal
/// documents have equal texts, whatever order their members came in.
///
/// One deliberate difference from the RFC: an integer beyond 2^53 keeps all its
/// digits instead of being rounded, so that two arguments that differ never
/// share a digest.
/// @par Source RFC 8785
std::string canonical_json(const boost::json::value& json);

} // namespace kestrion
