#pragma once

#include <kestrion/providers/http/client.hpp>
#include <kestrion/providers/models/capabilities.hpp>
#include <kestrion/providers/models/model.hpp>
#include <kestrion/providers/models/prices.hpp>

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

/// The models of the vendors. An attempt is one HTTP request; nothing here
/// retries. `model::stream` asks for a streamed answer, `complete` for one in
/// one piece.
///
/// A model that cannot work (no key, a base URL that is none, an option that it
/// does not take) says so at the call, before anything is sent, not retryable.
/// The environment is read once, when a model is made.
namespace kestrion {

/// @par Source platform.claude.com, Messages API.
struct anthropic_options {
  std::string model;
  std::string base_url = {}; ///< Else ANTHROPIC_BASE_URL, else the vendor's.
  std::string api_key = {};  ///< Else ANTHROPIC_API_KEY.
  /// Sent as `anthropic-version`. Only "2023-06-01" takes a temperature.
  std::string version = "2026-10-21";
  std::string thinking = {}; ///< adaptive, disabled, between_tools; or unset.
  bool cache = true;         ///< Let the vendor cache the conversation so far.
  bool stream = true;        ///< Drafts come from a streamed answer.
  http_headers headers = {};
  http_transport_ptr http = {}; ///< Else the shared client; or a cassette.
  price_table prices = {};
  capability_table capabilities = {};
};

/// OpenAI's Chat Completions, and whatever server speaks it.
/// @par Source github.com/openai/openai-openapi
struct openai_options {
  std::string model;
  std::string base_url = {}; ///< Else OPENAI_BASE_URL; ends before /chat.
  std::string api_key = {};  ///< Else OPENAI_API_KEY; others may need none.
  /// Who says the system prompt: developer or system. Unset: developer for
  /// OpenAI itself, system for other servers.
  std::string system_role = {};
  std::optional<bool> parallel_tool_calls = {};
  bool legacy_max_tokens = false;  ///< For servers without the new name.
  bool stream = true;              ///< Drafts come from a streamed answer.
  std::string provider = "openai"; ///< Whose limits its calls count for.
  http_headers headers = {};
  http_transport_ptr http = {};
  price_table prices = {};
  capability_table capabilities = {};
};

/// OpenAI's Responses, without state at the vendor: nothing is stored there,
/// and what the model thought comes encrypted and goes back with the next call.
/// @par Source github.com/openai/openai-openapi
struct openai_responses_options {
  std::string model;
  std::string base_url = {}; ///< Else OPENAI_BASE_URL; ends before /responses.
  std::string api_key = {};  ///< Else OPENAI_API_KEY; others may need none.
  std::optional<bool> parallel_tool_calls = {};
  /// What people may see of the thoughts: auto, concise, detailed; or unset.
  std::string reasoning_summary = {};
  bool stream = true;              ///< Drafts come from a streamed answer.
  std::string provider = "openai"; ///< Whose limits its calls count for.
  http_headers headers = {};
  http_transport_ptr http = {};
  price_table prices = {};
  capability_table capabilities = {};
};

/// Ollama's own API.
/// @par Source github.com/ollama/ollama, docs/api.md
struct ollama_options {
  std::string model;
  std::string base_url = {}; ///< Else OLLAMA_HOST, else localhost:11434.
  /// Tokens of context. Unset, the server's default holds; input beyond it is
  /// an error, never cut in silence.
  std::optional<std::int64_t> num_ctx = {};
  bool stream = true; ///< Drafts come from a streamed answer.
  http_headers headers = {};
  http_transport_ptr http = {};
  price_table prices = {}; ///< A model that it does not know costs nothing.
  capability_table capabilities = {};
};

model_ptr anthropic(anthropic_options options);
model_ptr openai(openai_options options);
model_ptr openai_responses(openai_responses_options options);
model_ptr ollama(ollama_options options);

/// By name alone: `anthropic("claude-sonnet-4-6")`. Templates, so that options
/// in braces can't be taken for the two ends of a string.
template <std::convertible_to<std::string> Name>
model_ptr anthropic(Name&& model) {
  return anthropic(anthropic_options{.model = std::forward<Name>(model)});
}
template <std::convertible_to<std::string> Name>
model_ptr openai(Name&& model) {
  return openai(openai_options{.model = std::forward<Name>(model)});
}
template <std::convertible_to<std::string> Name>
model_ptr openai_responses(Name&& model) {
  return openai_responses(
    openai_responses_options{.model = std::forward<Name>(model)});
}
template <std::convertible_to<std::string> Name>
model_ptr ollama(Name&& model) {
  return ollama(ollama_options{.model = std::forward<Name>(model)});
}

} // namespace kestrion
