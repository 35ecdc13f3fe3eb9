#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <utility>

#include <kestrion/store/event_store.hpp>

namespace kestrion {

/// A store whose disk fails when told to, and which can die as a process does:
/// what the inner store holds then is what a new process finds.
///
///     auto disk = std::shared_ptr<event_store>{make_memory_store()};
///     faulty_store store{disk};
///     store.die_at_append(3, faulty_store::moment::after);
///     ... the third append is on disk, nobody hears so, all later calls fail
///     faulty_store restarted{disk};
///
/// Counted are calls of `append` (group commits) from the construction on, from
/// 1.
/// @par Threading Any thread.
class faulty_store final : public event_store {
public:
  /// When an append fails: before anything is written, or when all of it is
  /// durable already but the caller is told `io` nevertheless.
  enum class moment { before, after };

  explicit faulty_store(std::shared_ptr<event_store> inner)
    : inner_(std::move(inner)) {}

  // -- faults -----------------------------------------------------------------

  /// The n-th append fails with `io`; those after it work.
  void fail_append(std::uint64_t n, moment when) {
    const std::lock_guard lock{mutex_};
    (when == moment::before ? fail_before_ : fail_after_).insert(n);
  }

  /// Like `fail_append`, and every later call of any kind fails too.
  void die_at_append(std::uint64_t n, moment when) {
    fail_append(n, when);
    const std::lock_guard lock{mutex_};
    deaths_.insert(n);
  }

  /// From now on every call fails with `io`.
  void kill() {
    const std::lock_guard lock{mutex_};
    dead_ = true;
    changed_.notify_all();
  }

  bool dead() const {
    const std::lock_guard lock{mutex_};
    return dead_;
  }

  /// Blocks until more appends were tried than `seen`, or it is dead.
  /// @returns False if that took longer than `limit`.
  bool wait_for_more(std::uint64_t seen, duration limit) const {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, limit,
                             [&] { return dead_ || appends_ > seen; });
  }

  /// How many appends were tried, failed ones included.
  std::uint64_t appends() const {
    const std::lock_guard lock{mutex_};
    return appends_;
  }

  // -- event_store ------------------------------------------------------------

  std::vector<result<std::uint64_t>>
  append(std::span<const append_request> requests) override {
    const std::lock_guard lock{mutex_};
    if (dead_)
      return all(requests.size(), killed());
    const auto n = ++appends_;
    dead_ = deaths_.contains(n);
    changed_.notify_all(); // Who waits gets the mutex when this is through.
    const error injected{errc::io,
                         "injected: append " + std::to_string(n) + " failed"};
    if (fail_before_.contains(n))
      return all(requests.size(), injected);
    auto out = inner_->append(requests);
    if (fail_after_.contains(n))
      return all(requests.size(), injected);
    return out;
  }

  result<void> put_snapshots(std::span<const run_snapshot> snapshots) override {
    return dead() ? killed() : inner_->put_snapshots(snapshots);
  }
  result<void> delete_snapshots() override {
    return dead() ? killed() : inner_->delete_snapshots();
  }
  result<std::string> put_blob(std::string_view bytes) override {
    return dead() ? killed() : inner_->put_blob(bytes);
  }
  result<std::uint64_t> erase(std::span<const run_id> runs) override {
    return dead() ? killed() : inner_->erase(runs);
  }
  result<std::uint64_t> used_bytes() const override {
    return dead() ? killed() : inner_->used_bytes();
  }
  result<void> reclaim() override {
    return dead() ? killed() : inner_->reclaim();
  }
  result<bool> claim(const run_id& run) override {
    return dead() ? killed() : inner_->claim(run);
  }
  result<void> release(const run_id& run) override {
    return dead() ? killed() : inner_->release(run);
  }
  result<std::vector<run_row>>
  claim_unfinished(std::span<const std::string> agents,
                   const std::optional<run_id>& after,
                   std::size_t limit) override {
    return dead() ? killed() : inner_->claim_unfinished(agents, after, limit);
  }
  result<void> renew() override { return dead() ? killed() : inner_->renew(); }
  std::vector<result<std::uint64_t>>
  post_all(std::span<const inbox_post> posts) override {
    return dead() ? all(posts.size(), killed()) : inner_->post_all(posts);
  }
  result<std::vector<inbox_item>> inbox() const override {
    return dead() ? killed() : inner_->inbox();
  }
  result<void> answer(std::span<const inbox_answer> answers) override {
    return dead() ? killed() : inner_->answer(answers);
  }
  result<std::optional<std::string>>
  find_answer(std::uint64_t id) const override {
    return dead() ? killed() : inner_->find_answer(id);
  }
  result<bool> take_back(std::uint64_t id) override {
    return dead() ? killed() : inner_->take_back(id);
  }
  result<void> remove(std::span<const std::uint64_t> ids) override {
    return dead() ? killed() : inner_->remove(ids);
  }
  result<void> update_shared(
    std::string_view name,
    const std::function<std::string(const std::string&)>& change) override {
    return dead() ? killed() : inner_->update_shared(name, change);
  }
  std::uint64_t change_counter() const override {
    return inner_->change_counter();
  }
  result<std::vector<stored_event>>
  read(const run_id& run, std::uint64_t after_seq) const override {
    return dead() ? killed() : inner_->read(run, after_seq);
  }
  result<log_check> verify(const run_id& run) const override {
    return dead() ? killed() : inner_->verify(run);
  }
  result<std::optional<run_row>> find(const run_id& run) const override {
    return dead() ? killed() : inner_->find(run);
  }
  result<std::optional<run_row>>
  find_by_key(std::string_view agent, std::string_view key) const override {
    return dead() ? killed() : inner_->find_by_key(agent, key);
  }
  result<std::vector<run_row>> list(const run_query& query) const override {
    return dead() ? killed() : inner_->list(query);
  }
  result<std::vector<run_row>> due(timestamp now,
                                   const std::optional<run_row>& after,
                                   std::size_t limit) const override {
    return dead() ? killed() : inner_->due(now, after, limit);
  }
  result<std::optional<timestamp>> next_wake(timestamp now) const override {
    return dead() ? killed() : inner_->next_wake(now);
  }
  result<std::optional<snapshot>>
  find_snapshot(const run_id& run) const override {
    return dead() ? killed() : inner_->find_snapshot(run);
  }
  result<std::string> get_blob(std::string_view hash) const override {
    return dead() ? killed() : inner_->get_blob(hash);
  }

private:
  static std::vector<result<std::uint64_t>> all(std::size_t n, const error& e) {
    return std::vector<result<std::uint64_t>>(n, e);
  }

  static error killed() { return {errc::io, "injected: the process is dead"}; }

  std::shared_ptr<event_store> inner_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::set<std::uint64_t> fail_before_;
  std::set<std::uint64_t> fail_after_;
  std::set<std::uint64_t> deaths_;
  std::uint64_t appends_ = 0;
  bool dead_ = false;
};

} // namespace kestrion
