#pragma once

#include <kestrion/actors/run_state.hpp>
#include <kestrion/messages/described.hpp>
#include <kestrion/messages/error.hpp>
#include <kestrion/scheduler/token_scheduler.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace kestrion {

/// A call that waits for people.
struct pending_approval {
  run_id run;
  std::string agent;
  std::string call;
  std::string tool;
  std::string arguments; ///< JSON, as they would run.
  std::string digest;    ///< What a decision may bind itself to.
  std::vector<std::string> missing_roles; ///< One empty: anyone.
  std::optional<timestamp> deadline;
  bool operator==(const pending_approval&) const = default;
};

/// A call that nobody knows the fate of.
struct doubtful_call {
  run_id run;
  std::string call;
  std::string tool;
  std::string arguments;
  bool operator==(const doubtful_call&) const = default;
};

/// A question that waits for a person's answer.
struct pending_question {
  run_id run;
  std::string agent;
  std::string call;
  std::string question;
  std::vector<std::string> choices; ///< If any, only these are answers.
  bool operator==(const pending_question&) const = default;
};

/// Where a run is, and why.
struct run_result {
  run_id id;
  std::string agent;
  run_status status = run_status::pending;
  std::string output; ///< The answer, once completed.
  std::string code;   ///< Why it failed: the errc's name.
  std::string reason; ///< Why it is where it is, in a sentence.
  std::int64_t turns = 0;
  std::int64_t tool_calls = 0;
  token_usage usage;
  std::int64_t cost_usd_micros = 0;
  std::vector<pending_approval> approvals;
  std::vector<doubtful_call> in_doubt;
  std::vector<pending_question> questions;
  std::optional<run_id> handed_to; ///< Where the conversation goes on.

  /// The answer of an agent whose output is a T.
  /// @throws failure  How the run ended if it gave no answer; `refused` if it
  ///   has not ended; `invalid_output` for an answer that is no T, as that of
  ///   an agent with another output.
  template <class T>
  T output_as() const {
    auto decoded = decode_json<T>(output_json());
    if (!decoded)
      throw failure({errc::invalid_output, "the answer of run " + id.str()
                                             + ": " + decoded.error().detail});
    return std::move(*decoded);
  }

private:
  boost::json::value output_json() const; ///< @throws failure
};

run_result result_of(const run_id& id, const run_state& state);

/// How a run ended that gave no answer: `cancelled`, `timeout` for an expired
/// one, the code of one that failed, and a sentence.
/// @returns Nothing if it completed, or has not ended.
std::optional<error> error_of(const run_result& r);

/// Says that its model call waits, and why: what no log knows.
void show_throttled(run_result& r, const call_waiting& why);

} // namespace kestrion
