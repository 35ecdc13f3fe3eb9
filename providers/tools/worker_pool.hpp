#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace kestrion {

/// Threads for work that may block. They are made when there is work and none
/// of them is free, up to a limit; then work queues.
/// @par Threading All members from any thread.
class worker_pool {
public:
  /// @param threads_max  At least 1.
  explicit worker_pool(std::size_t threads_max);

  /// Lets running work end, drops what is queued, joins.
  ~worker_pool();

  worker_pool(const worker_pool&) = delete;
  worker_pool& operator=(const worker_pool&) = delete;

  /// Runs `job` on one of the threads; it must not throw.
  void post(std::function<void()> job);

  /// One job is given up on: it may block for ever, so one more thread may be
  /// made. Until the destructor, which waits for it all the same.
  void replace_one();

private:
  bool call_thread();
  void add_thread();
  void linger(std::unique_lock<std::mutex>& lock);
  void work();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  std::vector<std::thread> threads_;
  std::size_t threads_max_;
  std::size_t idle_ = 0;
  bool waking_ = false; ///< One of the idle is on its way to the queue.
  bool stopping_ = false;
};

} // namespace kestrion
