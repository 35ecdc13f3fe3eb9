#pragma once

#include "vendor_server.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The three APIs, seen from the vendors' side, as pure functions.
namespace examples::vendor_wire {

/// The API behind a path such as "/v1/messages"; nothing for another one.
std::optional<spoken_api> api_of(std::string_view path);

vendor_request read(spoken_api api, boost::json::value body);

/// The body of the answer.
/// @param id  Makes the ids in it unique.
std::string write(const vendor_request& request, const vendor_turn& turn,
                  std::size_t id);

/// The same as a stream, an event each; none if it is not to be streamed.
std::vector<std::string> write_stream(const vendor_request& request,
                                      const vendor_turn& turn, std::size_t id);

} // namespace examples::vendor_wire
