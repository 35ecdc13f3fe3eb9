#pragma once

#include <kestrion/scheduler/restart_policy.hpp>

#include <cstddef>
#include <span>
#include <variant>
#include <vector>

/// What a supervisor does when one of its children ends: a pure verdict in
/// OTP's terms. The actor only carries it out.
/// @par Source erlang.org/doc/design_principles/sup_princ
namespace kestrion {

/// Who is started anew beside the child that ended.
enum class restart_strategy : std::uint8_t {
  one_for_one,  ///< Nobody.
  one_for_all,  ///< All others.
  rest_for_one, ///< Those that were started after it.
};

/// Which ends of a child call for a restart.
enum class restart_type : std::uint8_t {
  permanent, ///< Each.
  transient, ///< Crashes only.
  temporary, ///< None.
};

enum class exit_kind : std::uint8_t { normal, crash };

struct supervision_spec {
  restart_strategy strategy = restart_strategy::one_for_one;
  /// More than so many restarts within `period` and it escalates.
  int intensity = 10;
  duration period = std::chrono::seconds{10};
  /// Of the first restart within a period there is no delay.
  backoff_policy backoff{.first = std::chrono::milliseconds{10},
                         .cap = std::chrono::seconds{1},
                         .jitter_percent = 0};
};

/// The child stays away; the others go on.
struct let_go {
  bool operator==(const let_go&) const = default;
};
/// These children are stopped in reverse order, as far as they live, and
/// started in order, all after the delay.
struct restart_children {
  std::vector<std::size_t> children;
  duration delay{};
  bool operator==(const restart_children&) const = default;
};
/// It happens too often: all are stopped, and the supervisor fails.
struct escalate {
  int restarts = 0;
  bool operator==(const escalate&) const = default;
};
using supervision_verdict = std::variant<let_go, restart_children, escalate>;

/// Takes the end of a child into `restarts`, oldest first, and says what
/// follows.
/// @param types  Of all children, in the order of their start.
/// @param ended  Index of the child.
supervision_verdict on_exit(const supervision_spec& spec,
                            std::span<const restart_type> types,
                            std::deque<timestamp>& restarts, std::size_t ended,
                            exit_kind kind, timestamp now);

} // namespace kestrion
