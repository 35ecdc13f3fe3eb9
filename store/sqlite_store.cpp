#include <kestrion/store/sqlite_store.hpp>

#include <kestrion/store/sqlite_reader.hpp>
#include <kestrion/store/sqlite_writer.hpp>

#include <atomic>
#include <filesystem>
#include <functional>
#include <mutex>
#include <utility>

namespace kestrion {

namespace {

/// Readers that are kept open between calls; more are opened when needed.
constexpr std::size_t idle_readers_max = 8;

class sqlite_store final : public event_store {
public:
  sqlite_store(std::string path, std::unique_ptr<sqlite_writer> writer)
    : path_(std::move(path)), writer_(std::move(writer)),
      owners_(writer_->owners()) {}

  std::vector<result<std::uint64_t>>
  append(std::span<const append_request> requests) override {
    const std::lock_guard lock{write_mutex_};
    auto out = writer_->append(requests);
    look_for_commits(); // Under load the lock is hardly ever free for others.
    return out;
  }

  result<void> put_snapshots(std::span<const run_snapshot> snapshots) override {
    const std::lock_guard lock{write_mutex_};
    return writer_->put_snapshots(snapshots);
  }

  result<void> delete_snapshots() override {
    const std::lock_guard lock{write_mutex_};
    return writer_->delete_snapshots();
  }

  result<std::string> put_blob(std::string_view bytes) override {
    const std::lock_guard lock{write_mutex_};
    return writer_->put_blob(bytes);
  }

  result<std::uint64_t> erase(std::span<const run_id> runs) override {
    const std::lock_guard lock{write_mutex_};
    return writer_->erase(runs);
  }

  result<std::uint64_t> used_bytes() const override {
    const std::lock_guard lock{write_mutex_};
    return writer_->used_bytes();
  }

  result<void> reclaim() override {
    const std::lock_guard lock{write_mutex_};
    return writer_->reclaim();
  }

  result<bool> claim(const run_id& run) override {
    const std::lock_guard lock{write_mutex_};
    return writer_->ownership().claim(run);
  }

  result<void> release(const run_id& run) override {
    const std::lock_guard lock{write_mutex_};
    return writer_->release(run);
  }

  result<std::vector<run_row>>
  claim_unfinished(std::span<const std::string> agents,
                   const std::optional<run_id>& after,
                   std::size_t limit) override {
    const std::lock_guard lock{write_mutex_};
    return writer_->ownership().claim_unfinished(agents, after, limit);
  }

  result<void> renew() override {
    const std::lock_guard lock{write_mutex_};
    return writer_->owners().renew();
  }

  std::vector<result<std::uint64_t>>
  post_all(std::span<const inbox_post> posts) override {
    const std::lock_guard lock{write_mutex_};
    auto out = writer_->inbox().post_all(posts);
    ++posts_;
    return out;
  }

  result<void> answer(std::span<const inbox_answer> answers) override {
    const std::lock_guard lock{write_mutex_};
    return writer_->inbox().answer(answers);
  }

  result<std::optional<std::string>>
  find_answer(std::uint64_t id) const override {
    return with_reader(&sqlite_reader::find_answer, id);
  }

  result<bool> take_back(std::uint64_t id) override {
    const std::lock_guard lock{write_mutex_};
    return writer_->inbox().take_back(id);
  }

  result<void> remove(std::span<const std::uint64_t> ids) override {
    const std::lock_guard lock{write_mutex_};
    return writer_->inbox().remove(ids);
  }

  result<void> update_shared(
    std::string_view name,
    const std::function<std::string(const std::string&)>& change) override {
    const std::lock_guard lock{write_mutex_};
    return writer_->shared().update(name, change);
  }

  result<std::vector<inbox_item>> inbox() const override {
    return with_reader(&sqlite_reader::inbox, owners_.id());
  }

  std::uint64_t change_counter() const override {
    if (const std::unique_lock lock{write_mutex_, std::try_to_lock}; lock)
      look_for_commits();
    return foreign_commits_ + posts_;
  }

  result<std::vector<stored_event>>
  read(const run_id& run, std::uint64_t after_seq) const override {
    return with_reader(&sqlite_reader::read, run, after_seq);
  }

