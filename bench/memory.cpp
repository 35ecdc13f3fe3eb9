#include "memory.hpp"

#include <caf/actor_system.hpp>

#include <sqlite3.h>

#include <fstream>
#include <thread>

#include <malloc.h>
#include <unistd.h>

namespace bench {

memory memory_now() {
  malloc_trim(0);
  const auto heap = mallinfo2();
  std::size_t pages = 0;
  std::ifstream{"/proc/self/statm"} >> pages >> pages; // The second number.
  const auto sqlite = static_cast<double>(sqlite3_memory_used());
  return {static_cast<double>(heap.uordblks + heap.hblkhd) - sqlite,
          static_cast<double>(pages) * static_cast<double>(getpagesize())
            - sqlite};
}

memory per_run(const memory& before, const memory& after, std::size_t runs) {
  const auto n = static_cast<double>(runs);
  return {(after.heap_bytes - before.heap_bytes) / n,
          (after.resident_bytes - before.resident_bytes) / n};
}

void wait_for_actors(caf::actor_system& system, std::size_t count_max) {
  while (system.registry().running() > count_max)
    std::this_thread::yield();
}

} // namespace bench
