#include <kestrion/tests/support/child_process.hpp>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <sstream>
#include <system_error>

namespace kestrion::test {

namespace {

void require(bool condition, int code, const char* what) {
  if (!condition)
    throw std::system_error(code, std::generic_category(), what);
}

} // namespace

child_process::child_process(const std::vector<std::string>& command) {
  std::array<int, 2> pipe{};
  require(::pipe2(pipe.data(), O_CLOEXEC) == 0, errno, "pipe");
  std::vector<char*> words;
  words.reserve(command.size() + 1);
  for (const auto& word : command)
    words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
  const int failed = ::posix_spawn(&pid_, words.front(), &actions, nullptr,
                                   words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(pipe[1]);
  output_ = pipe[0];
  require(failed == 0, failed, "posix_spawn");
}

child_process::~child_process() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::close(output_);
}

bool child_process::read_some(clock::time_point deadline) {
  const auto left =
    std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now());
  pollfd ready{output_, POLLIN, 0};
  if (left.count() < 0
      || ::poll(&ready, 1, static_cast<int>(left.count())) <= 0)
    return false;
  std::array<char, 65'536> buffer{};
  const auto n = ::read(output_, buffer.data(), buffer.size());
  closed_ = n == 0;
  if (n > 0)
    said_.append(buffer.data(), static_cast<std::size_t>(n));
  return n > 0;
}

bool child_process::has_spoken(clock::time_point deadline) {
  while (said_.empty() && read_some(deadline)) {
  }
  return !said_.empty();
}

bool child_process::has_said(std::string_view line,
                             clock::time_point deadline) {
  const auto wanted = "\n" + std::string{line} + "\n";
  const auto is_there = [&] {
    return ("\n" + said_).find(wanted) != std::string::npos;
  };
  while (!is_there() && read_some(deadline)) {
  }
  return is_there();
}

bool child_process::has_ended(clock::time_point deadline) {
  while (!closed_ && read_some(deadline)) {
  }
  return closed_;
}

void child_process::signal(int number) {
  require(::kill(pid_, number) == 0, errno, "kill");
}

void child_process::suspend() {
  signal(SIGSTOP);
  int status = 0;
  require(::waitpid(pid_, &status, WUNTRACED) == pid_ && WIFSTOPPED(status),
          errno, "waitpid");
}

void child_process::kill() {
  require(::kill(pid_, SIGKILL) == 0, errno, "kill");
  exit_code();
  has_ended(clock::now() + std::chrono::seconds{10});
}

int child_process::exit_code() {
  int status = 0;
  require(::waitpid(pid_, &status, 0) == pid_, errno, "waitpid");
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::vector<std::string> child_process::lines() const {
  std::vector<std::string> out;
  const auto end = said_.rfind('\n');
  std::istringstream in(
    said_.substr(0, end == std::string::npos ? 0 : end + 1));
  for (std::string line; std::getline(in, line);)
    out.push_back(line);
  return out;
}

} // namespace kestrion::test