  result<log_check> verify(const run_id& run) const override {
    return with_reader(&sqlite_reader::verify, run);
  }

  result<std::optional<run_row>> find(const run_id& run) const override {
    return with_reader(&sqlite_reader::find, run);
  }

  result<std::optional<run_row>>
  find_by_key(std::string_view agent, std::string_view key) const override {
    return with_reader(&sqlite_reader::find_by_key, agent, key);
  }

  result<std::vector<run_row>> list(const run_query& query) const override {
    return with_reader(&sqlite_reader::list, query);
  }

  result<std::vector<run_row>> due(timestamp now,
                                   const std::optional<run_row>& after,
                                   std::size_t limit) const override {
    return with_reader(&sqlite_reader::due, now, after, limit);
  }

  result<std::optional<timestamp>> next_wake(timestamp now) const override {
    return with_reader(&sqlite_reader::next_wake, now);
  }

  result<std::optional<snapshot>>
  find_snapshot(const run_id& run) const override {
    return with_reader(&sqlite_reader::find_snapshot, run);
  }

  result<std::string> get_blob(std::string_view hash) const override {
    return with_reader(&sqlite_reader::get_blob, hash);
  }

private:
  /// Calls a member function of a reader that nobody else uses meanwhile.
  template <class Member, class... Args>
  auto with_reader(Member member, const Args&... args) const
    -> std::invoke_result_t<Member, sqlite_reader&, const Args&...> {
    auto reader = take_reader();
    if (!reader)
      return reader.error();
    auto out = std::invoke(member, **reader, args...);
    give_back(std::move(*reader));
    return out;
  }

  result<std::unique_ptr<sqlite_reader>> take_reader() const {
    {
      const std::lock_guard lock{readers_mutex_};
      if (!idle_readers_.empty()) {
        auto out = std::move(idle_readers_.back());
        idle_readers_.pop_back();
        return out;
      }
    }
    return sqlite_reader::open(path_);
  }

  void give_back(std::unique_ptr<sqlite_reader> reader) const {
    const std::lock_guard lock{readers_mutex_};
    if (idle_readers_.size() < idle_readers_max)
      idle_readers_.push_back(std::move(reader));
  }

  /// Only with the lock. The writer's own commits do not count, so a busy
  /// process does not look into its inbox for each of them.
  void look_for_commits() const {
    if (const auto commits = writer_->foreign_commits())
      foreign_commits_ = static_cast<std::uint64_t>(*commits);
  }

  std::string path_;
  mutable std::mutex write_mutex_;
  std::unique_ptr<sqlite_writer> writer_;
  const sqlite_owners& owners_; ///< For its id, without the lock.
  mutable std::atomic<std::uint64_t> foreign_commits_{0};
  std::atomic<std::uint64_t> posts_{0};
  mutable std::mutex readers_mutex_;
  mutable std::vector<std::unique_ptr<sqlite_reader>> idle_readers_;
};

result<void> check_place(const std::string& path) {
  std::error_code ignored;
  const auto folder = std::filesystem::path{path}.parent_path();
  if (!folder.empty() && !std::filesystem::is_directory(folder, ignored))
    return error{errc::io, "the store \"" + path + "\" can't be opened: \""
                             + folder.string() + "\" is no folder"};
  if (std::filesystem::is_directory(path, ignored))
    return error{errc::io,
                 "the store \"" + path + "\" can't be opened: it is a folder"};
  return {};
}

} // namespace

result<std::unique_ptr<event_store>> open_sqlite_store(const std::string& path,
                                                       sqlite_options options) {
  if (options.lease <= duration{})
    return error{errc::invalid_argument,
                 "the store \"" + path + "\" is to have a lease of "
                   + std::to_string(options.lease.count())
                   + " microseconds; expected more than 0"};
  if (auto ok = check_place(path); !ok)
    return ok.error();
  auto writer = sqlite_writer::open(path, std::move(options));
  if (!writer)
    return writer.error();
  return std::make_unique<sqlite_store>(path, std::move(*writer));
}

} // namespace kestrion
