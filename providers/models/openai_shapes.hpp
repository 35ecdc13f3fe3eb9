#pragma once

#include <kestrion/messages/agent.hpp>
#include <kestrion/messages/model_call.hpp>
#include <kestrion/providers/models/output_request.hpp>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <string>

/// What OpenAI's APIs share with each other, and Ollama's with them.
namespace kestrion {

/// The tools as Chat Completions and Ollama want them: functions with a schema;
/// the one for the output comes last.
/// @par Errors `corrupt`: a schema that is no JSON.
result<boost::json::array> function_tools(const agent_definition& agent,
                                          const output_request& output);

/// What an answer says was used; nothing where it says nothing. Their input
/// counts what came from and went into the cache; ours does not.
/// @param input   Chat Completions' "prompt_tokens", Responses' "input_tokens".
/// @param output  "completion_tokens", "output_tokens".
token_usage openai_usage(const boost::json::value& body,
                         const std::string& input, const std::string& output);

} // namespace kestrion
