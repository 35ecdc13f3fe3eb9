#include <kestrion/actors/draft_range.hpp>

#include <kestrion/actors/asker.hpp>

#include <caf/actor_addr.hpp>
#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <condition_variable>
#include <mutex>
#include <utility>

namespace kestrion {

namespace {

/// Where a thread blocks until something happens.
class doorbell {
public:
  /// Somebody may look.
  void ring() {
    {
      const std::lock_guard lock{mutex_};
      has_rung_ = true;
    }
    rung_.notify_one();
  }

  /// There is nothing more to come.
  void close(std::optional<error> why) {
    {
      const std::lock_guard lock{mutex_};
      is_closed_ = true;
      why_ = std::move(why);
    }
    rung_.notify_one();
  }

  /// Blocks until it rings; not once it is closed.
  void wait() {
    std::unique_lock lock{mutex_};
    rung_.wait(lock, [this] { return has_rung_ || is_closed_; });
    has_rung_ = false;
  }

  bool is_closed() {
    const std::lock_guard lock{mutex_};
    return is_closed_;
  }

  /// Why, if that is not as it should be.
  std::optional<error> why() {
    const std::lock_guard lock{mutex_};
    return why_;
  }

private:
  std::mutex mutex_;
  std::condition_variable rung_;
  bool has_rung_ = false;
  bool is_closed_ = false;
  std::optional<error> why_;
};

/// One loop over the drafts of a run.
class loop {
public:
  loop(caf::actor_system& system, const front_actor& front, const run_id& run,
       std::unique_ptr<draft_watch> watch)
    : watch_(std::move(watch)),
      asker_(spawn_asker<run_result>(
               system, front, await_run{run, wait_until::at_rest},
               [bell = bell_](const result<run_result>& r) {
                 bell->close(r ? std::nullopt : std::optional{r.error()});
               })
               .address()) {}

  /// Who leaves the loop early does not wait for the run any more.
  ~loop() {
    if (const auto alive = caf::actor_cast<caf::strong_actor_ptr>(asker_))
      caf::anon_send_exit(alive, caf::exit_reason::user_shutdown);
  }
  loop(const loop&) = delete;
  loop& operator=(const loop&) = delete;

  std::optional<draft_update> next() {
    for (;;) {
      // A draft ends before its run rests: look after asking, not before.
      const bool is_over = bell_->is_closed();
      if (auto update = watch_->take([bell = bell_] { bell->ring(); }))
        return update;
      if (is_over)
        break;
      bell_->wait();
    }
    if (auto why = bell_->why())
      throw failure(*std::move(why));
    return std::nullopt;
  }

private:
  std::shared_ptr<doorbell> bell_ = std::make_shared<doorbell>();
  std::unique_ptr<draft_watch> watch_;
  caf::actor_addr asker_; ///< Weak: its system may go before we do.
};

} // namespace

draft_range blocking_drafts(caf::actor_system& system, const front_actor& front,
                            const run_id& run,
                            std::unique_ptr<draft_watch> watch) {
  auto all = std::make_shared<loop>(system, front, run, std::move(watch));
  return draft_range{[all] {
    return all->next();
  }};
}

} // namespace kestrion
