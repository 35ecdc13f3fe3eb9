#include <kestrion/providers/models/openai_shapes.hpp>

#include <kestrion/providers/models/wire_json.hpp>

#include <algorithm>
#include <utility>

namespace kestrion {

result<boost::json::array> function_tools(const agent_definition& agent,
                                          const output_request& output) {
  boost::json::array tools;
  for (const auto* tool : offered_tools(agent, output)) {
    auto schema =
      stored_json(tool->input_schema, "the schema of " + tool->name);
    if (!schema)
      return schema.error();
    tools.push_back({{"type", "function"},
                     {"function",
                      {{"name", tool->name},
                       {"description", tool->description},
                       {"parameters", std::move(*schema)}}}});
  }
  return tools;
}

token_usage openai_usage(const boost::json::value& body,
                         const std::string& input, const std::string& output) {
  token_usage usage;
  const auto* u = member_of(body, "usage");
  if (!u)
    return usage;
  if (const auto* details = member_of(*u, input + "_details")) {
    usage.cache_read_tokens = tokens_of(*details, "cached_tokens");
    usage.cache_write_tokens = tokens_of(*details, "cache_write_tokens");
  }
  usage.input_tokens =
    std::max(std::int64_t{}, tokens_of(*u, input) - usage.cache_read_tokens
                               - usage.cache_write_tokens);
  usage.output_tokens = tokens_of(*u, output);
  if (const auto* details = member_of(*u, output + "_details"))
    usage.reasoning_tokens = tokens_of(*details, "reasoning_tokens");
  return usage;
}

} // namespace kestrion
