#pragma once

#include <kestrion/messages/limit_report.hpp>
#include <kestrion/messages/time.hpp>
#include <kestrion/providers/http/client.hpp>

#include <optional>
#include <string_view>
#include <vector>

/// What the vendors' headers say about limits.
namespace kestrion {

/// One report for each limit that the answer names, in a fixed order. Values
/// that are no numbers, and limits below 1, are left out. A reset that is a
/// time of the server's clock is put on ours by the header `date`.
/// @par Source `anthropic-ratelimit-*`: platform.claude.com, Rate limits;
///   `x-ratelimit-*`: platform.openai.com, Rate limits
std::vector<limit_report> limits_of(const http_headers& headers, timestamp now);

/// "2025-08-21T12:40:59Z", also with a fraction or an offset.
/// @par Source RFC 3339 section 5.6
std::optional<timestamp> parse_rfc3339(std::string_view text);

/// "6m0s", "1.5s", "20ms"; a day is the most.
/// @par Source Go's time.Duration.String
std::optional<duration> parse_go_duration(std::string_view text);

} // namespace kestrion
