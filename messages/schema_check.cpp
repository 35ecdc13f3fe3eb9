#include <kestrion/messages/schema_check.hpp>

#include <map>
#include <optional>
#include <regex>
#include <string>
#include <vector>

namespace kestrion::detail {

namespace {

constexpr std::size_t pattern_length_max = 1'000; // std::regex recurses.
constexpr std::size_t depth_max = 128;            // Of references to one value.

/// Visits each subschema once. Those that apply to the same value as their
/// parent are walked in depth, where meeting an open one is a cycle; those that
/// apply to a part of it wait in `later_`.
class walker {
public:
  explicit walker(const boost::json::value& root) : root_(root) {}

  result<schema_facts> run() {
    later_.push_back(&root_);
    while (!later_.empty() && !problem_) {
      const auto* next = later_.back();
      later_.pop_back();
      apply(*next, 0);
    }
    if (problem_)
      return error{errc::invalid_argument, *problem_};
    return facts_;
  }

private:
  enum class progress : std::uint8_t { fresh, open, done };

  void apply(const boost::json::value& node, std::size_t depth) {
    const auto* object = node.if_object();
    if (object == nullptr || problem_)
      return;
    auto& state = seen_[object];
    if (state == progress::done)
      return;
    if (state == progress::open || depth > depth_max) {
      problem_ = "a subschema refers to itself without an end";
      return;
    }
    state = progress::open;
    for (const auto& member : *object)
      apply_keyword(member.key(), member.value(), depth + 1);
    seen_[object] = progress::done;
  }

  void apply_keyword(std::string_view name, const boost::json::value& value,
                     std::size_t depth) {
    if (name == "$ref")
      follow(value, depth);
    else if (name == "not" || name == "if" || name == "then" || name == "else")
      apply(value, depth);
    else if (name == "allOf" || name == "anyOf" || name == "oneOf"
             || name == "dependencies" || name == "dependentSchemas")
      for_each(value, [&](const auto& v) { apply(v, depth); });
    else if (name == "properties" || name == "definitions" || name == "$defs"
             || (name == "items" && value.is_array()))
      for_each(value, [&](const auto& v) { later_.push_back(&v); });
    else if (name == "items" || name == "contains" || name == "propertyNames"
             || name == "additionalItems" || name == "additionalProperties")
      later_.push_back(&value);
    else if (name == "pattern" && value.is_string())
      check_pattern(value.get_string());
    else if (name == "patternProperties" && value.is_object())
      for (const auto& member : value.get_object()) {
        check_pattern(member.key());
        later_.push_back(&member.value());
      }
    else if (name == "format")
      facts_.has_patterns = true;
  }

  template <class F>
  static void for_each(const boost::json::value& value, F f) {
    if (const auto* array = value.if_array())
      for (const auto& element : *array)
        f(element);
    else if (const auto* object = value.if_object())
      for (const auto& member : *object)
        f(member.value());
  }

  void follow(const boost::json::value& reference, std::size_t depth) {
    const auto* text = reference.if_string();
    if (text == nullptr)
      return; // The validator says what is wrong with it.
    boost::system::error_code ec;
    const auto* target = text->starts_with('#')
                           ? root_.find_pointer(text->subview(1), ec)
                           : nullptr;
    if (target == nullptr)
      problem_ = "the reference \"" + std::string{text->subview(0, 80)}
                 + "\" leads nowhere in the schema";
    else
      apply(*target, depth);
  }

  void check_pattern(std::string_view pattern) {
    facts_.has_patterns = true;
    const auto shown = "the pattern \"" + std::string{pattern.substr(0, 80)};
    if (pattern.size() > pattern_length_max) {
      problem_ = shown + "...\" is longer than "
                 + std::to_string(pattern_length_max) + " characters";
      return;
    }
    try {
      const std::regex compiled{std::string{pattern}};
    } catch (const std::regex_error&) {
      problem_ = shown + "\" is no regular expression of ECMAScript";
    }
  }

  const boost::json::value& root_;
  schema_facts facts_;
  std::optional<std::string> problem_;
  std::map<const boost::json::object*, progress> seen_;
  std::vector<const boost::json::value*> later_;
};

} // namespace

result<schema_facts> check_schema(const boost::json::value& schema) {
  return walker{schema}.run();
}

} // namespace kestrion::detail
