#pragma once

#include <kestrion/messages/limit_report.hpp>
#include <kestrion/messages/time.hpp>

#include <boost/describe/enum.hpp>

#include <cstdint>
#include <optional>
#include <string>

/// Limits of providers, as values, as a user declares them.
namespace kestrion {

/// How the server gives back what was used.
enum class limit_shape : std::uint8_t {
  continuous, ///< A token bucket: full at first, refilled all the time.
  /// A count that starts anew at times that we do not know. The safe choice:
  /// what keeps to it also keeps to a bucket.
  fixed_window,
};
BOOST_DESCRIBE_ENUM(limit_shape, continuous, fixed_window)

/// When the server takes what a call uses off its limit.
enum class charge_time : std::uint8_t {
  at_start, ///< When the request arrives.
  /// Any time until the answer is there. Safe for both; what is in flight then
  /// has to fit in the limit as a whole.
  at_end,
};
BOOST_DESCRIBE_ENUM(charge_time, at_start, at_end)

/// Where a call goes. `key` is the name of an API key, never the key itself.
struct call_route {
  std::string provider;
  std::string model;
  std::string key;
  bool operator==(const call_route&) const = default;
};

/// The routes that a limit covers: an empty part covers all.
struct route_matcher {
  std::string provider{};
  std::string model{};
  std::string key{};
  bool covers(const call_route& route) const;
  bool operator==(const route_matcher&) const = default;
};

/// One limit. Several may cover a call; it then has to fit in all of them.
struct limit_spec {
  std::string name; ///< For people; one limit a name.
  route_matcher covers;
  limit_kind kind = limit_kind::requests;
  std::int64_t amount = 0; ///< A period; calls for concurrency. At least 1.
  duration period = std::chrono::minutes{1};
  limit_shape shape = limit_shape::fixed_window;
  /// Not set: at_end for output tokens, at_start for all others.
  std::optional<charge_time> charged{};
  /// At most so long after a grant the server has got the request. That much
  /// of the limit's burst, or of each window, stays unused. Below the period.
  duration latency_max = std::chrono::milliseconds{500};
  /// All processes with the same store share it: each has a slice of it, by
  /// what it needs. Else it is ours alone.
  bool across_processes = false;
};

/// What a limit that processes share needs of its lease.
struct limit_need {
  std::string limit;
  std::int64_t total = 0;  ///< What all share, as declared or as servers say.
  std::int64_t demand = 0; ///< What is used of it here, and waits for it.
  /// No more is used than the slice allows: so what it was more before may go
  /// to others.
  bool keeps_to_slice = false;
  duration linger{}; ///< So long after its use a server still counts it.
};

/// Our part of a limit that processes share.
struct limit_slice {
  std::string limit;
  std::int64_t amount = 0; ///< A period; 0: nothing.
  timestamp until;         ///< Nothing from then on.
};

} // namespace kestrion
