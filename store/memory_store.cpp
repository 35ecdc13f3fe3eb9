#include <algorithm>
#include <mutex>
#include <set>
#include <utility>

#include <kestrion/messages/digest.hpp>
#include <kestrion/messages/time.hpp>
#include <kestrion/store/append_rules.hpp>
#include <kestrion/store/log_chain.hpp>
#include <kestrion/store/memory_store.hpp>
#include <kestrion/store/payloads.hpp>

namespace kestrion {

namespace {

struct run_log {
  run_row row;
  std::vector<stored_event> events;
};

bool matches(const run_query& query, const run_row& row) {
  const auto& statuses = query.statuses;
  return (statuses.empty()
          || std::find(statuses.begin(), statuses.end(), row.status)
               != statuses.end())
         && (!query.agent || row.agent == *query.agent)
         && (!query.parent || row.parent == query.parent)
         && (!query.has_parent || row.parent)
         && (!query.created_from || row.created_at >= *query.created_from)
         && (!query.created_until || row.created_at < *query.created_until);
}

class memory_store final : public event_store {
public:
  std::vector<result<std::uint64_t>>
  append(std::span<const append_request> requests) override {
    const std::lock_guard lock{mutex_};
    std::vector<result<std::uint64_t>> out;
    out.reserve(requests.size());
    for (const auto& request : requests)
      out.push_back(append_one(request));
    return out;
  }

  result<void> put_snapshots(std::span<const run_snapshot> snapshots) override {
    const std::lock_guard lock{mutex_};
    for (const auto& each : snapshots) {
      auto& kept = snapshots_[each.run];
      if (kept.seq <= each.snapshot.seq
          || kept.version != each.snapshot.version)
        kept = each.snapshot;
    }
    return {};
  }

  result<void> delete_snapshots() override {
    const std::lock_guard lock{mutex_};
    snapshots_.clear();
    return {};
  }

  result<std::string> put_blob(std::string_view bytes) override {
    auto hash = sha256_hex(bytes);
    const std::lock_guard lock{mutex_};
    blobs_.try_emplace(hash, bytes);
    return hash;
  }

  result<std::vector<stored_event>>
  read(const run_id& run, std::uint64_t after_seq) const override {
    const std::lock_guard lock{mutex_};
    const auto found = runs_.find(run);
    if (found == runs_.end() || after_seq >= found->second.events.size())
      return std::vector<stored_event>{};
    const auto& events = found->second.events;
    return std::vector<stored_event>(
      events.begin() + static_cast<std::ptrdiff_t>(after_seq), events.end());
  }

  result<log_check> verify(const run_id& run) const override {
    const std::lock_guard lock{mutex_};
    const auto found = runs_.find(run);
    if (found == runs_.end())
      return no_run(run);
    const auto& events = found->second.events;
    return check_log(run, events, events.back().hash);
  }

  result<std::optional<run_row>> find(const run_id& run) const override {
    const std::lock_guard lock{mutex_};
    const auto found = runs_.find(run);
    if (found == runs_.end())
      return std::optional<run_row>{};
    return std::optional{found->second.row};
  }

  result<std::optional<run_row>>
  find_by_key(std::string_view agent, std::string_view key) const override {
    const std::lock_guard lock{mutex_};
    const auto found = keys_.find({std::string{agent}, std::string{key}});
    if (found == keys_.end())
      return std::optional<run_row>{};
    return std::optional{runs_.at(found->second).row};
  }

  result<std::vector<run_row>> list(const run_query& query) const override {
    const std::lock_guard lock{mutex_};
    std::vector<run_row> out;
    auto at = query.after ? runs_.upper_bound(*query.after) : runs_.begin();
    for (; at != runs_.end() && out.size() < query.limit; ++at)
      if (matches(query, at->second.row))
        out.push_back(at->second.row);
    return out;
  }

  result<std::vector<run_row>> due(timestamp now,
                                   const std::optional<run_row>& after,
                                   std::size_t limit) const override {
    const std::lock_guard lock{mutex_};
    std::vector<run_row> out;
    auto at = after && after->wake_at
                ? wakes_.upper_bound({*after->wake_at, after->id})
                : wakes_.begin();
    for (; at != wakes_.end() && at->first <= now && out.size() < limit; ++at)
      out.push_back(runs_.at(at->second).row);
    return out;
  }

  result<std::optional<timestamp>> next_wake(timestamp now) const override {
    const std::lock_guard lock{mutex_};
    const auto next =
      std::find_if(wakes_.begin(), wakes_.end(),
                   [&](const auto& w) { return w.first > now; });
    return next == wakes_.end() ? std::nullopt : std::optional{next->first};
  }

