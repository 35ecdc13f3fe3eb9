#pragma once

#include <kestrion/messages/error.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// Reading and writing of the vendors' JSON.
namespace kestrion {

/// How an answer is asked for.
enum class delivery : std::uint8_t { whole, streamed };

/// Members in the order they came in or were put in, shortest numbers, no
/// spaces: equal documents have equal bytes, which the vendors' caches need.
std::string wire_text(const boost::json::value& json);

/// The member, or null if `json` is no object, has none, or it is JSON's null.
const boost::json::value* member_of(const boost::json::value& json,
                                    std::string_view name);

/// The member's text; empty if there is none or it is no string.
std::string string_of(const boost::json::value& json, std::string_view name);

/// A counter of tokens, where absent, null and nonsense mean none.
std::int64_t tokens_of(const boost::json::value& json, std::string_view name);

/// Which block an event of a stream is about; 0 where the vendor says nothing.
std::size_t position_of(const boost::json::value& json, std::string_view name);

/// Appends to the member's text, and makes it one if it is none.
void append_text(boost::json::object& json, std::string_view name,
                 std::string_view text);

/// Arguments for vendors that want an object. What a model wrote wrong is sent
/// as an empty one: the tool's result tells it about the mistake.
boost::json::object arguments_object(std::string_view text);

/// The id of a tool call for a vendor: that of the vendor whose model made the
/// call, or else ours. A longer one than `bytes_max` gives way to one that
/// follows from it, so that call and result still agree.
std::string wire_call_id(const std::string& vendor_id, const std::string& ours,
                         std::size_t bytes_max);

/// Inverse of `wire_text` for what we stored ourselves.
/// @par Errors `corrupt`, naming `what`.
result<boost::json::value> stored_json(std::string_view text,
                                       std::string_view what);

} // namespace kestrion
