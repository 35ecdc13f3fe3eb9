#include <kestrion/providers/models/capabilities.hpp>

namespace kestrion {

namespace {

using words = std::vector<std::string>;
using rows = std::vector<model_capabilities>;

model_capabilities claude(std::string prefix, words thinking,
                          output_mode output = output_mode::native) {
  model_capabilities row;
  row.vendor = vendor::anthropic;
  row.name_prefix = std::move(prefix);
  row.efforts = words{"low", "medium", "high", "xhigh", "max"};
  row.thinking = std::move(thinking);
  row.output = output;
  row.forced_tools = true;
  return row;
}

model_capabilities not_forced(model_capabilities row) {
  row.forced_tools = false;
  return row;
}

model_capabilities gpt(std::string prefix, takes_temperature temperature,
                       words efforts,
                       output_mode output = output_mode::native) {
  model_capabilities row;
  row.vendor = vendor::openai;
  row.name_prefix = std::move(prefix);
  row.temperature = temperature;
  row.efforts = std::move(efforts);
  row.output = output;
  row.forced_tools = true;
  return row;
}

model_capabilities any_of_ollama() {
  model_capabilities row;
  row.vendor = vendor::ollama;
  row.efforts = words{"none", "low", "medium", "high", "max"};
  return row;
}

/// The first row that fits a name counts. Schemas came with Claude 4.5 and with
/// gpt-4o's second version.
/// @par Source platform.claude.com, platform.openai.com, docs.ollama.com
rows public_capabilities() {
  using enum takes_temperature;
  constexpr auto tool = output_mode::tool;
  const words gpt_efforts{"none", "minimal", "low", "medium",
                          "high", "xhigh",   "max"};
  const words adaptive{"adaptive", "disabled"};
  return {
    not_forced(claude("claude-opus-5-5", {"adaptive"})),
    not_forced(claude("claude-sonnet-5-5", {"adaptive", "between_tools"})),
    claude("claude-3", adaptive, tool),
    claude("claude-opus-4-0", adaptive, tool),
    claude("claude-opus-4-1", adaptive, tool),
    claude("claude-opus-4-20", adaptive, tool),
    claude("claude-sonnet-4-0", adaptive, tool),
    claude("claude-sonnet-4-20", adaptive, tool),
    claude("claude-", adaptive),
    gpt("gpt-5", without_effort, gpt_efforts),
    gpt("gpt-6", without_effort, gpt_efforts),
    gpt("gpt-4o-2024-05", yes, {}, tool),
    gpt("gpt-4o", yes, {}),
    gpt("gpt-4.", yes, {}),
    gpt("gpt-4", yes, {}, tool),
    gpt("gpt-3.5", yes, {}, tool),
    gpt("o3", no, {"low", "medium", "high"}),
    any_of_ollama(),
  };
}

} // namespace

capability_table::capability_table() {
  static const auto built_in =
    std::make_shared<const rows>(public_capabilities());
  rows_ = built_in;
}

} // namespace kestrion
