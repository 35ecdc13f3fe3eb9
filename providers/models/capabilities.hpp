#pragma once

#include <kestrion/messages/agent.hpp>
#include <kestrion/messages/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace kestrion {

enum class vendor : std::uint8_t { anthropic, openai, ollama };

/// What a model is asked for beyond the conversation.
struct requested_options {
  const model_options& options;
  std::string_view version = {};  ///< Anthropic's API version.
  std::string_view thinking = {}; ///< Anthropic's `thinking.type`; or none.
};

/// Refuses an option that the vendor would answer with 400, so that the mistake
/// costs no call and has a clear name. A model that we do not know may all.
/// @par Errors `unsupported`, naming the model, the option and what it takes;
///             `invalid_argument` for a limit below 1.
result<void> check_options(vendor v, std::string_view model,
                           const requested_options& requested);

/// Whether a model may think, as far as we know: then what it thought is asked
/// for, in a form that can be given back.
bool may_reason(vendor v, std::string_view model);

} // namespace kestrion
