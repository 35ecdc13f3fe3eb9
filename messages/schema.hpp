#pragma once

#include <kestrion/messages/error.hpp>

#include <boost/json/value.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace kestrion {

/// A compiled JSON Schema (draft 7, as valijson has it).
/// @par Threading Immutable; any thread.
class schema {
public:
  /// @par Errors `invalid_argument` if `text` is no JSON or no schema.
  static result<std::shared_ptr<const schema>> compile(std::string_view text);

  ~schema();
  schema(const schema&) = delete;
  schema& operator=(const schema&) = delete;

  /// @par Errors `invalid_argument`, with every place that does not fit: it is
  ///             what a model gets to mend its arguments.
  result<void> validate(const boost::json::value& json) const;

private:
  struct impl;
  explicit schema(std::unique_ptr<impl> p);
  std::unique_ptr<impl> impl_;
};

} // namespace kestrion
