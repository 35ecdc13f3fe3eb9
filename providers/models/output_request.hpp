#pragma once

#include <kestrion/messages/agent.hpp>
#include <kestrion/messages/conversation.hpp>
#include <kestrion/messages/error.hpp>
#include <kestrion/messages/model_call.hpp>
#include <kestrion/providers/models/capabilities.hpp>

#include <boost/json/value.hpp>

#include <optional>
#include <string_view>
#include <vector>

/// How a model is asked for the output that an agent declares, and how its
/// answer becomes text again: the run and its log know one way only.
namespace kestrion {

/// What a request says of the output.
struct output_request {
  /// For the vendor's own way; nothing: by a tool, or any text.
  std::optional<boost::json::value> schema;
  bool is_strict = false; ///< The vendor can hold the model to it.
  /// A tool that stands behind the agent's own.
  std::optional<tool_spec> tool;
  bool is_forced = false; ///< The model has to call some tool.
};

/// @par Errors `corrupt`: a schema that is no JSON.
result<output_request> output_request_of(const agent_definition& agent,
                                         const model_capabilities& known);

/// As above, and refuses first what the model does not accept.
/// @param wanted  What else is asked for; the rest is filled in.
/// @par Errors as `output_request_of` and `check_options`
result<output_request> checked_output(const model_request& request,
                                      const model_capabilities& known,
                                      std::string_view model,
                                      requested_options wanted);

/// What the model may call: the agent's tools, and that by which it answers.
std::vector<const tool_spec*> offered_tools(const agent_definition& agent,
                                            const output_request& output);

/// A call of that tool becomes the text that it stands for.
void take_output_call(model_reply& reply);

/// The schema as strict modes want it: objects closed, all their members
/// required. Nothing if it can't be so: an object with any members, a value of
/// any kind, a member that may be absent but not null, `oneOf` and its like.
/// @par Source platform.openai.com/docs/guides/structured-outputs
std::optional<boost::json::value>
strict_schema(const boost::json::value& schema);

/// Without bounds on numbers, texts and lists, which Anthropic refuses; what
/// does not keep to them is rejected by the run.
/// @par Source platform.claude.com, structured outputs
boost::json::value without_bounds(const boost::json::value& schema);

} // namespace kestrion
