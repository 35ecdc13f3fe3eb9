#pragma once

#include <kestrion/messages/error.hpp>
#include <kestrion/messages/event.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kestrion {

/// What is never recorded.
struct redaction_rules {
  /// By name, 1 to 64 of A-Z a-z 0-9 _ -; a value has at least 8 bytes. In
  /// place of a value stands `[secret:NAME]`, for models and people; a tool
  /// whose arguments hold that gets the value.
  std::map<std::string, std::string> secrets = {};
  /// Regular expressions (Perl's) by name. In place of what one matches stands
  /// `[NAME]`, for good: nobody gets it back.
  std::map<std::string, std::string> patterns = {};
};

/// Takes out of texts what must not be recorded. What is spread over several
/// texts, or encoded (base64, say), is not found.
/// @par Threading Immutable; any thread.
class redactor {
public:
  /// @par Errors `invalid_argument`, naming the secret or the pattern: a name
  /// or
  ///   a value that is too short, an expression that is none
  static result<std::shared_ptr<const redactor>>
  make(const redaction_rules& rules);

  ~redactor();

  /// Secrets in all texts, patterns in those that people, models and tools
  /// wrote: not in ids, names and digests.
  void apply(event& e) const;

  /// Without the values of secrets, as they are or inside of JSON strings.
  std::string without_secrets(std::string text) const;

  /// The name of a secret whose value the text holds; nothing: none.
  std::optional<std::string> find_secret(std::string_view text) const;

  /// JSON with the values in place of their names.
  std::string reveal(std::string json) const;

private:
  struct secret {
    std::string name;
    std::string value;
    std::string escaped; ///< As inside of a JSON string.
    std::string stand_in;
  };
  struct pattern;

  redactor();
  std::string without_patterns(std::string text) const;

  std::vector<secret> secrets_; ///< The longest value first.
  std::vector<pattern> patterns_;
};

} // namespace kestrion
