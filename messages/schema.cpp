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

/// The name of a member whose text is too long for the patterns of its schema;
/// nothing if there is none.
/// @param name     Of the nearest member that `json` belongs to.
/// @param matched  Whether patterns apply there.
std::optional<std::string> too_long(const boost::json::value& json,
                                    const detail::schema_facts& facts,
                                    std::string_view name, bool matched) {
  if (const auto* text = json.if_string()) {
    if (matched && text->size() > matched_text_max)
      return std::string{name};
  } else if (const auto* array = json.if_array()) {
    for (const auto& element : *array)
      if (auto found = too_long(element, facts, name, matched))
        return found;
  } else if (const auto* object = json.if_object()) {
    for (const auto& member : *object) {
      if (member.key().size() > matched_text_max)
        return std::string{member.key().substr(0, 64)};
      const bool applies =
        facts.matches_anything || facts.matched_members.contains(member.key());
      if (auto found = too_long(member.value(), facts, member.key(), applies))
        return found;
    }
  }
  return {};
}

} // namespace

struct schema::impl {
  valijson::Schema compiled;
  detail::schema_facts facts;
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
  auto facts = detail::check_schema(*json);
  if (!facts)
    return error{errc::invalid_argument,
                 "the schema is not usable: " + facts.error().detail};
  auto compiled = std::make_unique<impl>();
  compiled->facts = std::move(*facts);
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
  const auto& facts = impl_->facts;
  if (facts.matches_anything || !facts.matched_members.empty())
    if (const auto name = too_long(json, facts, "", facts.matches_anything))
      return error{errc::invalid_argument,
                   "the text \"" + *name + "\" is longer than "
                     + std::to_string(matched_text_max)
                     + " bytes, too long to match it against a pattern"};
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