  result<std::optional<snapshot>>
  find_snapshot(const run_id& run) const override {
    const std::lock_guard lock{mutex_};
    const auto found = snapshots_.find(run);
    if (found == snapshots_.end())
      return std::optional<snapshot>{};
    return std::optional{found->second};
  }

  result<std::string> get_blob(std::string_view hash) const override {
    const std::lock_guard lock{mutex_};
    const auto found = blobs_.find(std::string{hash});
    if (found == blobs_.end())
      return no_blob(hash);
    return found->second;
  }

  result<std::uint64_t> erase(std::span<const run_id> runs) override {
    const std::lock_guard lock{mutex_};
    const auto above = above_the_living();
    std::set<std::string> named;
    std::uint64_t gone = 0;
    for (const auto& id : runs) {
      const auto found = runs_.find(id);
      if (found == runs_.end() || above.contains(id)
          || !may_leave(found->second.row))
        continue;
      add_blobs_of(found->second, named);
      forget(found);
      ++gone;
    }
    std::set<std::string> kept;
    for (const auto& [id, log] : runs_)
      add_blobs_of(log, kept);
    for (const auto& hash : named)
      if (!kept.contains(hash))
        blobs_.erase(hash);
    return gone;
  }

  result<std::uint64_t> used_bytes() const override {
    const std::lock_guard lock{mutex_};
    std::uint64_t out = 0;
    for (const auto& [id, log] : runs_)
      for (const auto& e : log.events)
        out += e.data.size() + sizeof(e);
    for (const auto& [hash, bytes] : blobs_)
      out += hash.size() + bytes.size();
    return out;
  }

  result<void> reclaim() override { return {}; }

  result<bool> claim(const run_id& run) override {
    const std::lock_guard lock{mutex_};
    if (!runs_.contains(run))
      return no_run(run);
    return true; // There is no other process.
  }

  result<void> release(const run_id&) override { return {}; }

  result<std::vector<run_row>>
  claim_unfinished(std::span<const std::string> agents,
                   const std::optional<run_id>& after,
                   std::size_t limit) override {
    const std::lock_guard lock{mutex_};
    std::vector<run_row> out;
    auto at = after ? runs_.upper_bound(*after) : runs_.begin();
    for (; at != runs_.end() && out.size() < limit; ++at)
      if (const auto& row = at->second.row;
          !is_at_rest(row.status)
          && std::find(agents.begin(), agents.end(), row.agent) != agents.end())
        out.push_back(row);
    return out;
  }

  result<void> renew() override { return {}; }

  std::vector<result<std::uint64_t>>
  post_all(std::span<const inbox_post> all) override {
    const std::lock_guard lock{mutex_};
    std::vector<result<std::uint64_t>> out;
    out.reserve(all.size());
    for (const auto& each : all)
      out.push_back(post_one(each));
    return out;
  }

  result<std::vector<inbox_item>> inbox() const override {
    const std::lock_guard lock{mutex_};
    std::vector<inbox_item> out;
    for (const auto& [id, post] : inbox_)
      if (!post.answer && out.size() < inbox_page)
        out.push_back(post.item);
    return out;
  }

  result<void> answer(std::span<const inbox_answer> answers) override {
    const std::lock_guard lock{mutex_};
    for (const auto& each : answers)
      if (const auto post = find_waiting(each.id); post != inbox_.end())
        post->second.answer = each.data;
    return {};
  }

  result<std::optional<std::string>>
  find_answer(std::uint64_t id) const override {
    const std::lock_guard lock{mutex_};
    const auto post = inbox_.find(id);
    if (post == inbox_.end())
      return no_post(id);
    return post->second.answer;
  }

  result<bool> take_back(std::uint64_t id) override {
    const std::lock_guard lock{mutex_};
    const auto post = find_waiting(id);
    if (post == inbox_.end())
      return false;
    inbox_.erase(post);
    return true;
  }

  result<void> remove(std::span<const std::uint64_t> ids) override {
    const std::lock_guard lock{mutex_};
    for (const auto id : ids)
      inbox_.erase(id);
    return {};
  }

  result<void> update_shared(
    std::string_view name,
    const std::function<std::string(const std::string&)>& change) override {
    const std::lock_guard lock{mutex_};
    auto& text = shared_[std::string{name}];
    text = change(text);
    return {};
  }

