#pragma once

#include <kestrion/store/event_store.hpp>
#include <kestrion/tests/sim/storm_witness.hpp>

#include <memory>
#include <random>
#include <utility>

namespace kestrion::test {

/// How often the disk fails, in one of so many calls; 0: never.
struct storm_weather {
  unsigned refuses = 0;   ///< Nothing is written.
  unsigned tears = 0;     ///< All is written, and called an error.
  unsigned dies = 0;      ///< The process ends, before or after it is written.
  unsigned conflicts = 0; ///< Somebody else is said to have been faster.
  unsigned misreads = 0;  ///< A read fails.
};

/// A process's connection to the store: it fails as the weather has it, and the
/// witness hears of all that gets through.
/// @par Threading One thread.
class storm_store final : public event_store {
public:
  storm_store(std::shared_ptr<event_store> inner, life_id life,
              storm_witness& witness, const storm_weather& weather,
              std::mt19937_64& random)
    : inner_(std::move(inner)), life_(life), witness_(witness),
      weather_(weather), random_(random) {}

  /// From now on every call fails with `io`: the process is dead.
  void kill() { dead_ = true; }
  bool dead() const { return dead_; }

  std::vector<result<std::uint64_t>>
  append(std::span<const append_request> requests) override {
    const bool dies = !dead_ && strikes(weather_.dies);
    if (dead_ || (dies && strikes(2)) || strikes(weather_.refuses)) {
      dead_ = dead_ || dies;
      return all(requests.size());
    }
    std::vector<result<std::uint64_t>> out;
    if (strikes(weather_.conflicts)) {
      out.assign(requests.size(), error{errc::conflict, "injected"});
      return out;
    }
    out = inner_->append(requests);
    for (std::size_t i = 0; i < out.size(); ++i)
      if (out[i])
        witness_.committed(life_, requests[i]);
    dead_ = dies;
    if (dies || strikes(weather_.tears))
      return all(requests.size());
    return out;
  }

  result<void> put_snapshots(std::span<const run_snapshot> those) override {
    return dead_ ? failed() : inner_->put_snapshots(those);
  }
  result<void> delete_snapshots() override {
    return dead_ ? failed() : inner_->delete_snapshots();
  }
  result<std::uint64_t> erase(std::span<const run_id> runs) override {
    return misses() ? failed() : inner_->erase(runs);
  }
  result<std::uint64_t> used_bytes() const override {
    return misses() ? failed() : inner_->used_bytes();
  }
  result<void> reclaim() override {
    return misses() ? failed() : inner_->reclaim();
  }
  result<log_check> verify(const run_id& run) const override {
    return misses() ? failed() : inner_->verify(run);
  }
  result<std::string> put_blob(std::string_view bytes) override {
    return dead_ ? failed() : inner_->put_blob(bytes);
  }
  result<bool> claim(const run_id& run) override {
    if (misses())
      return failed();
    auto ours = inner_->claim(run);
    if (ours && *ours)
      witness_.claimed(life_, run);
    return ours;
  }
  result<void> release(const run_id& run) override {
    return dead_ ? failed() : inner_->release(run);
  }
  result<std::vector<run_row>>
  claim_unfinished(std::span<const std::string> agents,
                   const std::optional<run_id>& after,
                   std::size_t limit) override {
    if (misses())
      return failed();
    auto rows = inner_->claim_unfinished(agents, after, limit);
    if (rows)
      for (const auto& row : *rows)
        witness_.claimed(life_, row.id);
    return rows;
  }
  result<void> renew() override {
    if (misses())
      return failed();
    auto ok = inner_->renew();
    if (ok)
      witness_.renewed(life_);
    return ok;
  }
  std::vector<result<std::uint64_t>>
  post_all(std::span<const inbox_post> posts) override {
    return misses() ? all(posts.size()) : inner_->post_all(posts);
  }
  result<std::vector<inbox_item>> inbox() const override {
    return misses() ? failed() : inner_->inbox();
  }
  result<void> answer(std::span<const inbox_answer> answers) override {
    return misses() ? failed() : inner_->answer(answers);
  }
  result<std::optional<std::string>>
  find_answer(std::uint64_t id) const override {
    return misses() ? failed() : inner_->find_answer(id);
  }
  result<bool> take_back(std::uint64_t id) override {
    return misses() ? failed() : inner_->take_back(id);
  }
  result<void> remove(std::span<const std::uint64_t> ids) override {
    return misses() ? failed() : inner_->remove(ids);
  }
  result<void> update_shared(
    std::string_view name,
    const std::function<std::string(const std::string&)>& change) override {
    return misses() ? failed() : inner_->update_shared(name, change);
  }
  std::uint64_t change_counter() const override {
    return inner_->change_counter();
  }
  result<std::vector<stored_event>>
  read(const run_id& run, std::uint64_t after_seq) const override {
    return misses() ? failed() : inner_->read(run, after_seq);
  }
  result<std::optional<run_row>> find(const run_id& run) const override {
    return misses() ? failed() : inner_->find(run);
  }
  result<std::optional<run_row>>
  find_by_key(std::string_view agent, std::string_view key) const override {
    return misses() ? failed() : inner_->find_by_key(agent, key);
  }
  result<std::vector<run_row>> list(const run_query& query) const override {
    return misses() ? failed() : inner_->list(query);
  }
  result<std::vector<run_row>> due(timestamp now,
                                   const std::optional<run_row>& after,
                                   std::size_t limit) const override {
    return misses() ? failed() : inner_->due(now, after, limit);
  }
  result<std::optional<timestamp>> next_wake(timestamp now) const override {
    return misses() ? failed() : inner_->next_wake(now);
  }
  result<std::optional<snapshot>>
  find_snapshot(const run_id& run) const override {
    return misses() ? failed() : inner_->find_snapshot(run);
  }
  result<std::string> get_blob(std::string_view hash) const override {
    return misses() ? failed() : inner_->get_blob(hash);
  }

private:
  bool strikes(unsigned one_in) const {
    if (one_in == 0 || random_() % one_in != 0)
      return false;
    ++witness_.counts.faults;
    return true;
  }
  bool misses() const { return dead_ || strikes(weather_.misreads); }
  error failed() const {
    if (!dead_)
      witness_.note("life " + std::to_string(life_) + ": the disk fails");
    return {errc::io, "injected: the disk fails"};
  }
  std::vector<result<std::uint64_t>> all(std::size_t n) const {
    return std::vector<result<std::uint64_t>>(n, failed());
  }

  std::shared_ptr<event_store> inner_;
  life_id life_;
  storm_witness& witness_;
  const storm_weather& weather_;
  std::mt19937_64& random_;
  bool dead_ = false;
};

} // namespace kestrion::test
