#include <kestrion/providers/tools/worker_pool.hpp>

#include <algorithm>
#include <system_error>
#include <utility>

namespace kestrion {

namespace {

/// More did not help; fewer left half of the context switches.
constexpr int yields_before_sleep = 5;

} // namespace

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
    wake = call_thread();
  }
  if (wake)
    wake_.notify_one();
}

/// Sees to it that somebody comes for the queue, one thread at a time: who
/// takes a job asks again if there are more. So a job never waits behind one
/// that blocks while a thread is free, yet many short jobs wake up few.
/// @returns Whether to notify, best without the lock.
bool worker_pool::call_thread() {
  if (idle_ > 0)
    return !std::exchange(waking_, true);
  if (threads_.size() < threads_max_)
    add_thread();
  return false;
}

/// If the system has no more to give, those that there are have to do.
void worker_pool::add_thread() {
  try {
    threads_.emplace_back([this] { work(); });
  } catch (const std::system_error&) {
    if (threads_.empty())
      throw;
  }
}

void worker_pool::replace_one() {
  const std::lock_guard lock{mutex_};
  ++threads_max_;
  if (!queue_.empty() && !stopping_)
    add_thread();
}

/// Lets others run before this thread sleeps. While all processors are busy,
/// jobs pile up meanwhile, and one wake-up serves for many.
void worker_pool::linger(std::unique_lock<std::mutex>& lock) {
  if (waking_)
    return;
  waking_ = true; // As good as: whoever posts need not notify.
  for (int i = 0; i < yields_before_sleep && queue_.empty() && !stopping_;
       ++i) {
    lock.unlock();
    std::this_thread::yield();
    lock.lock();
  }
  waking_ = false;
}

void worker_pool::work() {
  std::unique_lock lock{mutex_};
  for (;;) {
    ++idle_;
    linger(lock);
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    --idle_;
    if (stopping_)
      return;
    auto job = std::move(queue_.front());
    queue_.pop_front();
    waking_ = false;
    const bool wake = !queue_.empty() && call_thread();
    lock.unlock();
    if (wake)
      wake_.notify_one();
    job();
    job = nullptr; // What it captured may be large; not under the lock.
    lock.lock();
  }
}

} // namespace kestrion
