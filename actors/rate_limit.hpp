#pragma once

#include <kestrion/scheduler/limit_spec.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace kestrion {

/// The limits of some calls, as vendors state them:
///
///     kestrion::rate_limit("anthropic")
///       .model("claude-sonnet-4-6")
///       .requests_per_minute(1'000)
///       .input_tokens_per_minute(450'000)
///       .output_tokens_per_minute(90'000)
///
/// What names them comes first, then how the server counts, then the limits.
/// All calls that they cover share them.
/// @par Threading As any value: one thread at a time.
class rate_limit {
public:
  /// @param provider  "anthropic", "openai", "ollama", or what the model says;
  ///   empty: all.
  explicit rate_limit(std::string provider = {});

  /// Only calls of this model. Else all models of the provider share them.
  rate_limit& model(std::string name);
  /// Only calls with this key, by its name in `model_endpoint::key`.
  rate_limit& key(std::string name);
  /// For limits that follow: the server refills all the time (a token bucket),
  /// and is full at first. Else windows at unknown times, which is safe for
  /// both, are assumed.
  rate_limit& refilled_continuously();

  /// For limits that follow: all processes with the same store share them. Each
  /// gets what it needs as long as there is enough; a dead one's part comes
  /// back. Without, each process has to declare a part of its own.
  rate_limit& across_processes();

  // Each at least 1.
  rate_limit& requests_per_minute(std::int64_t amount);
  rate_limit& input_tokens_per_minute(std::int64_t amount);
  rate_limit& output_tokens_per_minute(std::int64_t amount);
  /// Input and output together.
  rate_limit& tokens_per_minute(std::int64_t amount);
  /// Calls at the same time.
  rate_limit& concurrent_calls(std::int64_t amount);
  /// Whatever the above can't say.
  rate_limit& limit(limit_spec spec);

  const std::vector<limit_spec>& specs() const { return specs_; }

private:
  rate_limit& add(limit_kind kind, std::int64_t amount);

  route_matcher covers_;
  limit_shape shape_ = limit_shape::fixed_window;
  bool across_processes_ = false;
  std::vector<limit_spec> specs_;
};

} // namespace kestrion
