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
/// apply to a part of it wait in `later_`, with the name of the member that
/// they are about, if that is known.
class walker {
public:
  explicit walker(const boost::json::value& root) : root_(root) {}

  result<schema_facts> run() {
    later_.push_back({&root_, {}});
    while (!later_.empty() && !problem_) {
      const auto next = later_.back();
      later_.pop_back();
      member_ = next.member;
      apply(*next.schema, 0);
    }
    if (problem_)
      return error{errc::invalid_argument, *problem_};
    // A reference takes a pattern to other members too.
    if (has_references_ && !facts_.matched_members.empty())
      facts_.matches_anything = true;
    return facts_;
  }

private:
  enum class progress : std::uint8_t { fresh, open, done };

  struct waiting {
    const boost::json::value* schema;
    std::optional<std::string> member;
  };

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
    else if (name == "properties" && value.is_object())
      for (const auto& member : value.get_object())
        later_.push_back({&member.value(), std::string{member.key()}});
    else if (name == "items" || name == "contains" || name == "additionalItems")
      for_each_schema(value, member_); // Elements count as their array.
    else if (name == "definitions" || name == "$defs")
      for_each(value, [&](const auto& v) { later_.push_back({&v, {}}); });
    else if (name == "additionalProperties" || name == "propertyNames")
      later_.push_back({&value, {}});
    else if (name == "pattern" && value.is_string())
      check_pattern(value.get_string());
    else if (name == "patternProperties" && value.is_object())
      for (const auto& member : value.get_object()) {
        check_pattern(member.key());
        later_.push_back({&member.value(), {}});
      }
    else if (name == "format")
      note_pattern();
  }

  void for_each_schema(const boost::json::value& value,
                       const std::optional<std::string>& member) {
    if (value.is_array())
      for_each(value, [&](const auto& v) { later_.push_back({&v, member}); });
    else
      later_.push_back({&value, member});
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
    has_references_ = true;
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

  void note_pattern() {
    if (member_)
      facts_.matched_members.insert(*member_);
    else
      facts_.matches_anything = true;
  }

  void check_pattern(std::string_view pattern) {
    note_pattern();
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
  std::vector<waiting> later_;
  std::optional<std::string> member_; ///< What is walked now is about.
  bool has_references_ = false;
};

} // namespace

result<schema_facts> check_schema(const boost::json::value& schema) {
  return walker{schema}.run();
}

} // namespace kestrion::detail
