#include <kestrion/messages/schema.hpp>

#include <kestrion/messages/json_text.hpp>

#include <boost/json.hpp>
#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

namespace kestrion {

struct schema::impl {
  valijson::Schema compiled;
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
  auto compiled = std::make_unique<impl>();
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
