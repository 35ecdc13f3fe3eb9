#pragma once

#include <kestrion/messages/model_call.hpp>
#include <kestrion/messages/time.hpp>
#include <kestrion/providers/http/client.hpp>

#include <optional>
#include <string>
#include <string_view>

/// What the vendors' refusals mean.
namespace kestrion {

/// An error as a vendor words it; members it does not have are empty.
struct vendor_error {
  std::string type;
  std::string code;
  std::string message;
};

/// Whose answer it is, for the sentence.
struct answer_context {
  std::string_view vendor;
  std::string_view model;
  std::string_view secret; ///< Struck out wherever the vendor echoes it.
  timestamp now;
  std::optional<duration> wait_max = {}; ///< A longer wish counts as none.
};

/// Retryable: 408, 409, 429, 500 and above, unless `x-should-retry` decides.
/// Money that is used up is `quota_exhausted` and never retryable. An error
/// inside a 2xx counts by its type.
model_failure failure_of(const http_response& answer, const vendor_error& why,
                         const answer_context& context);

/// A 2xx whose body makes no sense. Retryable if it is no JSON at all, which
/// cut connections and proxies cause; not if it has another shape, which the
/// next answer would have too.
model_failure no_json(const answer_context& context);
model_failure wrong_shape(const answer_context& context, std::string_view what);

/// A stream that ended in good order, but before its answer did. Retryable.
model_failure early_end(const answer_context& context);

/// How the transport's failures look to a run.
model_failure failure_of(const http_failure& failure);

/// `retry-after-ms`, else `retry-after` in seconds or as a date; negative ones
/// and nonsense count as none, and a day is the most.
/// @par Source RFC 9110 section 10.2.3
std::optional<duration> retry_after(const http_headers& headers, timestamp now);

/// "Sun, 06 Nov 1994 08:49:37 GMT".  @par Source RFC 9110 section 5.6.7
std::optional<timestamp> parse_http_date(std::string_view text);

} // namespace kestrion
