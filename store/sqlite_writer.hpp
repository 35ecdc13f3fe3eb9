#pragma once

#include <kestrion/store/event_store.hpp>
#include <kestrion/store/log_chain.hpp>
#include <kestrion/store/payloads.hpp>
#include <kestrion/store/sqlite_inbox.hpp>
#include <kestrion/store/sqlite_owners.hpp>
#include <kestrion/store/sqlite_ownership.hpp>
#include <kestrion/store/sqlite_retention.hpp>
#include <kestrion/store/sqlite_shared.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace kestrion {

/// Of larger data of an event the longer strings are kept in the table of
/// blobs, by their hash; if that does not help, all of it. Of a snapshot, whose
/// strings are those of events, the strings that are so long by themselves.
inline constexpr std::size_t inline_bytes_max = 64ULL << 10U;

/// A shorter string stays with its event.
inline constexpr std::size_t inline_string_max = 4ULL << 10U;

/// The writing half of the store: the only connection that writes.
/// @par Threading One thread at a time.
/// @par Errors as the port has it
class sqlite_writer {
public:
  /// Opens or creates the file and brings its tables up to date.
  static result<std::unique_ptr<sqlite_writer>> open(const std::string& path,
                                                     sqlite_options options);

  std::vector<result<std::uint64_t>>
  append(std::span<const append_request> requests);
  result<void> put_snapshots(std::span<const run_snapshot> snapshots);
  result<void> delete_snapshots();
  result<std::string> put_blob(std::string_view bytes);
  result<void> release(const run_id& run);
  result<std::uint64_t> erase(std::span<const run_id> runs);
  result<std::uint64_t> used_bytes() { return used_bytes_of(db_); }
  result<void> reclaim();

  /// Who shares the file.
  sqlite_owners& owners() { return *owners_; }

  /// Who works on which run. To let go of one is `release` of this class, which
  /// also forgets that it was ours.
  sqlite_ownership& ownership() { return *ownership_; }

  sqlite_inbox& inbox() { return *inbox_; }

  sqlite_shared& shared() { return *shared_; }

  /// Grows with each commit of another connection to the file.
  /// @par Errors `io`
  result<std::int64_t> foreign_commits();

private:
  /// Where a log ends; all 0 for a run that does not exist.
  struct log_end {
    std::int64_t row = 0; ///< Of the table `runs`.
    std::uint64_t seq = 0;
    std::int64_t event = 0;  ///< The id of the event at `seq`.
    sha256_digest hash = {}; ///< Its hash.
    std::int64_t owner = 0;  ///< 0: nobody.
    run_status status = run_status::pending;
    std::optional<timestamp> wake_at = {};
  };
  using log_ends = std::unordered_map<run_id, log_end>;

  explicit sqlite_writer(sqlite_connection db) : db_(std::move(db)) {}
  result<void> prepare_all();
  result<void> append_all(std::span<const append_request> requests,
                          std::vector<result<std::uint64_t>>& out);
  result<log_ends> take_known_ends();
  result<void> check_fit(const append_request& request, const log_end& end);
  result<void> check_key(const append_request& request);
  result<void> append_one(const append_request& request, std::string_view run,
                          log_end& end);
  result<void> update_run(const append_request& request, const log_end& end);
  std::optional<std::int64_t> owner_after(run_status s) const;
  result<log_end> find_end(std::string_view run);
  result<void> insert_event(std::string_view run, const encoded_event& e,
                            log_end& end);
  result<void> keep_payloads(const split_text& split);
  result<void> insert_run(const run_row& row, const log_end& end);

  sqlite_connection db_;
  log_chain chain_;
  /// Of the runs that are ours and go on, as long as nobody else commits; empty
  /// while an append is under way, so that a failed one leaves no trace. Who
  /// takes a run from us, or our row, commits; what we change ourselves beside
  /// appending is kept right by `release`.
  log_ends ends_;
  std::int64_t ends_version_ = 0; ///< `foreign_commits` when they were read.
  std::unique_ptr<sqlite_owners> owners_;
  std::unique_ptr<sqlite_ownership> ownership_;
  std::optional<sqlite_inbox> inbox_;
  std::optional<sqlite_shared> shared_;
  sqlite_statement find_end_;
  sqlite_statement find_by_key_;
  sqlite_statement insert_run_;
  sqlite_statement update_run_;
  sqlite_statement prolong_run_;
  sqlite_statement set_wake_;
  sqlite_statement insert_event_;
  sqlite_statement put_blob_;
  sqlite_statement put_snapshot_;
  sqlite_statement foreign_commits_;
};

} // namespace kestrion
