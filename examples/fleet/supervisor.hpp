#pragma once

#include <cstdint>
#include <filesystem>

/// What there was to see while the fleet was at work.
struct story {
  int kills = 0;
  double seconds = 0;
};

/// Starts the worker, kills it at random moments, starts it again, until it
/// comes to its end. Says once a second how things are.
/// @throws std::runtime_error if the worker ends otherwise.
story supervise(const std::filesystem::path& folder, int cases,
                std::uint64_t seed);
