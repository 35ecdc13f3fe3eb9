#pragma once

#include <utility>

namespace kestrion {

/// As long as it lives, no model of this process calls over HTTP.
class [[nodiscard]] model_call_ban {
public:
  model_call_ban();
  ~model_call_ban();
  model_call_ban(model_call_ban&& other) noexcept
    : holds_(std::exchange(other.holds_, false)) {}
  model_call_ban(const model_call_ban&) = delete;
  model_call_ban& operator=(const model_call_ban&) = delete;
  model_call_ban& operator=(model_call_ban&&) = delete;

private:
  bool holds_ = true;
};

/// For tests: calls of real models fail at once with `refused`, not retryable;
/// the sentence names model and URL. Scripted models, functions and replayed
/// cassettes are no real models; a cassette that records needs one. Several
/// bans are one that ends with the last of them.
///
/// `KESTRION_FORBID_MODEL_CALLS=1` in the environment does the same for the
/// whole process, so that a test suite can't forget it.
/// @par Threading Any thread.
inline model_call_ban forbid_model_calls() {
  return {};
}

/// Whether there is a ban now.
bool model_calls_forbidden();

} // namespace kestrion
