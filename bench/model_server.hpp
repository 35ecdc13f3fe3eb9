#pragma once

#include "second_process.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// A server of models in a process of its own, on loopback: one thread, and
/// descriptors that are not the client's.
namespace bench {

class model_server {
public:
  /// Listens before it returns. @throws std::runtime_error
  model_server();

  int port() const { return port_; }

  // Base URLs, by what is behind them, whatever the client adds to the path.

  /// Answers Anthropic's calls in one piece, of 200 words, after `thinks`.
  std::string whole_url(std::chrono::milliseconds thinks) const;

  /// Streams an answer of `bytes` as fast as it can; `name` is that of a
  /// vendor.
  std::string flood_url(std::string_view name, std::size_t bytes) const;

  /// Streams an Anthropic answer of `tokens` tokens, one every `pace`; the
  /// first after some part of it that differs from stream to stream. A token is
  /// "7@123456 ": its number, from 0, and the steady clock in microseconds.
  std::string paced_url(std::chrono::milliseconds pace, int tokens) const;

  /// What follows the port in one of these.
  std::string path_of(const std::string& url) const {
    return url.substr(this->url("").size());
  }

private:
  std::string url(const std::string& path) const;

  int listener_;
  int port_ = 0;
  second_process process_;
};

/// Where a benchmark with a model_server begins: what the second process does.
/// @returns False if this is not that process.
bool serve_models(int argc, char** argv);

/// Now, on the clock of `paced_url`, which both processes share.
std::int64_t steady_us();

/// Lets this process and those that it starts have as many descriptors as they
/// may. @throws std::runtime_error  if that is less than `needed`.
void need_descriptors(std::size_t needed);

} // namespace bench
