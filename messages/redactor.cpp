#include <kestrion/messages/redactor.hpp>

#include <kestrion/messages/attachments.hpp>
#include <kestrion/messages/json_text.hpp>
#include <kestrion/messages/valid_text.hpp>

#include <boost/regex.hpp>

#include <algorithm>
#include <set>

namespace kestrion {

namespace {

constexpr std::size_t secret_bytes_min = 8;
constexpr std::size_t name_bytes_max = 64;

bool is_redaction_name(std::string_view name) {
  return !name.empty() && name.size() <= name_bytes_max
         && std::all_of(name.begin(), name.end(), [](unsigned char c) {
              return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
                     || (c >= '0' && c <= '9') || c == '_' || c == '-';
            });
}

error bad_name(std::string_view what, const std::string& name) {
  return {errc::invalid_argument, "redaction: \"" + name + "\" is no name of a "
                                    + std::string{what}
                                    + "; expected 1 to 64 of A-Z a-z 0-9 _ -"};
}

std::string inside_json(const std::string& text) {
  std::string out;
  append_json_string(out, text);
  return out.substr(1, out.size() - 2);
}

std::string replaced(std::string text, std::string_view what,
                     std::string_view by) {
  for (auto at = text.find(what); at != std::string::npos;
       at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

/// Members that people, models, tools and the world write.
bool is_free_text(std::string_view member) {
  static const std::set<std::string_view> all{
    "text", "content", "detail",  "reason", "arguments", "question", "choices",
    "data", "output",  "summary", "raw",    "labels",    "url"};
  return all.contains(member);
}

} // namespace

struct redactor::pattern {
  boost::regex expression;
  std::string stand_in;
};

redactor::redactor() = default;
redactor::~redactor() = default;

result<std::shared_ptr<const redactor>>
redactor::make(const redaction_rules& rules) {
  std::shared_ptr<redactor> out{new redactor};
  for (const auto& [name, value] : rules.secrets) {
    if (!is_redaction_name(name))
      return bad_name("secret", name);
    if (value.size() < secret_bytes_min)
      return error{errc::invalid_argument,
                   "redaction: the secret \"" + name + "\" has "
                     + std::to_string(value.size())
                     + " bytes; expected at least 8, or innocent text would "
                       "hold it"};
    out->secrets_.push_back(
      {name, value, inside_json(value), "[secret:" + name + "]"});
  }
  for (const auto& each : out->secrets_)
    for (const auto& other : out->secrets_)
      if (other.stand_in.find(each.value) != std::string::npos)
        return error{errc::invalid_argument,
                     "redaction: the value of the secret \"" + each.name
                       + "\" is part of \"" + other.stand_in
                       + "\", which stands for one"};
  std::stable_sort(out->secrets_.begin(), out->secrets_.end(),
                   [](const auto& a, const auto& b) {
                     return a.value.size() > b.value.size();
                   });
  for (const auto& [name, expression] : rules.patterns) {
    if (!is_redaction_name(name))
      return bad_name("pattern", name);
    try {
      out->patterns_.push_back({boost::regex{expression}, "[" + name + "]"});
    } catch (const boost::regex_error& e) {
      return error{errc::invalid_argument,
                   "redaction: the pattern \"" + name + "\" is \"" + expression
                     + "\", which is no regular expression: " + e.what()};
    }
    if (boost::regex_match(std::string{}, out->patterns_.back().expression))
      return error{errc::invalid_argument,
                   "redaction: the pattern \"" + name + "\" is \"" + expression
                     + "\", which matches nothing at all, everywhere"};
  }
  return std::shared_ptr<const redactor>{std::move(out)};
}

void redactor::apply(event& e) const {
  change_texts(e, [this](std::string& text, std::string_view member) {
    text = without_secrets(std::move(text));
    // What looks like a match in bytes as base64 is none, and they would be
    // broken.
    if (is_free_text(member) && !(member == "url" && data_in(text)))
      text = without_patterns(std::move(text));
  });
}

std::string redactor::without_secrets(std::string text) const {
  for (const auto& each : secrets_) {
    text = replaced(std::move(text), each.value, each.stand_in);
    if (each.escaped != each.value)
      text = replaced(std::move(text), each.escaped, each.stand_in);
  }
  return text;
}

std::string redactor::without_patterns(std::string text) const {
  for (const auto& each : patterns_) {
    try {
      text = boost::regex_replace(text, each.expression, each.stand_in,
                                  boost::regex_constants::format_literal);
    } catch (const std::exception&) {
      return each.stand_in; // Too much work to look for: better none of it.
    }
  }
  return text;
}

std::optional<std::string> redactor::find_secret(std::string_view text) const {
  for (const auto& each : secrets_)
    if (text.find(each.value) != std::string_view::npos)
      return each.name;
  return std::nullopt;
}

std::string redactor::reveal(std::string json) const {
  for (const auto& each : secrets_)
    json = replaced(std::move(json), each.stand_in, each.escaped);
  return json;
}

} // namespace kestrion
