#include "closed_loop.hpp"

#include <future>
#include <memory>
#include <mutex>
#include <thread>

namespace bench {

namespace {

using clock = std::chrono::steady_clock;

/// Lives until its last call is done.
class loop : public std::enable_shared_from_this<loop> {
public:
  loop(starter start, std::size_t calls)
    : start_(std::move(start)), calls_(calls) {
    took_.reserve(calls);
  }

  void begin() {
    start_([self = shared_from_this(), began = clock::now()] {
      const std::chrono::duration<double, std::micro> took =
        clock::now() - began;
      if (self->count(took.count()))
        self->begin();
    });
  }

  void count_in_one_more() {
    const std::lock_guard lock{mutex_};
    ++begun_;
  }

  std::vector<double> wait() {
    all_done_.get_future().get();
    return std::move(took_);
  }

private:
  /// @returns Whether another is to follow.
  bool count(double took) {
    const std::lock_guard lock{mutex_};
    took_.push_back(took);
    if (took_.size() == calls_)
      all_done_.set_value();
    if (begun_ == calls_)
      return false;
    ++begun_;
    return true;
  }

  const starter start_;
  const std::size_t calls_;
  std::mutex mutex_;
  std::size_t begun_ = 0;
  std::vector<double> took_;
  std::promise<void> all_done_;
};

} // namespace

std::vector<double> in_closed_loop(const starter& start, std::size_t at_once,
                                   std::size_t rounds,
                                   std::chrono::microseconds spread) {
  const auto all = std::make_shared<loop>(start, at_once * rounds);
  const auto first = clock::now();
  for (std::size_t i = 0; i < at_once; ++i) {
    std::this_thread::sleep_until(first + spread * i / at_once);
    all->count_in_one_more();
    all->begin();
  }
  return all->wait();
}

} // namespace bench
