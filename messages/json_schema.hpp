#pragma once

#include <kestrion/messages/described.hpp>

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

/// The JSON Schema of described structs: what described.hpp writes and reads.
namespace kestrion {

/// How a document leaves an optional member empty.
enum class empty_member : std::uint8_t {
  absent,         ///< What tools take.
  absent_or_null, ///< What models answer: some vendors want every member.
};

/// Appends the JSON Schema (2020-12) of T. Objects are closed
/// (`additionalProperties: false`); optional members are not required.
template <class T>
void append_json_schema(std::string& out,
                        empty_member empty = empty_member::absent) {
  using namespace detail;
  if constexpr (std::same_as<T, std::string>) {
    out += R"({"type":"string"})";
  } else if constexpr (std::same_as<T, bool>) {
    out += R"({"type":"boolean"})";
  } else if constexpr (std::integral<T>) {
    out += R"({"type":"integer")";
    if constexpr (sizeof(T) < 8) {
      // Models mind a bound that is there; 64-bit bounds only confuse them.
      out += R"(,"minimum":)";
      append_json(out, std::numeric_limits<T>::min());
      out += R"(,"maximum":)";
      append_json(out, std::numeric_limits<T>::max());
    } else if constexpr (std::unsigned_integral<T>) {
      out += R"(,"minimum":0)";
    }
    out += '}';
  } else if constexpr (std::floating_point<T>) {
    out += R"({"type":"number"})";
  } else if constexpr (described_enum<T>) {
    out += R"({"type":"string","enum":[)";
    const char* separator = "";
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>(
      [&](auto enumerator) {
        out += separator;
        append_json_string(out, enumerator.name);
        separator = ",";
      });
    out += "]}";
  } else if constexpr (optional_value<T>) {
    const bool takes_null = empty == empty_member::absent_or_null;
    out += takes_null ? R"({"anyOf":[)" : "";
    append_json_schema<typename T::value_type>(out, empty);
    out += takes_null ? R"(,{"type":"null"}]})" : "";
  } else if constexpr (is_a<T, std::vector>) {
    out += R"({"type":"array","items":)";
    append_json_schema<typename T::value_type>(out, empty);
    out += '}';
  } else if constexpr (string_map<T>) {
    out += R"({"type":"object","additionalProperties":)";
    append_json_schema<typename T::mapped_type>(out, empty);
    out += '}';
  } else if constexpr (std::same_as<T, boost::json::value>) {
    out += "{}";
  } else if constexpr (described_struct<T>) {
    std::string required;
    const char* separator = "";
    out += R"({"type":"object","properties":{)";
    boost::mp11::mp_for_each<members_of<T>>([&](auto member) {
      using field_type =
        std::remove_cvref_t<decltype(std::declval<T&>().*member.pointer)>;
      out += separator;
      append_json_string(out, member.name);
      out += ':';
      append_json_schema<field_type>(out, empty);
      separator = ",";
      if constexpr (!optional_value<field_type>) {
        required += required.empty() ? "" : ",";
        append_json_string(required, member.name);
      }
    });
    out +=
      R"(},"required":[)" + required + R"(],"additionalProperties":false})";
  } else {
    static_assert(
      unsupported<T>,
      "kestrion has no JSON Schema for this type: " KESTRION_SUPPORTED_TYPES);
  }
}

template <class T>
std::string json_schema(empty_member empty = empty_member::absent) {
  std::string out;
  append_json_schema<T>(out, empty);
  return out;
}

} // namespace kestrion
