#include "supervisor.hpp"

#include "agents.hpp"
#include "proof.hpp"
#include "worker.hpp"

#include <kestrion/kestrion.hpp>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <iostream>
#include <random>
#include <stdexcept>
#include <thread>

namespace k = kestrion;
using namespace std::chrono_literals;

namespace {

using clock_type = std::chrono::steady_clock;

constexpr int kills_max = 10;
constexpr auto look_interval = 10ms;

/// This program again, as the worker.
pid_t start_worker(const std::filesystem::path& folder, int cases) {
  const std::array<std::string, 4> words{"fleet", "--worker", folder.string(),
                                         std::to_string(cases)};
  std::array<char*, 5> arguments{};
  for (std::size_t i = 0; i < words.size(); ++i)
    arguments[i] = const_cast<char*>(words[i].c_str());
  pid_t worker = -1;
  if (::posix_spawn(&worker, "/proc/self/exe", nullptr, nullptr,
                    arguments.data(), environ)
      != 0)
    throw std::runtime_error("the worker can't be started");
  return worker;
}

/// One look at the store.
struct picture {
  int running = 0;
  int completed = 0;
  int waiting = 0;
  std::uint64_t events = 0;

  explicit picture(const k::runtime& store) {
    for (const auto& row : all_runs(store)) {
      events += row.last_seq;
      if (row.status == k::run_status::completed) {
        ++completed;
      } else if (row.status == k::run_status::running) {
        ++running;
      } else {
        ++waiting;
      }
    }
  }
};

/// How things are: a line a second, or on a terminal one line with a bar.
class progress {
public:
  progress(const k::runtime& store, int runs) : store_(store), runs_(runs) {}

  /// Says something if it is time to.
  void show(int kills) {
    if (clock_type::now() >= next_)
      say(kills);
  }

  void say(int kills) {
    const picture now{store_};
    const auto passed =
      std::chrono::duration<double>{clock_type::now() - last_};
    const auto rate =
      static_cast<double>(now.events - events_) / passed.count();
    last_ = clock_type::now();
    next_ = last_ + interval_;
    events_ = now.events;
    std::cout << (is_terminal_ ? "\r\x1b[K" + bar(now.completed) : "")
              << now.running << " running, " << now.completed << " completed, "
              << now.waiting << " waiting, " << kills << " kills, "
              << static_cast<long>(rate) << " events/s"
              << (is_terminal_ ? "" : "\n") << std::flush;
  }

  void end(int kills) {
    say(kills);
    if (is_terminal_)
      std::cout << '\n';
  }

private:
  std::string bar(int completed) const {
    constexpr int width = 24;
    const auto full =
      static_cast<std::size_t>(std::int64_t{width} * completed / runs_);
    return '[' + std::string(full, '#') + std::string(width - full, '.') + "] ";
  }

  const k::runtime& store_;
  int runs_;
  bool is_terminal_ = ::isatty(STDOUT_FILENO) == 1;
  std::chrono::milliseconds interval_{is_terminal_ ? 250 : 1'000};
  clock_type::time_point last_ = clock_type::now();
  clock_type::time_point next_ = last_ + interval_;
  std::uint64_t events_ = 0;
};

/// Lets the worker live until its end, or until `killed_at`.
/// @returns Whether it came to its end.
bool live(pid_t worker, clock_type::time_point killed_at, progress& p,
          int kills) {
  for (;;) {
    int status = 0;
    if (::waitpid(worker, &status, WNOHANG) == worker) {
      if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        throw std::runtime_error("the worker failed");
      return true;
    }
    if (clock_type::now() >= killed_at) {
      ::kill(worker, SIGKILL);
      ::waitpid(worker, &status, 0);
      return !WIFSIGNALED(status); // It may have been faster.
    }
    p.show(kills);
    std::this_thread::sleep_for(look_interval);
  }
}

} // namespace

story supervise(const std::filesystem::path& folder, int cases,
                std::uint64_t seed) {
  // Only to look into the store: it knows no agent.
  const k::runtime store{{.store = store_in(folder), .recover = false}, {}};
  std::mt19937_64 random{seed};
  std::uniform_real_distribution<double> share{0.3, 1.7};
  // The more there is to do, the longer a life.
  const std::chrono::duration<double> life = 50ms + cases * 400us;
  progress p{store, runs_of(cases)};
  story out;
  const auto begin = clock_type::now();
  for (bool ended = false; !ended;) {
    auto killed_at = clock_type::time_point::max();
    if (out.kills < kills_max)
      killed_at = clock_type::now()
                  + std::chrono::duration_cast<clock_type::duration>(
                    life * share(random));
    ended = live(start_worker(folder, cases), killed_at, p, out.kills);
    out.kills += ended ? 0 : 1;
  }
  p.end(out.kills);
  out.seconds =
    std::chrono::duration<double>{clock_type::now() - begin}.count();
  return out;
}
