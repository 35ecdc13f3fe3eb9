#pragma once

#include <kestrion/messages/error.hpp>

#include <cstdint>
#include <string>

namespace kestrion {

/// Tells living owners from dead ones: each holds a lock on one byte of a file,
/// which the kernel drops with the process, at once and however it ends.
///
/// The lock belongs to the open file, so two of these in one process are two
/// parties. A child that is forked without `exec` shares it.
/// @par Threading One thread at a time.
/// @par Source fcntl(2), "Open file description locks"
class owner_locks {
public:
  /// Creates the file if needed. Whoever deletes it while a process has it open
  /// makes that process look dead to the next.
  /// @par Errors `io`
  static result<owner_locks> open(std::string path);

  owner_locks(owner_locks&& other) noexcept;
  owner_locks& operator=(owner_locks&& other) noexcept;
  ~owner_locks();

  /// Takes byte `id` for as long as this lives.
  /// @returns False if another has it. @par Errors `io`
  result<bool> take(std::int64_t id);

  /// Lets go of byte `id`; nothing if it is not ours.
  void drop(std::int64_t id);

  /// True if somebody else holds byte `id`. @par Errors `io`
  result<bool> is_taken(std::int64_t id) const;

private:
  owner_locks(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  error failed() const;

  std::string path_;
  int fd_ = -1;
};

} // namespace kestrion