  std::uint64_t change_counter() const override {
    const std::lock_guard lock{mutex_};
    return posts_;
  }

private:
  /// Whether it has ended, and no run that has not may ask for it.
  bool may_leave(const run_row& row) const {
    if (!is_terminal(row.status))
      return false;
    const auto above = row.parent ? runs_.find(*row.parent) : runs_.end();
    return above == runs_.end() || is_terminal(above->second.row.status);
  }

  std::set<run_id> above_the_living() const {
    std::set<run_id> out;
    for (const auto& [id, log] : runs_) {
      auto parent = is_terminal(log.row.status) ? std::nullopt : log.row.parent;
      while (parent && out.insert(*parent).second) {
        const auto found = runs_.find(*parent);
        parent = found == runs_.end() ? std::nullopt : found->second.row.parent;
      }
    }
    return out;
  }

  /// What the images of a log name.
  static void add_blobs_of(const run_log& log, std::set<std::string>& out) {
    constexpr std::string_view mark = R"("blob":")";
    for (const auto& e : log.events)
      for (auto at = e.data.find(mark); at != std::string::npos;
           at = e.data.find(mark, at + 1))
        out.insert(e.data.substr(at + mark.size(), payload_hash_length));
  }

  void forget(std::map<run_id, run_log>::iterator found) {
    const auto& [id, log] = *found;
    if (log.row.key)
      keys_.erase({log.row.agent, *log.row.key});
    if (log.row.wake_at)
      wakes_.erase({*log.row.wake_at, id});
    snapshots_.erase(id);
    std::erase_if(inbox_, [&id = id](const auto& post) {
      return post.second.item.run == id;
    });
    runs_.erase(found);
  }

  struct posted {
    inbox_item item;
    std::optional<std::string> answer;
  };
  using posts = std::map<std::uint64_t, posted>;

  result<std::uint64_t> post_one(const inbox_post& x) {
    const auto found = runs_.find(x.run);
    if (found == runs_.end())
      return no_run(x.run);
    if (is_terminal(found->second.row.status))
      return run_ended(x.run, found->second.row.status);
    ++posts_;
    inbox_.emplace(posts_, posted{{posts_, x.run, x.data, system_now()}, {}});
    return posts_;
  }

  posts::iterator find_waiting(std::uint64_t id) {
    const auto found = inbox_.find(id);
    return found != inbox_.end() && found->second.answer ? inbox_.end() : found;
  }

  result<std::uint64_t> append_one(const append_request& request) {
    if (auto ok = check_append(request); !ok)
      return ok.error();
    const auto found = runs_.find(request.run);
    const auto length = found == runs_.end() ? 0 : found->second.events.size();
    if (length != request.expected_seq)
      return seq_conflict(request.run, request.expected_seq, length);
    if (request.created && request.created->key) {
      const auto [taken, fresh] = keys_.try_emplace(
        {request.created->agent, *request.created->key}, request.run);
      if (!fresh)
        return key_conflict(request.created->agent, *request.created->key,
                            taken->second);
    }
    if (request.answer) {
      const auto post = find_waiting(request.answer->id);
      if (post == inbox_.end())
        return post_conflict(request.run, request.answer->id);
      post->second.answer = request.answer->data;
    }
    auto& log = runs_[request.run];
    if (request.created)
      log.row = first_row(request);
    for (const auto& e : request.events) {
      const auto seq = log.events.size() + 1;
      const auto before =
        seq == 1 ? chain_.start(request.run) : log.events.back().hash;
      log.events.push_back({seq, e.at, std::string{e.type}, e.data,
                            chain_.next(before, seq, e.at, e.type, e.data)});
    }
    log.row.status = request.status;
    log.row.last_seq = log.events.size();
    log.row.updated_at = request.events.back().at;
    if (log.row.wake_at)
      wakes_.erase({*log.row.wake_at, request.run});
    log.row.wake_at = request.wake_at;
    if (log.row.wake_at)
      wakes_.emplace(*log.row.wake_at, request.run);
    if (is_terminal(request.status))
      std::erase_if(inbox_, [&](const auto& post) {
        return post.second.item.run == request.run && !post.second.answer;
      });
    return log.row.last_seq;
  }

  mutable std::mutex mutex_;
  std::map<run_id, run_log> runs_;
  std::map<std::pair<std::string, std::string>, run_id> keys_;
  std::map<run_id, snapshot> snapshots_;
  std::map<std::string, std::string> blobs_;
  std::set<std::pair<timestamp, run_id>> wakes_;
  std::map<std::string, std::string> shared_;
  log_chain chain_;
  posts inbox_; ///< By id.
  std::uint64_t posts_ = 0;
};

} // namespace

std::unique_ptr<event_store> make_memory_store() {
  return std::make_unique<memory_store>();
}

} // namespace kestrion
