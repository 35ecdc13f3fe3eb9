#pragma once

#include <kestrion/providers/http/internal/connection.hpp>

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace kestrion::http_internal {

/// Idle connections by origin, youngest first out.
/// @par Threading Any thread.
class pool {
public:
  pool(asio::io_context& io, std::size_t per_origin_max,
       std::chrono::microseconds idle_max);

  /// A connection that looks alive, or null.
  std::unique_ptr<connection> take(const std::string& origin);

  /// Keeps it if there is room; else closes the oldest one.
  void put(const std::string& origin, std::unique_ptr<connection> c);

  /// Closes all, and keeps none from now on.
  void close();

  std::size_t size() const;

private:
  struct idle {
    std::unique_ptr<connection> link;
    std::chrono::steady_clock::time_point since;
  };

  void sweep_later(); ///< Needs the lock.
  void sweep();

  const std::size_t per_origin_max_;
  const std::chrono::microseconds idle_max_;
  mutable std::mutex mutex_;
  std::map<std::string, std::deque<idle>> idle_; ///< Oldest first.
  asio::steady_timer timer_;
  bool sweeping_ = false;
  bool closed_ = false;
};

} // namespace kestrion::http_internal
