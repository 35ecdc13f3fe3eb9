#include <kestrion/providers/models/wire_json.hpp>

#include <kestrion/messages/digest.hpp>
#include <kestrion/messages/json_text.hpp>

#include <algorithm>

namespace kestrion {

namespace {

/// No call has more; it keeps sums and prices far from overflow.
constexpr std::int64_t tokens_max = 1'000'000'000;

std::string_view view(const boost::json::string& s) {
  return {s.data(), s.size()};
}

void append(std::string& out, const boost::json::value& json) {
  const char* separator = "";
  switch (json.kind()) {
    case boost::json::kind::null: out += "null"; break;
    case boost::json::kind::bool_:
      out += json.get_bool() ? "true" : "false";
      break;
    case boost::json::kind::int64:
      out += std::to_string(json.get_int64());
      break;
    case boost::json::kind::uint64:
      out += std::to_string(json.get_uint64());
      break;
    case boost::json::kind::double_:
      append_json_number(out, json.get_double());
      break;
    case boost::json::kind::string:
      append_json_string(out, view(json.get_string()));
      break;
    case boost::json::kind::array:
      out += '[';
      for (const auto& element : json.get_array()) {
        out += separator;
        append(out, element);
        separator = ",";
      }
      out += ']';
      break;
    case boost::json::kind::object:
      out += '{';
      for (const auto& member : json.get_object()) {
        out += separator;
        append_json_string(out, {member.key().data(), member.key().size()});
        out += ':';
        append(out, member.value());
        separator = ",";
      }
      out += '}';
      break;
  }
}

} // namespace

std::string wire_text(const boost::json::value& json) {
  std::string out;
  append(out, json);
  return out;
}

const boost::json::value* member_of(const boost::json::value& json,
                                    std::string_view name) {
  const auto* object = json.if_object();
  const auto* member = object ? object->if_contains(name) : nullptr;
  return member && !member->is_null() ? member : nullptr;
}

std::string string_of(const boost::json::value& json, std::string_view name) {
  const auto* member = member_of(json, name);
  return member && member->is_string() ? std::string{view(member->get_string())}
                                       : std::string{};
}

std::int64_t tokens_of(const boost::json::value& json, std::string_view name) {
  const auto* member = member_of(json, name);
  if (!member || !member->is_number())
    return 0;
  const auto tokens = member->to_number<double>();
  return static_cast<std::int64_t>(
    std::clamp(tokens, 0.0, static_cast<double>(tokens_max)));
}

std::size_t position_of(const boost::json::value& json, std::string_view name) {
  const auto* member = member_of(json, name);
  if (!member || !member->is_int64() || member->get_int64() < 0)
    return 0;
  return static_cast<std::size_t>(member->get_int64());
}

void append_text(boost::json::object& json, std::string_view name,
                 std::string_view text) {
  auto& member = json[name];
  if (!member.is_string())
    member.emplace_string();
  member.get_string().append(text);
}

boost::json::object arguments_object(std::string_view text) {
  auto json = parse_json(text, "the arguments");
  return json && json->is_object() ? std::move(json->get_object())
                                   : boost::json::object{};
}

std::string wire_call_id(const std::string& vendor_id, const std::string& ours,
                         std::size_t bytes_max) {
  constexpr std::size_t digits = 24;
  const auto& id = vendor_id.empty() ? ours : vendor_id;
  return id.size() <= bytes_max ? id
                                : "call_" + sha256_hex(id).substr(0, digits);
}

result<boost::json::value> stored_json(std::string_view text,
                                       std::string_view what) {
  auto json = parse_json(text, what);
  if (!json)
    return error{errc::corrupt, json.error().detail};
  return json;
}

} // namespace kestrion
