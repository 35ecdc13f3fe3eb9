#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace bench {

/// This program, started again with other arguments: a process that shares a
/// store with this one, or gets killed. It dies with the thread that started
/// it.
class second_process {
public:
  /// @throws std::runtime_error  If it can't be started.
  explicit second_process(const std::vector<std::string>& arguments);

  /// Kills it, if nobody did.
  ~second_process();
  second_process(const second_process&) = delete;
  second_process& operator=(const second_process&) = delete;

  /// Blocks until it has called `say_ready`.
  /// @throws std::runtime_error  If it ends before.
  void wait_until_ready();

  /// SIGKILL; returns when it is gone.
  void kill();

private:
  pid_t pid_ = -1;
  int output_ = -1;
};

/// For the second process: tells the first one to go on.
void say_ready();

/// For the second process: lives until it is killed.
[[noreturn]] void wait_for_the_end();

} // namespace bench
