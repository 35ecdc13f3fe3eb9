#pragma once

#include "vendor_server.hpp"

#include <atomic>
#include <chrono>
#include <thread>

/// A vendor that takes one call at a time, and says 429 to all others.
inline examples::vendor_turn stand_in(const examples::vendor_request&) {
  static std::atomic<int> under_way{0};
  examples::vendor_turn turn{.text = "Done."};
  if (++under_way > 1)
    turn = {.text = "one call at a time", .status = 429, .retry_after_s = 1};
  else
    std::this_thread::sleep_for(std::chrono::milliseconds{50}); // It thinks.
  --under_way;
  return turn;
}
