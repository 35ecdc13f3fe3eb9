/// Another process with the same store, for sharing_test.
///     store_peer URL GATE COUNT
/// Opens the store, says "ready", waits until somebody opens the named pipe
/// GATE for writing, claims the runs 1 to COUNT, says the number of each that
/// it got, then "done", and waits to be killed.
#include "store_support.hpp"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iostream>

using namespace kestrion;

int main(int argc, char** argv) {
  if (argc != 4)
    return EXIT_FAILURE;
  ::alarm(120); // A test that crashed must not leave us behind.
  const auto store = open_store(argv[1]);
  if (!store)
    return EXIT_FAILURE;
  std::cout << "ready" << std::endl;
  const std::ifstream gate{argv[2]}; // opens when the other end does
  const auto count = std::strtoull(argv[3], nullptr, 10);
  for (std::uint64_t n = 1; n <= count; ++n) {
    const auto ours = (*store)->claim(test::run_number(n));
    if (!ours)
      return EXIT_FAILURE;
    if (*ours)
      std::cout << n << '\n';
  }
  std::cout << "done" << std::endl;
  while (true)
    ::pause();
}
