#pragma once

#include <kestrion/messages/model_call.hpp>
#include <kestrion/providers/models/models.hpp>
#include <kestrion/providers/models/stream_decoder.hpp>
#include <kestrion/providers/models/wire_json.hpp>

#include <memory>
#include <string>

/// Anthropic Messages, as pure functions.
namespace kestrion::anthropic_wire {

/// The body of a request; equal requests have equal bytes.
/// @par Errors `unsupported`: an option that the model does not take, an image
///             that we cannot send. `invalid_argument`: a conversation without
///             messages, a limit below 1. `corrupt`: a stored block or schema
///             that is no JSON.
result<std::string> to_wire(const model_request& request,
                            const anthropic_options& options,
                            delivery wanted = delivery::whole);

/// The reply or failure in an answer, without its cost.
/// @param now  For a `retry-after` that is a date.
model_outcome from_wire(const http_response& answer,
                        const anthropic_options& options, timestamp now);

/// The same for a body that is JSON already, of a 2xx. The body in `answer` is
/// not looked at.
model_outcome from_json(const boost::json::value& body,
                        const http_response& answer,
                        const anthropic_options& options, timestamp now);

/// Reads a streamed answer; its outcome is that of `from_wire` for the same
/// answer in one piece.
/// @param head  Status and headers of the answer.
std::unique_ptr<stream_decoder> decoder(const anthropic_options& options,
                                        http_response head, timestamp now);

} // namespace kestrion::anthropic_wire
