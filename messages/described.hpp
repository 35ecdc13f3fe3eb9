#pragma once

#include <kestrion/messages/boxed.hpp>
#include <kestrion/messages/json_text.hpp>
#include <kestrion/messages/run_id.hpp>
#include <kestrion/messages/time.hpp>

#include <boost/describe/enum_from_string.hpp>
#include <boost/describe/enum_to_string.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/describe/members.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/mp11/algorithm.hpp>

#include <charconv>
#include <chrono>
#include <concepts>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

/// Encoding and decoding of described structs: one mapping for tool parameters,
/// tool results and the event log. Their JSON Schema is in json_schema.hpp.
///
/// Supported: std::string, bool, integers, floating point, described enums (by
/// name), std::optional (absent when empty), std::vector, std::map<std::string,
/// T>, boost::json::value (anything) and described structs of these. The log
/// uses times and tagged variants besides.
namespace kestrion {

namespace detail {

template <class T, template <class...> class Template>
inline constexpr bool is_a = false;
template <class... Ts, template <class...> class Template>
inline constexpr bool is_a<Template<Ts...>, Template> = true;

template <class T>
concept described_struct =
  boost::describe::has_describe_members<T>::value && !std::is_enum_v<T>;
template <class T>
concept described_enum =
  std::is_enum_v<T> && boost::describe::has_describe_enumerators<T>::value;
template <class T>
concept optional_value = is_a<T, std::optional> || is_a<T, boxed>;
template <class T>
concept string_map =
  is_a<T, std::map> && std::same_as<typename T::key_type, std::string>;
template <class T>
concept tagged = requires {
  std::string_view{T::tag};
};

template <class T>
using members_of =
  boost::describe::describe_members<T, boost::describe::mod_public>;

/// False, but only once T is known: for static_assert in a last branch.
template <class>
inline constexpr bool unsupported = false;

#define KESTRION_SUPPORTED_TYPES                                               \
  "supported are std::string, bool, integers, floating point, enums described" \
  " with BOOST_DESCRIBE_ENUM, std::optional, std::vector, "                    \
  "std::map<std::string, T>, boost::json::value, and structs of these "        \
  "described with BOOST_DESCRIBE_STRUCT"

} // namespace detail

// -- encoding -----------------------------------------------------------------

template <class T>
void append_json(std::string& out, const T& value);

namespace detail {

/// Appends the described members of `value` that are not empty optionals, each
/// as `"name":value,`.
template <class T>
void append_members(std::string& out, const T& value) {
  boost::mp11::mp_for_each<members_of<T>>([&](auto member) {
    const auto& field = value.*member.pointer;
    if constexpr (optional_value<std::remove_cvref_t<decltype(field)>>) {
      if (!field)
        return;
    }
    constexpr std::string_view name = decltype(member)::name;
    out += '"';
    out += name; // A C++ identifier: nothing to escape.
    out += "\":";
    append_json(out, field);
    out += ',';
  });
}

/// Ends an object after its last member's comma, or after its brace.
inline void end_object(std::string& out) {
  if (out.back() == ',')
    out.back() = '}';
  else
    out += '}';
}

} // namespace detail

/// Appends `value` as compact JSON, members in the order of their description.
template <class T>
void append_json(std::string& out, const T& value) {
  using namespace detail;
  if constexpr (std::same_as<
                  T, std::string> || std::same_as<T, std::string_view>) {
    append_json_string(out, value);
  } else if constexpr (std::same_as<T, bool>) {
    out += value ? "true" : "false";
  } else if constexpr (std::integral<T>) {
    char text[24];
    out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
  } else if constexpr (std::floating_point<T>) {
    append_json_number(out, static_cast<double>(value));
  } else if constexpr (described_enum<T>) {
    append_json_string(out, boost::describe::enum_to_string(value, "?"));
  } else if constexpr (optional_value<T>) {
    if (value)
      append_json(out, *value);
    else
      out += "null";
  } else if constexpr (is_a<T, std::vector>) {
    out += '[';
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (i != 0)
        out += ',';
      append_json<typename T::value_type>(out, value[i]);
    }
    out += ']';
  } else if constexpr (string_map<T>) {
    out += '{';
    const char* separator = "";
    for (const auto& [name, member] : value) {
      out += separator;
      append_json_string(out, name);
      out += ':';
      append_json(out, member);
      separator = ",";
    }
    out += '}';
  } else if constexpr (std::same_as<T, boost::json::value>) {
    out += boost::json::serialize(value);
  } else if constexpr (std::same_as<T, run_id>) {
    append_json_string(out, value.str());
  } else if constexpr (std::same_as<T, timestamp>) {
    append_json(out, value.time_since_epoch().count());
  } else if constexpr (std::same_as<T, duration>) {
    append_json(out, value.count());
  } else if constexpr (is_a<T, std::variant>) {
    std::visit([&](const auto& alternative) { append_json(out, alternative); },
               value);
  } else if constexpr (described_struct<T>) {
    out += '{';
    if constexpr (tagged<T>) {
      out += R"("type":)";
      append_json_string(out, T::tag);
      out += ',';
    }
    append_members(out, value);
    end_object(out);
  } else {
    static_assert(
      unsupported<T>,
      "kestrion can't write this type as JSON: " KESTRION_SUPPORTED_TYPES);
  }
}

template <class T>
std::string encode_json(const T& value) {
  std::string out;
  append_json(out, value);
  return out;
}

// -- decoding -----------------------------------------------------------------

