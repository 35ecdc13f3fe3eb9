#include <kestrion/providers/models/capabilities.hpp>

namespace kestrion {

namespace {

using words = std::vector<std::string>;
using rows = std::vector<model_capabilities>;

constexpr std::int64_t k = 1'000; // Tokens.

model_capabilities claude(std::string prefix, words thinking,
                          output_mode output = output_mode::native,
                          std::int64_t context_window = 200 * k) {
  model_capabilities row;
  row.vendor = vendor::anthropic;
  row.name_prefix = std::move(prefix);
  row.efforts = words{"low", "medium", "high", "xhigh", "max"};
  row.thinking = std::move(thinking);
  row.output = output;
  row.forced_tools = true;
  row.context_window = context_window;
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

model_capabilities with_window(model_capabilities row, std::int64_t tokens) {
  row.context_window = tokens;
  return row;
}

model_capabilities without_documents(model_capabilities row) {
  row.documents = false;
  return row;
}

model_capabilities any_of_ollama() {
  model_capabilities row;
  row.vendor = vendor::ollama;
  row.documents = false;
  row.efforts = words{"none", "low", "medium", "high", "max"};
  return row;
}

/// The first row that fits a name counts. Schemas came with Claude 4.5 and with
/// gpt-4o's second version. GPT-5 and later take in more than what is said
/// here, but at twice the price.
/// @par Source platform.claude.com, platform.openai.com, docs.ollama.com
rows public_capabilities() {
  using enum takes_temperature;
  constexpr auto tool = output_mode::tool;
  const words gpt_efforts{"none", "minimal", "low", "medium",
                          "high", "xhigh",   "max"};
  const words adaptive{"adaptive", "disabled"};
  return {
    with_window(not_forced(claude("claude-opus-5-5", {"adaptive"})), 1'000 * k),
    with_window(
      not_forced(claude("claude-sonnet-5-5", {"adaptive", "between_tools"})),
      1'000 * k),
    claude("claude-3", adaptive, tool),
    claude("claude-opus-4-0", adaptive, tool),
    claude("claude-opus-4-1", adaptive, tool),
    claude("claude-opus-4-20", adaptive, tool),
    claude("claude-sonnet-4-0", adaptive, tool),
    claude("claude-sonnet-4-20", adaptive, tool),
    claude("claude-opus-4-5", adaptive),
    claude("claude-sonnet-4-5", adaptive),
    claude("claude-haiku-4-5", adaptive),
    with_window(claude("claude-", adaptive), 1'000 * k),
    with_window(gpt("gpt-5", without_effort, gpt_efforts), 272 * k),
    with_window(gpt("gpt-6", without_effort, gpt_efforts), 272 * k),
    with_window(gpt("gpt-4o-2024-05", yes, {}, tool), 128 * k),
    with_window(gpt("gpt-4o", yes, {}), 128 * k),
    with_window(gpt("gpt-4.1", yes, {}), 1'000 * k),
    gpt("gpt-4.", yes, {}),
    without_documents(gpt("gpt-4", yes, {}, tool)),
    without_documents(with_window(gpt("gpt-3.5", yes, {}, tool), 16 * k)),
    with_window(gpt("o3", no, {"low", "medium", "high"}), 200 * k),
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
