#include <kestrion/providers/tools/worker_pool.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>

using namespace kestrion;

namespace worker_pool_test {

constexpr std::size_t threads_max = 8;

/// Jobs that end only when all of them run at the same time.
class rendezvous {
public:
  explicit rendezvous(std::size_t expected) : missing_(expected) {}

  /// One of them is here, and waits for the others.
  void arrive() {
    std::unique_lock lock{mutex_};
    --missing_;
    all_are_here_.notify_all();
    wait(lock);
  }

  /// @returns Whether all arrived.
  bool wait() {
    std::unique_lock lock{mutex_};
    return wait(lock);
  }

private:
  bool wait(std::unique_lock<std::mutex>& lock) {
    return all_are_here_.wait_for(lock, std::chrono::seconds{20},
                                  [this] { return missing_ == 0; });
  }

  std::mutex mutex_;
  std::condition_variable all_are_here_;
  std::size_t missing_;
};

bool all_meet(worker_pool& pool, std::size_t jobs) {
  auto meeting = std::make_shared<rendezvous>(jobs);
  for (std::size_t i = 0; i < jobs; ++i)
    pool.post([meeting] { meeting->arrive(); });
  return meeting->wait();
}

} // namespace worker_pool_test

BOOST_AUTO_TEST_SUITE(worker_pool_test)

BOOST_AUTO_TEST_CASE(jobs_that_block_get_a_thread_each_up_to_the_limit) {
  worker_pool pool{threads_max};
  BOOST_TEST(all_meet(pool, threads_max));
}

BOOST_AUTO_TEST_CASE(threads_that_went_to_sleep_all_come_back_for_new_jobs) {
  worker_pool pool{threads_max};
  for (int round = 0; round < 100; ++round)
    BOOST_REQUIRE(all_meet(pool, threads_max));
}

BOOST_AUTO_TEST_CASE(a_job_that_is_given_up_on_leaves_its_place_to_another) {
  rendezvous end{2};
  worker_pool pool{1};
  pool.post([&] { end.arrive(); }); // Holds the only thread.
  pool.replace_one();
  BOOST_TEST(all_meet(pool, 1));
  end.arrive();
}

BOOST_AUTO_TEST_CASE(more_jobs_than_threads_all_run) {
  worker_pool pool{2};
  rendezvous end{1};
  std::atomic<int> left{1'000};
  for (int i = 0; i < 1'000; ++i)
    pool.post([&] {
      if (--left == 0)
        end.arrive();
    });
  BOOST_TEST(end.wait());
  BOOST_TEST(left == 0);
}

BOOST_AUTO_TEST_SUITE_END()
