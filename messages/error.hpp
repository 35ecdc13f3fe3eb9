#pragma once

#include <boost/describe/enum.hpp>
#include <boost/system/result.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace kestrion {

/// What went wrong, as far as a program can act on it. The sentence for people
/// is in `error::detail`.
enum class errc : std::uint8_t {
  ok,
  invalid_argument, ///< The caller's input is malformed; repeating is useless.
  not_found,        ///< No such agent, run, call or blob.
  refused,          ///< The run's state does not allow the command.
  forbidden,        ///< The decision needs another role.
  conflict,         ///< Somebody else appended first; load again and retry.
  corrupt,          ///< Stored data does not decode; nothing was skipped.
  unsupported,      ///< A scheme, version or option that we do not know.
  io,               ///< Disk or network failed.
  timeout,          ///< A step took longer than its limit.
  cancelled,        ///< Asked to stop before it was done.
  unavailable,      ///< The peer is down or overloaded; later may work.
  rate_limited,     ///< The peer says "slow down".
  quota_exhausted,  ///< The peer says "nothing left"; waiting is useless.
  unauthenticated,  ///< A key is missing or wrong.
  limit_exceeded,   ///< A declared limit is reached.
  invalid_output,   ///< The model's answers are not what the agent declares.
};

BOOST_DESCRIBE_ENUM(errc, ok, invalid_argument, not_found, refused, forbidden,
                    conflict, corrupt, unsupported, io, timeout, cancelled,
                    unavailable, rate_limited, quota_exhausted, unauthenticated,
                    limit_exceeded, invalid_output)

/// The enumerator's name, for logs and JSON.
std::string_view to_string(errc code);

/// Whether the same thing, done again later, may well succeed: `io`, `timeout`,
/// `unavailable`, `rate_limited` and `conflict`.
bool may_pass(errc code);

/// One failure: a code to act on and a sentence that names the thing, the value
/// and what was expected. Never holds a secret.
struct error {
  errc code{};
  std::string detail;
  bool operator==(const error&) const = default;
};

/// "code: detail", for terminals and logs.
std::string to_string(const error& e);

/// A value, or the reason why there is none. Store, providers, scheduler and
/// the machine return it; only the public face throws.
template <class T>
using result = boost::system::result<T, error>;

/// The exception of the public face; `what()` is the sentence.
class failure : public std::runtime_error {
public:
  explicit failure(kestrion::error e)
    : std::runtime_error(to_string(e)), error_(std::move(e)) {}

  errc code() const noexcept { return error_.code; }
  const kestrion::error& error() const noexcept { return error_; }

private:
  kestrion::error error_;
};

/// Makes `result<T>::value()` throw `failure`.
[[noreturn]] inline void
throw_exception_from_error(const error& e, const boost::source_location&) {
  throw failure(e);
}

/// A broken contract of our own: ends the actor it happens in, not the process.
class contract_violation : public std::logic_error {
public:
  using std::logic_error::logic_error;
};

/// Always on, in every build. @throws contract_violation
inline void ensure(bool condition, const char* why) {
  if (!condition)
    throw contract_violation(why);
}

} // namespace kestrion
