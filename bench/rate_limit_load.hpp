#pragma once

#include <kestrion/kestrion.hpp>

#include <array>
#include <chrono>
#include <optional>
#include <vector>

/// The load of `rate_limit` in real time.
namespace bench {

/// Runs that call a server, which has a limit, again and again.
struct rate_limit_load {
  kestrion::limit_shape shape = kestrion::limit_shape::continuous;
  bool scheduled = true;           ///< Or else each run backs off by itself.
  std::chrono::seconds length{60}; ///< Measured; whole periods.

  static constexpr std::size_t runs = 1'000;
  static constexpr std::size_t tenants = 20;
  static constexpr std::int64_t requests_a_period = 1'000;
  static constexpr std::chrono::seconds period{10};
  /// 1,000 runs that do nothing but call want 500 calls a second, which is five
  /// times the limit.
  static constexpr std::chrono::milliseconds call_time{2'000};
  static constexpr std::chrono::milliseconds urgent_each{200};
};

/// Of a tenant; with a scheduler it gets so much more than one of weight 1.
constexpr double weight_of(std::size_t tenant) {
  return std::array{1, 2, 4}[tenant % 3];
}

/// A call as the server saw it.
struct call_arrival {
  kestrion::timestamp at{};
  std::optional<std::size_t> tenant{}; ///< Nothing: urgent.
  bool accepted = false;               ///< Or else refused with a 429.
};

struct rate_limit_record {
  std::vector<call_arrival> arrivals; ///< Oldest first; before `begin`, too.
  /// What is measured: begins with a window, two periods or more after the
  /// first call, and ends with another.
  kestrion::timestamp begin{};
  kestrion::timestamp end{};
  double allowed = 0; ///< The most that the server gives between these two.
  /// From the start of an urgent run to the arrival of the call that was
  /// accepted, or to the end, for all that started in between.
  std::vector<kestrion::duration> urgent_waits;
};

/// Takes two to three periods more than the load's length.
rate_limit_record run_for_real(const rate_limit_load& load);

} // namespace bench
