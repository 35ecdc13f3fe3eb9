#pragma once

#include <kestrion/messages/run_id.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace kestrion::test {

/// What the processes of fencing_test fight for: the runs 1 to this.
inline constexpr std::uint64_t fight_runs = 20;

inline constexpr std::string_view fight_agent = "ring";

inline run_id fight_run(std::uint64_t n) {
  return run_id::make(timestamp{}, 0, n);
}

/// What an event of the fight holds: who wrote it, in which of its tenures of
/// the run, and the how-manieth of that tenure it is. A tenure goes from a
/// claim to the loss of the run; its first event is of the type "taken".
struct stroke {
  std::uint64_t life = 0; ///< Of the process; no two have the same.
  std::uint64_t tenure = 0;
  std::uint64_t n = 0;
  bool operator==(const stroke&) const = default;
};

inline std::string to_data(const stroke& s) {
  return R"({"life":)" + std::to_string(s.life) + R"(,"tenure":)"
         + std::to_string(s.tenure) + R"(,"n":)" + std::to_string(s.n) + "}";
}

} // namespace kestrion::test
