#pragma once

#include "stream_watch.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

/// Streamed answers read with Beast alone, asynchronously, in one thread.
namespace bench {

class bare_streams {
public:
  bare_streams();
  ~bare_streams();
  bare_streams(const bare_streams&) = delete;
  bare_streams& operator=(const bare_streams&) = delete;

  /// Begins one more; shows its tokens to `watch` without reading the JSON
  /// around them. Any thread. @throws boost::system::system_error
  void begin(int port, const std::string& target, stream_watch& watch);

private:
  class call;

  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type>
    work_{io_.get_executor()};
  std::thread thread_;
};

} // namespace bench
