#pragma once

#include <kestrion/actors/run_result.hpp>
#include <kestrion/messages/error.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// Many runs for one question.
namespace kestrion {

/// How many runs of a fan-out work at the same time if nobody says.
inline constexpr std::size_t default_fan_out_at_once = 16;

/// The most runs that one fan-out starts.
inline constexpr std::size_t fan_out_runs_max = 100'000;

/// Which run is the first of several.
enum class first_that : std::uint8_t {
  completed, ///< With an answer; if none does, the last one that ended.
  ended,     ///< However it ended, or was parked.
};

struct fan_out_options {
  /// So many run at a time; the next starts when one has ended. At least 1.
  std::size_t at_once = default_fan_out_at_once;
  /// Makes it repeatable after a crash of who asks: run number i gets the key
  /// "KEY/i", so asking again finds the runs that exist. A key that a request
  /// has of its own stays.
  std::optional<std::string> key = {};
  first_that first = first_that::completed; ///< For `first_of` only.
};

/// What becomes of a fan-out; no actors, no clock, no I/O. Runs have the number
/// of their request. One that could not be started ends as one that failed.
class fan_out_plan {
public:
  /// @param first  Nothing: it is over when all have ended.
  fan_out_plan(std::size_t runs, std::size_t at_once,
               std::optional<first_that> first);

  /// The next one to be started now, if any; it counts as begun.
  std::optional<std::size_t> next();

  /// It ended, or was parked. Late and second ends change nothing.
  void end(std::size_t run, run_result r);

  /// Nothing is to be started or waited for any more.
  bool is_over() const;

  /// Those begun whose ends nobody waits for any more.
  std::vector<std::size_t> left() const;

  /// In the order of the requests. Only if it is over, and all were asked for.
  std::vector<run_result> all() &&;

  /// Only if it is over, and the first was asked for.
  run_result winner() &&;

private:
  std::size_t at_once_;
  std::optional<first_that> first_;
  std::size_t begun_ = 0;
  std::size_t ended_ = 0;
  std::vector<std::optional<run_result>> results_;
  std::optional<std::size_t> winner_;
};

/// @par Errors `invalid_argument`: `at_once` of 0, too many runs, or no run to
///   be the first.
result<void> check(const fan_out_options& options, std::size_t runs,
                   bool wants_first);

} // namespace kestrion
