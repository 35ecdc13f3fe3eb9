#pragma once

#include <kestrion/messages/error.hpp>

#include <string>
#include <string_view>

namespace kestrion {

/// A file that is there as a whole and on disk after `commit`, or not at all:
/// it is written beside its place, under a name of its own.
/// @par Threading One thread at a time.
class durable_file {
public:
  explicit durable_file(std::string path);
  ~durable_file(); ///< What was not committed is removed.

  durable_file(const durable_file&) = delete;
  durable_file& operator=(const durable_file&) = delete;

  /// Failures are kept for `commit`.
  void write(std::string_view bytes);

  /// @par Errors `io`, naming the file and the reason
  result<void> commit();

private:
  bool flush();
  void note_failure();

  std::string path_;
  std::string beside_;
  std::string buffer_;
  int fd_ = -1;
  int failure_ = 0; ///< The first `errno`.
};

} // namespace kestrion
