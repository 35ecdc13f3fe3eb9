#include "second_process.hpp"

#include <csignal>
#include <stdexcept>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bench {

second_process::second_process(const std::vector<std::string>& arguments) {
  constexpr const char* self = "/proc/self/exe";
  std::vector<char*> words{const_cast<char*>(self)};
  for (const auto& word : arguments)
    words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  int pipe[2] = {-1, -1};
  if (pipe2(pipe, O_CLOEXEC) != 0)
    throw std::runtime_error("no pipe can be made");
  pid_ = fork();
  if (pid_ == 0) { // Nothing but system calls: others may hold locks.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(pipe[1], STDOUT_FILENO);
    execv(self, words.data());
    _exit(127);
  }
  close(pipe[1]);
  output_ = pipe[0];
  if (pid_ < 0) {
    close(output_);
    throw std::runtime_error("no second process can be started");
  }
}

second_process::~second_process() {
  kill();
  close(output_);
}

void second_process::wait_until_ready() {
  char c = 0;
  if (read(output_, &c, 1) != 1)
    throw std::runtime_error("the second process ended too early");
}

void second_process::kill() {
  if (pid_ < 0)
    return;
  ::kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void say_ready() {
  const char c = '\n';
  if (write(STDOUT_FILENO, &c, 1) != 1)
    throw std::runtime_error("nobody listens");
}

void wait_for_the_end() {
  for (;;)
    pause();
}

} // namespace bench
