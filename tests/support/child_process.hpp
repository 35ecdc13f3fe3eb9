#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace kestrion::test {

/// A real process: to be listened to, and to be killed for real.
class child_process {
public:
  using clock = std::chrono::steady_clock;

  /// Starts `command`; its standard output is ours to read.
  explicit child_process(const std::vector<std::string>& command);

  /// Kills it, if nobody did.
  ~child_process();
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  /// Reads until it has said something, it closes its output, or `deadline`.
  /// @returns Whether it has said something ever.
  bool has_spoken(clock::time_point deadline);

  /// Reads until it has said this whole line, it closes its output, or
  /// `deadline`. @returns Whether it has said it.
  bool has_said(std::string_view line, clock::time_point deadline);

  /// Reads until it closes its output, or `deadline`.
  /// @returns Whether it has closed it.
  bool has_ended(clock::time_point deadline);

  /// Sends it a signal: SIGCONT, SIGUSR1 …
  void signal(int number);

  /// SIGSTOP; waits until it stands still.
  void suspend();

  /// SIGKILL; waits until it is gone and reads what is left.
  void kill();

  /// Waits for its own end. @returns Its exit code; 128 and the signal.
  int exit_code();

  /// All it said so far.
  const std::string& text() const { return said_; }

  /// All it said so far, whole lines.
  std::vector<std::string> lines() const;

private:
  /// @returns Whether there may be more.
  bool read_some(clock::time_point deadline);

  pid_t pid_ = -1;
  int output_ = -1;
  bool closed_ = false;
  std::string said_;
};

} // namespace kestrion::test
