#include <kestrion/messages/schema.hpp>

#include <kestrion/messages/json_text.hpp>
#include <kestrion/messages/schema_check.hpp>

// Without this, valijson answers a bad schema with abort().
#define VALIJSON_USE_EXCEPTIONS 1
#include <boost/json.hpp>
#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

namespace kestrion {

namespace {

/// A text longer than this is not matched against patterns: std::regex recurses
/// for each character, and would overflow the stack.
constexpr std::size_t matched_text_max = 4'096;

/// Length of the longest text in `json`, names of members included.
std::size_t longest_text(const boost::json::value& json) {
  std::size_t out = 0;
  if (const auto* text = json.if_string())
    return text->size();
  if (const auto* array = json.if_array())
    for (const auto& element : *array)
      out = std::max(out, longest_text(element));
  if (const auto* object = json.if_object())
    for (const auto& member : *object)
      out = std::max({out, member.key().size(), longest_text(member.value())});
  return out;
}

} // namespace

struct schema::impl {
  valijson::Schema compiled;
  bool has_patterns = false;
};

schema::schema(std::unique_ptr<impl> p) : impl_(std::move(p)) {}
schema::~schema() = default;

result<std::shared_ptr<const schema>> schema::compile(std::string_view text) {
  auto json = parse_json(text, "the schema");
  if (!json)
    return json.error();
  if (!json->is_object())
    return error{errc::invalid_argument,
                 "the schema is no object: " + std::string{text.substr(0, 80)}};
  const auto facts = detail::check_schema(*json);
  if (!facts)
    return error{errc::invalid_argument,
                 "the schema is not usable: " + facts.error().detail};
  auto compiled = std::make_unique<impl>();
  compiled->has_patterns = facts->has_patterns;
  try {
    valijson::adapters::BoostJsonAdapter adapter{*json};
    valijson::SchemaParser{}.populateSchema(adapter, compiled->compiled);
  } catch (const std::exception& e) {
    return error{errc::invalid_argument,
                 std::string{"the schema is not usable: "} + e.what()};
  }
  return std::shared_ptr<const schema>{new schema{std::move(compiled)}};
}

result<void> schema::validate(const boost::json::value& json) const {
  if (impl_->has_patterns && longest_text(json) > matched_text_max)
    return error{errc::invalid_argument,
                 "a text is longer than " + std::to_string(matched_text_max)
                   + " bytes, too long for a schema with patterns"};
  valijson::ValidationResults problems;
  valijson::adapters::BoostJsonAdapter adapter{json};
  // Strong types: the string "2" is no integer.
  valijson::Validator validator{valijson::Validator::kStrongTypes};
  try {
    if (validator.validate(impl_->compiled, adapter, &problems))
      return {};
  } catch (const std::exception& e) {
    return error{errc::invalid_argument, e.what()};
  }
  std::string detail;
  for (valijson::ValidationResults::Error problem;
       problems.popError(problem);) {
    std::string place;
    for (const auto& step : problem.context)
      place += step;
    detail += (detail.empty() ? "" : "; ") + place + ": " + problem.description;
  }
  return error{errc::invalid_argument, detail};
}

} // namespace kestrion
