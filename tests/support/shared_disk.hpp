#pragma once

#include <kestrion/store/event_store.hpp>
#include <kestrion/store/memory_store.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace kestrion::test {

/// One store of several processes, in memory: who owns which run is decided by
/// the rules of the SQLite store (locks, leases, fencing), on a clock of the
/// test. Each process opens it once; closing it is its death.
/// @par Threading One thread.
class shared_disk : public std::enable_shared_from_this<shared_disk> {
public:
  shared_disk(duration lease, std::function<duration()> now)
    : lease_(lease), now_(std::move(now)) {}

  std::shared_ptr<event_store> open();

private:
  class connection;
  using owner_id = std::uint64_t;

  bool is_living(owner_id id) const {
    const auto found = renewed_.find(id);
    return found != renewed_.end() && now_() - found->second <= lease_;
  }
  /// As the SQLite store does: leases of which half is over.
  void renew_in_passing(owner_id id) {
    auto& renewed = renewed_.at(id);
    if (now_() - renewed > lease_ / 2)
      renewed = now_();
  }
  bool is_free_for(owner_id id, const run_id& run) const {
    const auto owner = owners_.find(run);
    return owner == owners_.end() || owner->second == id
           || !is_living(owner->second);
  }

  duration lease_;
  std::function<duration()> now_;
  std::shared_ptr<event_store> all_ = make_memory_store();
  std::map<owner_id, duration> renewed_; ///< Owners that are open.
  std::map<run_id, owner_id> owners_;
  owner_id last_owner_ = 0;
  std::map<owner_id, std::uint64_t> commits_;
};

class shared_disk::connection final : public event_store {
public:
  connection(std::shared_ptr<shared_disk> disk, owner_id id)
    : disk_(std::move(disk)), id_(id) {
    disk_->renewed_[id_] = disk_->now_();
  }
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  ~connection() override { disk_->renewed_.erase(id_); }

  std::vector<result<std::uint64_t>>
  append(std::span<const append_request> requests) override {
    disk_->renew_in_passing(id_);
    ++disk_->commits_[id_];
    std::vector<result<std::uint64_t>> out;
    for (const auto& each : requests) {
      if (!disk_->is_free_for(id_, each.run)) {
        out.emplace_back(
          error{errc::conflict, each.run.str() + " belongs to another"});
        continue;
      }
      out.push_back(all().append({&each, 1}).front());
      if (!out.back())
        continue;
      if (is_at_rest(each.status))
        disk_->owners_.erase(each.run);
      else
        disk_->owners_[each.run] = id_;
    }
    return out;
  }

  result<bool> claim(const run_id& run) override {
    disk_->renew_in_passing(id_);
    const auto row = all().find(run);
    if (!row)
      return row.error();
    if (!*row)
      return error{errc::not_found, "no run " + run.str()};
    if (!disk_->is_free_for(id_, run))
      return false;
    if (!is_at_rest((*row)->status))
      disk_->owners_[run] = id_;
    return true;
  }
  result<void> release(const run_id& run) override {
    if (const auto i = disk_->owners_.find(run);
        i != disk_->owners_.end() && i->second == id_)
      disk_->owners_.erase(i);
    return {};
  }
  result<std::vector<run_row>>
  claim_unfinished(std::span<const std::string> agents,
                   const std::optional<run_id>& after,
                   std::size_t limit) override {
    disk_->renew_in_passing(id_);
    auto rows = all().claim_unfinished(agents, after, limit);
    if (!rows)
      return rows;
    std::erase_if(*rows, [&](const run_row& row) {
      return !disk_->is_free_for(id_, row.id);
    });
    for (const auto& row : *rows)
      disk_->owners_[row.id] = id_;
    return rows;
  }
  result<void> renew() override {
    disk_->renewed_[id_] = disk_->now_();
    return {};
  }

  std::vector<result<std::uint64_t>>
  post_all(std::span<const inbox_post> posts) override {
    return all().post_all(posts);
  }
  result<std::vector<inbox_item>> inbox() const override {
    auto items = all().inbox();
    if (items)
      std::erase_if(*items, [&](const inbox_item& item) {
        const auto owner = disk_->owners_.find(item.run);
        return owner == disk_->owners_.end() || owner->second != id_;
      });
    return items;
  }
  result<void> update_shared(
    std::string_view name,
    const std::function<std::string(const std::string&)>& change) override {
    ++disk_->commits_[id_];
    return all().update_shared(name, change);
  }
  result<void> answer(std::span<const inbox_answer> answers) override {
    ++disk_->commits_[id_];
    return all().answer(answers);
  }
  result<std::optional<std::string>>
  find_answer(std::uint64_t id) const override {
    return all().find_answer(id);
  }
  result<bool> take_back(std::uint64_t id) override {
    return all().take_back(id);
  }
  result<void> remove(std::span<const std::uint64_t> ids) override {
    return all().remove(ids);
  }
  std::uint64_t change_counter() const override {
    auto sum = all().change_counter();
    for (const auto& [id, n] : disk_->commits_)
      sum += id == id_ ? 0 : n;
    return sum;
  }

  result<void> put_snapshots(std::span<const run_snapshot> those) override {
    return all().put_snapshots(those);
  }
  result<void> delete_snapshots() override { return all().delete_snapshots(); }
  result<std::uint64_t> erase(std::span<const run_id> runs) override {
    ++disk_->commits_[id_];
    return all().erase(runs);
  }
  result<std::uint64_t> used_bytes() const override {
    return all().used_bytes();
  }
  result<void> reclaim() override { return all().reclaim(); }
  result<log_check> verify(const run_id& run) const override {
    return all().verify(run);
  }
  result<std::string> put_blob(std::string_view bytes) override {
    return all().put_blob(bytes);
  }
  result<std::vector<stored_event>>
  read(const run_id& run, std::uint64_t after_seq) const override {
    return all().read(run, after_seq);
  }
  result<std::optional<run_row>> find(const run_id& run) const override {
    return all().find(run);
  }
  result<std::optional<run_row>>
  find_by_key(std::string_view agent, std::string_view key) const override {
    return all().find_by_key(agent, key);
  }
  result<std::vector<run_row>> list(const run_query& query) const override {
    return all().list(query);
  }
  result<std::vector<run_row>> due(timestamp now,
                                   const std::optional<run_row>& after,
                                   std::size_t limit) const override {
    return all().due(now, after, limit);
  }
  result<std::optional<timestamp>> next_wake(timestamp now) const override {
    return all().next_wake(now);
  }
  result<std::optional<snapshot>>
  find_snapshot(const run_id& run) const override {
    return all().find_snapshot(run);
  }
  result<std::string> get_blob(std::string_view hash) const override {
    return all().get_blob(hash);
  }

private:
  event_store& all() const { return *disk_->all_; }

  std::shared_ptr<shared_disk> disk_;
  owner_id id_;
};

inline std::shared_ptr<event_store> shared_disk::open() {
  return std::make_shared<connection>(shared_from_this(), ++last_owner_);
}

} // namespace kestrion::test
