#pragma once

#include <kestrion/messages/model_call.hpp>
#include <kestrion/providers/models/models.hpp>

#include <string>

/// OpenAI Chat Completions, as pure functions.
namespace kestrion::openai_wire {

/// The body of a request; equal requests have equal bytes.
/// @par Errors `unsupported`: an option that the model does not take, an image
///             that we cannot send. `invalid_argument`: a conversation without
///             messages, a limit below 1. `corrupt`: a stored block or schema
///             that is no JSON.
result<std::string> to_wire(const model_request& request,
                            const openai_options& options);

/// The reply or failure in an answer, without its cost.
/// @param now  For a `retry-after` that is a date.
model_outcome from_wire(const http_response& answer,
                        const openai_options& options, timestamp now);

} // namespace kestrion::openai_wire
