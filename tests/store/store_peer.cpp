/// Another process with the same store, for sharing_test and hung_owner_test.
///     store_peer URL GATE COUNT [LEASE_MS]
/// Opens the store, says "ready", waits until somebody opens the named pipe
/// GATE for writing, claims the runs 1 to COUNT, says the number of each that
/// it got, then "done", and waits to be killed. With a lease it renews it ten
/// times in its length, and at SIGUSR1 tries to append the second event to each
/// of the runs: it says "RUN ok" or "RUN conflict", then "appended".
#include "store_support.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>

using namespace kestrion;

namespace {

bool claim_all(event_store& store, std::uint64_t count) {
  for (std::uint64_t n = 1; n <= count; ++n) {
    const auto ours = store.claim(test::run_number(n));
    if (!ours)
      return false;
    if (*ours)
      std::cout << n << '\n';
  }
  std::cout << "done" << std::endl;
  return true;
}

void append_all(event_store& store, std::uint64_t count) {
  for (std::uint64_t n = 1; n <= count; ++n) {
    const auto done =
      test::append(store, test::next_append(test::run_number(n), 1));
    std::cout << n << ' ' << (done ? "ok" : to_string(done.error().code))
              << '\n';
  }
  std::cout << "appended" << std::endl;
}

/// Lives until it is killed, or fails to renew.
void keep(event_store& store, std::uint64_t count, long lease_ms,
          const sigset_t& signals) {
  const timespec tick{0, lease_ms * 100'000}; // a tenth
  for (;;)
    if (::sigtimedwait(&signals, nullptr, &tick) == SIGUSR1)
      append_all(store, count);
    else if (!store.renew())
      return;
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5)
    return EXIT_FAILURE;
  ::alarm(120); // A test that crashed must not leave us behind.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGUSR1);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  const long lease_ms = argc == 5 ? std::strtol(argv[4], nullptr, 10) : 10'000;
  const auto store = open_store(argv[1], std::chrono::milliseconds{lease_ms});
  if (!store)
    return EXIT_FAILURE;
  std::cout << "ready" << std::endl;
  const std::ifstream gate{argv[2]}; // opens when the other end does
  const auto count = std::strtoull(argv[3], nullptr, 10);
  if (!claim_all(**store, count))
    return EXIT_FAILURE;
  if (argc == 5)
    keep(**store, count, lease_ms, signals);
  else
    while (true)
      ::pause();
  return EXIT_FAILURE;
}
