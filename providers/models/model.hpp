#pragma once

#include <kestrion/messages/model_call.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

namespace kestrion {

/// Called exactly once, on any thread, also on failure; must not block.
using model_callback = std::function<void(model_outcome)>;

/// Whose limits the calls of a model count for.
struct model_endpoint {
  std::string provider = {}; ///< "anthropic"; empty: nobody's, no limits.
  /// A name for the API key, from which the key can't be found.
  std::string key = {};
  bool caches = false; ///< The server keeps beginnings of prompts for a while.
  bool operator==(const model_endpoint&) const = default;
};

/// Called with each piece of a draft, in order, one at a time, before the
/// `model_callback` of the same call; must not block or throw.
using delta_sink = std::function<void(model_delta)>;

/// One language model behind one endpoint.
/// @par Threading All members may be called from any thread.
class model {
public:
  virtual ~model() = default;

  /// The vendor's name of the model: "claude-sonnet-4-6".
  virtual std::string name() const = 0;

  /// What a token costs, if known; for estimates.
  virtual std::optional<model_price> price() const = 0;

  virtual model_endpoint endpoint() const { return {}; }

  /// How many tokens it can take in, if known.
  virtual std::optional<std::int64_t> context_window() const { return {}; }

  /// Whether it can do what an agent declares: its options, tools and output.
  /// Asks no server.
  /// @par Errors `unsupported`, `invalid_argument`, as the call would.
  virtual result<void>
  check(const std::shared_ptr<const agent_definition>& agent) const;

  /// Starts one attempt and returns at once. Never retries by itself: the run
  /// does, so that retries are durable and visible.
  /// @param stop  When requested, the attempt ends early with `cancelled`.
  /// @par Errors To `done`, as a `model_failure` with its `retryable` set:
  ///   `timeout`, `io`, `unavailable`, `rate_limited` (retryable);
  ///   `quota_exhausted`, `unauthenticated`, `refused` (4xx),
  ///   `invalid_argument`, `unsupported`, `corrupt` (the answer makes no
  ///   sense), `cancelled` (not retryable).
  virtual void complete(model_request request, std::stop_token stop,
                        model_callback done) = 0;

  /// Like `complete`, and shows the answer to `on_delta` while it is made. The
  /// outcome is the same. A failure may come after pieces; the next attempt
  /// then begins a new draft.
  ///
  /// Unless a model overrides it, the pieces are the blocks of the finished
  /// reply, so that who shows drafts needs no other way for such models.
  /// @param on_delta  Not empty.
  virtual void stream(model_request request, std::stop_token stop,
                      delta_sink on_delta, model_callback done);
};

/// Shows a finished reply as a draft, a piece for each block.
void show_whole(const model_reply& reply, const delta_sink& on_delta);

using model_ptr = std::shared_ptr<model>;

} // namespace kestrion
