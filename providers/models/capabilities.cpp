#include <kestrion/providers/models/capabilities.hpp>

namespace kestrion {

namespace {

enum class takes_temperature : std::uint8_t { yes, no, without_effort };

/// One family of models; the first row that fits a name counts. Lists are
/// separated by blanks; an empty one means: anything.
struct capability {
  vendor maker;
  std::string_view name_prefix;
  takes_temperature temperature = takes_temperature::yes;
  std::string_view efforts = {};
  std::string_view thinking = {};
};

using enum takes_temperature;

constexpr std::string_view claude_efforts = "low medium high xhigh max";
constexpr std::string_view gpt_efforts =
  "none minimal low medium high xhigh max";
constexpr std::string_view nothing = "-";

constexpr capability table[] = {
  {vendor::anthropic, "claude-opus-5-5", yes, claude_efforts, "adaptive"},
  {vendor::anthropic, "claude-sonnet-5-5", yes, claude_efforts,
   "adaptive between_tools"},
  {vendor::anthropic, "claude-", yes, claude_efforts, "adaptive disabled"},
  {vendor::openai, "gpt-5", without_effort, gpt_efforts},
  {vendor::openai, "gpt-6", without_effort, gpt_efforts},
  {vendor::openai, "gpt-4", yes, nothing},
  {vendor::openai, "o3", no, "low medium high"},
  {vendor::ollama, "", yes, "none low medium high max"},
};

/// The only version that knows temperature.
constexpr std::string_view sampling_version = "2023-06-01";

const capability* find(vendor v, std::string_view model) {
  for (const auto& row : table)
    if (row.maker == v && model.starts_with(row.name_prefix))
      return &row;
  return nullptr;
}

bool contains_word(std::string_view list, std::string_view word) {
  for (std::size_t at = 0; at < list.size();) {
    const auto end = std::min(list.find(' ', at), list.size());
    if (list.substr(at, end - at) == word)
      return true;
    at = end + 1;
  }
  return false;
}

error refuse(std::string_view model, const std::string& why) {
  return {errc::unsupported, "model " + std::string{model} + " " + why};
}

result<void> check_word(std::string_view model, const char* option,
                        std::string_view word, std::string_view allowed) {
  if (allowed.empty() || contains_word(allowed, word))
    return {};
  if (allowed == nothing)
    return refuse(model, std::string{"takes no "} + option);
  return refuse(model, std::string{"does not take "} + option + " \""
                         + std::string{word.substr(0, 40)}
                         + "\"; expected one of: " + std::string{allowed});
}

result<void> check_temperature(vendor v, std::string_view model,
                               const requested_options& requested,
                               takes_temperature takes) {
  const auto& options = requested.options;
  if (!options.temperature)
    return {};
  if (v == vendor::anthropic && requested.version != sampling_version)
    return refuse(model, "takes no temperature under API version "
                           + std::string{requested.version}
                           + "; only version 2023-06-01 has one");
  if (takes == no)
    return refuse(model, "takes no temperature");
  if (takes == without_effort && options.effort != "none")
    return refuse(model, "takes a temperature only with effort \"none\"");
  return {};
}

} // namespace

bool may_reason(vendor v, std::string_view model) {
  const auto* known = find(v, model);
  return !known || known->efforts != nothing;
}

result<void> check_options(vendor v, std::string_view model,
                           const requested_options& requested) {
  const auto& options = requested.options;
  if (options.output_tokens_max < 1)
    return error{errc::invalid_argument,
                 "output_tokens_max is "
                   + std::to_string(options.output_tokens_max)
                   + "; expected at least 1"};
  const auto* known = find(v, model);
  const capability row = known ? *known : capability{v, model};
  if (auto ok = check_temperature(v, model, requested, row.temperature); !ok)
    return ok;
  if (options.effort)
    if (auto ok = check_word(model, "effort", *options.effort, row.efforts);
        !ok)
      return ok;
  if (!requested.thinking.empty())
    return check_word(model, "thinking", requested.thinking, row.thinking);
  return {};
}

} // namespace kestrion
