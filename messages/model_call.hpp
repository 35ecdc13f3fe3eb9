#pragma once

#include <kestrion/messages/agent.hpp>
#include <kestrion/messages/conversation.hpp>
#include <kestrion/messages/error.hpp>
#include <kestrion/messages/limit_report.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace kestrion {

/// One call of a model: the agent and what was said so far. Both are shared
/// with the run; nothing is copied.
struct model_request {
  std::shared_ptr<const agent_definition> agent;
  kestrion::conversation conversation; ///< Ends with a user or tool message.
  std::string idempotency_key; ///< `run_id/m2`; the same on each attempt.
  /// What came before so many messages, from the first on, has been replaced
  /// since they were said. A vendor that binds thoughts to what came before
  /// refuses to have those back.
  std::size_t rebased = 0;
};

/// Why the model stopped, as far as the loop cares.
enum class stop_reason : std::uint8_t {
  end_turn,
  tool_use,
  max_tokens, ///< The answer is cut.
  refusal,    ///< The model or a filter declined.
  other,
};
BOOST_DESCRIBE_ENUM(stop_reason, end_turn, tool_use, max_tokens, refusal, other)

/// What the model said. Ids of tool calls are set by the machine.
struct model_reply {
  std::vector<part> parts; ///< In the vendor's order.
  kestrion::stop_reason stop = stop_reason::end_turn;
  token_usage usage;
  std::string model;                           ///< As the vendor names it back.
  std::string request_id;                      ///< The vendor's; may be empty.
  std::optional<std::int64_t> cost_usd_micros; ///< Nothing: price unknown.
  std::vector<limit_report> limits = {}; ///< What the server says of them.
  /// What of the usage counts for limits of input tokens, if not all of it.
  std::optional<std::int64_t> limited_input_tokens = {};
  bool operator==(const model_reply&) const = default;
};

/// What a piece of a draft is part of.
enum class delta_kind : std::uint8_t {
  text,
  reasoning,
  tool_name, ///< Comes once, whole, before the arguments.
  tool_arguments,
};
BOOST_DESCRIBE_ENUM(delta_kind, text, reasoning, tool_name, tool_arguments)

/// A piece of an answer that is still being made. Pieces are a draft: only the
/// reply counts, which may word arguments otherwise (blanks, order of digits),
/// and after a failure the next attempt begins a new draft.
struct model_delta {
  delta_kind kind{};
  /// Which block of the answer, from 0 in the order of their first pieces; not
  /// the index in `model_reply::parts`. A tool's name and arguments share one.
  std::size_t index = 0;
  std::size_t offset = 0; ///< Bytes of this kind and block that came before.
  std::string text;       ///< Whole characters, never empty.
  bool operator==(const model_delta&) const = default;
};

/// Why there is no reply.
struct model_failure {
  kestrion::error error; ///< Holds no key and no part of the prompt.
  bool retryable = false;
  std::optional<duration> retry_after;   ///< The server's wish.
  int http_status = 0;                   ///< 0: there was no answer.
  std::vector<limit_report> limits = {}; ///< What the server says of them.
  bool operator==(const model_failure&) const = default;
};

using model_outcome = std::variant<model_reply, model_failure>;

} // namespace kestrion
