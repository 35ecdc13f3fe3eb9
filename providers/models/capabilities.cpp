#include <kestrion/providers/models/capabilities.hpp>

#include <kestrion/messages/described.hpp>
#include <kestrion/messages/json_text.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace kestrion {

namespace {

/// A row of a capability file.
struct listed_model {
  kestrion::vendor vendor = vendor::openai;
  std::string name_prefix;
  std::optional<takes_temperature> temperature;
  std::optional<std::vector<std::string>> efforts;
  std::optional<std::vector<std::string>> thinking;
  std::optional<bool> tools;
  std::optional<bool> images;
  std::optional<bool> documents;
  std::optional<output_mode> output;
  std::optional<bool> forced_tools;
  std::optional<std::int64_t> context_window;
};
BOOST_DESCRIBE_STRUCT(listed_model, (),
                      (vendor, name_prefix, temperature, efforts, thinking,
                       tools, images, documents, output, forced_tools,
                       context_window))

struct capability_file {
  std::vector<listed_model> models;
};
BOOST_DESCRIBE_STRUCT(capability_file, (), (models))

model_capabilities row_of(listed_model listed) {
  model_capabilities row;
  row.vendor = listed.vendor;
  row.name_prefix = std::move(listed.name_prefix);
  row.temperature = listed.temperature.value_or(row.temperature);
  row.efforts = std::move(listed.efforts);
  row.thinking = std::move(listed.thinking);
  row.tools = listed.tools.value_or(row.tools);
  row.images = listed.images.value_or(row.images);
  row.documents = listed.documents.value_or(row.documents);
  row.output = listed.output.value_or(row.output);
  row.forced_tools = listed.forced_tools.value_or(row.forced_tools);
  row.context_window = listed.context_window;
  return row;
}

/// The only version that knows temperature.
constexpr std::string_view sampling_version = "2023-06-01";

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words)
    out += (out.empty() ? "" : " ") + word;
  return out;
}

error refuse(std::string_view model, const std::string& why) {
  return {errc::unsupported, "model " + std::string{model} + " " + why};
}

result<void>
check_word(std::string_view model, const char* option, std::string_view word,
           const std::optional<std::vector<std::string>>& allowed) {
  if (!allowed
      || std::find(allowed->begin(), allowed->end(), word) != allowed->end())
    return {};
  if (allowed->empty())
    return refuse(model, std::string{"takes no "} + option);
  return refuse(model, std::string{"does not take "} + option + " \""
                         + std::string{word.substr(0, 40)}
                         + "\"; expected one of: " + joined(*allowed));
}

result<void> check_temperature(const model_capabilities& known,
                               std::string_view model,
                               const requested_options& requested) {
  const auto& options = requested.options;
  if (!options.temperature)
    return {};
  if (known.vendor == vendor::anthropic
      && requested.version != sampling_version)
    return refuse(model, "takes no temperature under API version "
                           + std::string{requested.version}
                           + "; only version 2023-06-01 has one");
  if (known.temperature == takes_temperature::no)
    return refuse(model, "takes no temperature");
  if (known.temperature == takes_temperature::without_effort
      && options.effort != "none")
    return refuse(model, "takes a temperature only with effort \"none\"");
  return {};
}

} // namespace

capability_table
capability_table::before_others(std::vector<model_capabilities> rows) const {
  rows.insert(rows.end(), rows_->begin(), rows_->end());
  capability_table out;
  out.rows_ =
    std::make_shared<const std::vector<model_capabilities>>(std::move(rows));
  return out;
}

capability_table capability_table::with(model_capabilities row) const {
  return before_others({std::move(row)});
}

result<capability_table> capability_table::read(std::string_view json) const {
  const auto document = parse_json(json, "the capability file");
  if (!document)
    return document.error();
  auto file = decode_json<capability_file>(*document);
  if (!file)
    return error{errc::invalid_argument,
                 "the capability file: " + file.error().detail};
  std::vector<model_capabilities> rows;
  rows.reserve(file->models.size() + rows_->size());
  for (auto& listed : file->models)
    rows.push_back(row_of(std::move(listed)));
  return before_others(std::move(rows));
}

result<capability_table>
capability_table::read_file(const std::string& path) const {
  std::ifstream in{path, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  if (!in)
    return error{errc::io,
                 "the capability file \"" + path + "\" cannot be read"};
  return read(text);
}

model_capabilities capability_table::find(vendor v,
                                          std::string_view model) const {
  for (const auto& row : *rows_)
    if (row.vendor == v && model.starts_with(row.name_prefix))
      return row;
  model_capabilities unknown;
  unknown.vendor = v;
  return unknown;
}

bool may_reason(const model_capabilities& known) {
  return !known.efforts || !known.efforts->empty();
}

result<void> check_options(const model_capabilities& known,
                           std::string_view model,
                           const requested_options& requested) {
  const auto& options = requested.options;
  if (options.output_tokens_max < 1)
    return error{errc::invalid_argument,
                 "output_tokens_max is "
                   + std::to_string(options.output_tokens_max)
                   + "; expected at least 1"};
  if (auto ok = check_temperature(known, model, requested); !ok)
    return ok;
  if (options.effort)
    if (auto ok = check_word(model, "effort", *options.effort, known.efforts);
        !ok)
      return ok;
  if (!requested.thinking.empty())
    if (auto ok =
          check_word(model, "thinking", requested.thinking, known.thinking);
        !ok)
      return ok;
  if (requested.tools && !known.tools)
    return refuse(model, "takes no tools");
  if (requested.images && !known.images)
    return refuse(model, "takes no images");
  if (requested.documents && !known.documents)
    return refuse(model, "takes no documents but plain text");
  return {};
}

} // namespace kestrion
