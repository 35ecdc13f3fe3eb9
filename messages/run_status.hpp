#pragma once

#include <boost/describe/enum.hpp>

#include <cstdint>
#include <string_view>

namespace kestrion {

enum class run_status : std::uint8_t {
  pending,          ///< Not started yet.
  running,          ///< A model or a tool works for it, or is about to.
  waiting_on_human, ///< Approval, answer or doubt.
  completed,
  failed,
  expired,          ///< A deadline for people passed.
  cancelled,        ///< Somebody said stop.
  parked,           ///< Crashed too often; `unpark` lets it go on.
  waiting_on_child, ///< Runs of other agents work for it, and nothing else.
  /// Running, but a limit makes its model call wait. Only ever shown: it is in
  /// no log and no store.
  throttled,
  sleeping, ///< For as long as its model wanted; a signal wakes it sooner.
};
BOOST_DESCRIBE_ENUM(run_status, pending, running, waiting_on_human, completed,
                    failed, expired, cancelled, parked, throttled,
                    waiting_on_child, sleeping)

std::string_view to_string(run_status status);

/// No event follows any more.
constexpr bool is_terminal(run_status status) {
  return status == run_status::completed || status == run_status::failed
         || status == run_status::expired || status == run_status::cancelled;
}

/// Nothing happens here until somebody does something, a child ends, or it is
/// time.
constexpr bool is_at_rest(run_status status) {
  return is_terminal(status) || status == run_status::waiting_on_human
         || status == run_status::parked
         || status == run_status::waiting_on_child
         || status == run_status::sleeping;
}

} // namespace kestrion
