#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <vector>

/// Calls that follow each other, some at a time.
namespace bench {

/// Begins a call and returns; `done` is to be called once, on any thread.
using starter = std::function<void(std::function<void()> done)>;

/// Keeps so many calls under way, each followed by the next, until there were
/// `rounds` of them.
/// @param spread  Within which time the first round begins, one by one.
/// @returns How long each took, in microseconds, in no order.
std::vector<double> in_closed_loop(const starter& start, std::size_t at_once,
                                   std::size_t rounds,
                                   std::chrono::microseconds spread);

} // namespace bench