namespace detail {

error mistyped(std::string_view path, std::string_view expected,
               const boost::json::value& got);
error missing(std::string_view path, std::string_view name);
error unexpected(std::string_view path, std::string_view name);
error unknown_name(std::string_view path, std::string_view got);

/// The path of a member of what is at `path`.
std::string member_path(const std::string& path, std::string_view name);

/// True if a JSON object of a T may have a member of this name.
template <class T>
bool is_member(std::string_view name) {
  bool found = tagged<T> && name == "type";
  boost::mp11::mp_for_each<members_of<T>>(
    [&](auto member) { found = found || name == member.name; });
  return found;
}

} // namespace detail

/// Reads `json` into a T: every member that is not optional must be there, and
/// none that T does not have.
/// @param path  Where we are, for the error: "replicas".
/// @par Errors `invalid_argument`, naming the member, its value and what was
///             expected.
template <class T>
result<T> decode_json(const boost::json::value& json,
                      const std::string& path = {}) {
  using namespace detail;
  if constexpr (std::same_as<T, std::string>) {
    if (const auto* s = json.if_string())
      return std::string{s->data(), s->size()};
    return mistyped(path, "a string", json);
  } else if constexpr (std::same_as<T, bool>) {
    if (const auto* b = json.if_bool())
      return *b;
    return mistyped(path, "true or false", json);
  } else if constexpr (std::integral<T>) {
    boost::system::error_code ec;
    if (json.is_number()) {
      const auto n = json.to_number<T>(ec); // 3.0 is an integer, 3.5 is not.
      if (!ec)
        return n;
    }
    return mistyped(path,
                    "an integer from "
                      + std::to_string(std::numeric_limits<T>::min()) + " to "
                      + std::to_string(std::numeric_limits<T>::max()),
                    json);
  } else if constexpr (std::floating_point<T>) {
    if (json.is_number())
      return static_cast<T>(json.to_number<double>());
    return mistyped(path, "a number", json);
  } else if constexpr (described_enum<T>) {
    auto name = decode_json<std::string>(json, path);
    if (!name)
      return name.error();
    T out{};
    if (boost::describe::enum_from_string(name->c_str(), out))
      return out;
    return unknown_name(path, *name);
  } else if constexpr (optional_value<T>) {
    if (json.is_null())
      return T{};
    auto inner = decode_json<typename T::value_type>(json, path);
    if (!inner)
      return inner.error();
    return T{std::move(*inner)};
  } else if constexpr (is_a<T, std::vector>) {
    const auto* array = json.if_array();
    if (!array)
      return mistyped(path, "an array", json);
    T out;
    out.reserve(array->size());
    for (const auto& element : *array) {
      auto item = decode_json<typename T::value_type>(
        element, path + "[" + std::to_string(out.size()) + "]");
      if (!item)
        return item.error();
      out.push_back(std::move(*item));
    }
    return out;
  } else if constexpr (string_map<T>) {
    const auto* object = json.if_object();
    if (!object)
      return mistyped(path, "an object", json);
    T out;
    for (const auto& [name, element] : *object) {
      auto item =
        decode_json<typename T::mapped_type>(element, member_path(path, name));
      if (!item)
        return item.error();
      out.emplace(std::string{name}, std::move(*item));
    }
    return out;
  } else if constexpr (std::same_as<T, boost::json::value>) {
    return json;
  } else if constexpr (std::same_as<T, run_id>) {
    auto text = decode_json<std::string>(json, path);
    if (!text)
      return text.error();
    return run_id::parse(*text);
  } else if constexpr (std::same_as<T, timestamp>) {
    auto us = decode_json<std::int64_t>(json, path);
    if (!us)
      return us.error();
    return timestamp{duration{*us}};
  } else if constexpr (std::same_as<T, duration>) {
    auto us = decode_json<std::int64_t>(json, path);
    if (!us)
      return us.error();
    return duration{*us};
  } else if constexpr (is_a<T, std::variant>) {
    const auto* object = json.if_object();
    const auto* type = object ? object->if_contains("type") : nullptr;
    if (!type || !type->is_string())
      return mistyped(path, "an object with a type", json);
    const std::string_view tag{type->get_string().data(),
                               type->get_string().size()};
    result<T> out = unknown_name(member_path(path, "type"), tag);
    boost::mp11::mp_for_each<boost::mp11::mp_transform<
      std::type_identity, boost::mp11::mp_rename<T, boost::mp11::mp_list>>>(
      [&]<class A>(std::type_identity<A>) {
        if (tag != A::tag)
          return;
        if (auto alternative = decode_json<A>(json, path))
          out = T{std::move(*alternative)};
        else
          out = alternative.error();
      });
    return out;
  } else if constexpr (described_struct<T>) {
    const auto* object = json.if_object();
    if (!object)
      return mistyped(path, "an object", json);
    T out{};
    std::size_t known = 0;
    std::optional<error> problem;
    if constexpr (tagged<T>)
      known += object->contains("type") ? 1 : 0;
    boost::mp11::mp_for_each<members_of<T>>([&](auto member) {
      using field_type = std::remove_cvref_t<decltype(out.*member.pointer)>;
      if (problem)
        return;
      const auto* field = object->if_contains(member.name);
      if (!field) {
        if constexpr (!optional_value<field_type>)
          problem = missing(path, member.name);
        return;
      }
      ++known;
      auto decoded =
        decode_json<field_type>(*field, member_path(path, member.name));
      if (decoded)
        out.*member.pointer = std::move(*decoded);
      else
        problem = decoded.error();
    });
    if (!problem && known != object->size()) {
      for (const auto& member : *object)
        if (!is_member<T>(member.key()))
          problem = unexpected(path, member.key());
    }
    if (problem)
      return *problem;
    return out;
  } else {
    static_assert(
      unsupported<T>,
      "kestrion can't read this type from JSON: " KESTRION_SUPPORTED_TYPES);
  }
}

} // namespace kestrion
