#include <kestrion/providers/tools/worker_pool.hpp>

#include <algorithm>
#include <utility>

namespace kestrion {

worker_pool::worker_pool(std::size_t threads_max)
  : threads_max_(std::max<std::size_t>(threads_max, 1)) {}

worker_pool::~worker_pool() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    queue_.clear();
  }
  wake_.notify_all();
  for (auto& thread : threads_)
    thread.join();
}

void worker_pool::post(std::function<void()> job) {
  bool wake = false;
  {
    const std::lock_guard lock{mutex_};
    if (stopping_)
      return;
    queue_.push_back(std::move(job));
    if (idle_ >= queue_.size())
      wake = true;
    else if (threads_.size() < threads_max_)
      threads_.emplace_back([this] { work(); });
  }
  if (wake)
    wake_.notify_one();
}

void worker_pool::replace_one() {
  const std::lock_guard lock{mutex_};
  ++threads_max_;
  if (!queue_.empty() && !stopping_)
    threads_.emplace_back([this] { work(); });
}

void worker_pool::work() {
  std::unique_lock lock{mutex_};
  for (;;) {
    ++idle_;
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    --idle_;
    if (stopping_)
      return;
    auto job = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    job();
    job = nullptr; // What it captured may be large; not under the lock.
    lock.lock();
  }
}

} // namespace kestrion
