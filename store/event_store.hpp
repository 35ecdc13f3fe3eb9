#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kestrion/messages/digest.hpp>
#include <kestrion/messages/error.hpp>
#include <kestrion/messages/event.hpp>
#include <kestrion/messages/run_id.hpp>
#include <kestrion/messages/run_status.hpp>
#include <kestrion/messages/time.hpp>

namespace kestrion {

/// What the store knows of a run without reading its log. It follows from the
/// events alone; the writer passes it with each append, so that lists are
/// cheap.
struct run_row {
  run_id id;
  std::string agent;
  run_status status = run_status::pending;
  std::uint64_t last_seq = 0;
  timestamp created_at;
  timestamp updated_at;
  std::optional<run_id> parent;
  std::optional<std::string> tenant;
  std::optional<std::string> key; ///< The caller's idempotency key.
  /// When it wants to be looked after though nobody says anything: a deadline.
  std::optional<timestamp> wake_at;
  bool operator==(const run_row&) const = default;
};

/// What became of a message in an inbox; for who posted it.
struct inbox_answer {
  std::uint64_t id = 0;
  std::string data; ///< The store does not look into it.
};

/// Events for one run, to be appended all or none.
struct append_request {
  run_id run;
  std::uint64_t expected_seq = 0;    ///< Length of the log that was decided on.
  std::vector<encoded_event> events; ///< At least one.
  run_status status = run_status::pending; ///< After these events.
  /// With the first append of a run (`expected_seq` 0), and only then: agent,
  /// parent, tenant and key; the rest of the row follows from the append.
  std::optional<run_row> created = {};
  /// The message of the run's inbox that this append follows from. It gets its
  /// answer in the same transaction, so it is acted on once, whoever crashes.
  std::optional<inbox_answer> answer = {};
  std::optional<timestamp> wake_at = {}; ///< Of the row, after these events.
};

struct stored_event {
  std::uint64_t seq = 0;
  timestamp at;
  std::string type;
  std::string data;
  sha256_digest hash = {}; ///< Of it and all before it: see `log_chain`.
};

/// The first event of a log that is not as it was written.
struct log_flaw {
  std::uint64_t seq = 0;
  std::string why; ///< Of the event: "is missing".
  bool operator==(const log_flaw&) const = default;
};

/// What a look at every event of a log found.
struct log_check {
  run_id run;
  std::uint64_t events = 0; ///< That fit, from the first on.
  /// The hash of the last of them, 64 hexadecimal digits. Who keeps it where
  /// nobody who can write the store can, can tell later that up to there
  /// nothing was rewritten, hashes and all.
  std::string head;
  std::optional<log_flaw> flaw = {}; ///< Nothing: all of it fits.
};

/// Which runs to list; what is not set does not restrict.
struct run_query {
  std::vector<run_status> statuses = {}; ///< Any of these; empty: all.
  std::optional<std::string> agent = {};
  std::optional<run_id> parent = {};
  bool has_parent = false; ///< Only runs that others started.
  std::optional<timestamp> created_from = {};  ///< Inclusive.
  std::optional<timestamp> created_until = {}; ///< Exclusive.
  std::optional<run_id> after = {}; ///< The last id of the page before.
  std::size_t limit = 1'000;
};

/// A folded state up to `seq`, only ever a short cut: deleting all of them
/// changes nothing but the time that recovery takes.
struct snapshot {
  std::uint64_t seq = 0;
  std::uint32_t version = 0; ///< Of the fold that made it.
  std::string data;
};

/// A snapshot and whose it is.
struct run_snapshot {
  run_id run;
  kestrion::snapshot snapshot;
};

/// The most that one look into the inbox finds.
inline constexpr std::size_t inbox_page = 256;

/// A message for a run, to be left there.
struct inbox_post {
  run_id run;
  std::string data; ///< The store does not look into it.
};

/// A message for a run, left by a process that does not own it.
struct inbox_item {
  std::uint64_t id = 0; ///< Grows with each post.
  run_id run;
  std::string data; ///< As posted; the store does not look into it.
  timestamp at;
};

/// The log of all runs, and who works on which.
///
/// Several processes may share a durable store. Each opened store is an owner
/// of runs until it is closed, its process dies, however it dies, or it has not
/// renewed its lease in time: a process that hangs does not keep its runs for
/// ever. Only a run's owner appends to it. What others want of the run they
/// post to its inbox, and look there for the answer. A run at rest has no
/// owner; one that has ended takes no more messages, and those without an
/// answer are gone.
///
/// An owner whose lease ran out keeps what nobody took meanwhile; an append to
/// what somebody took is a conflict, however late it comes.
///
/// An append that returned a value survives `kill -9` and power loss.
/// @par Threading Any thread, at any time. Writers wait for each other; readers
///   wait for nobody and see what is committed.
/// @par Source sqlite.org/wal.html, sqlite.org/pragma.html#pragma_synchronous
class event_store {
public:
  virtual ~event_store() = default;

  // -- writing ----------------------------------------------------------------

  /// Appends for many runs in one transaction (group commit). The requests are
  /// independent: one that conflicts does not hinder the others.
  /// A run that nobody owns becomes ours with its first or next append, and
  /// nobody's with one that brings it to rest: while it waits for a person,
  /// any process may go on with it.
  /// @returns One result a request, in order: the new length of that log.
  /// @par Errors `conflict` if the log has another length than expected, if
  ///   another living owner has the run (who, and when it last renewed, is in
  ///   the sentence), if a new run's key is taken, or if the message it answers
  ///   was taken back; nothing of that request was written then. `io` (or
  ///   `corrupt`) if the transaction failed; nothing of any request was written
  ///   then. `invalid_argument` for a request that no log could take,
  ///   `limit_exceeded` for an event of more than 64 MiB.
  [[nodiscard]] virtual std::vector<result<std::uint64_t>>
  append(std::span<const append_request> requests) = 0;

  /// Keeps each snapshot as its run's only one, but for those whose run has a
  /// later one of the same version already. In one transaction.
  /// @par Errors `io`, then none of them is kept
  [[nodiscard]] virtual result<void>
  put_snapshots(std::span<const run_snapshot> snapshots) = 0;

  /// Keeps one snapshot. @par Errors as `put_snapshots`
  [[nodiscard]] result<void> put_snapshot(const run_id& run,
                                          snapshot snapshot) {
    const run_snapshot one{run, std::move(snapshot)};
    return put_snapshots({&one, 1});
  }

  /// @par Errors `io`
  [[nodiscard]] virtual result<void> delete_snapshots() = 0;

  /// Keeps `bytes` under their SHA-256; putting the same again is nothing.
  /// @returns The hash, 64 hexadecimal digits. @par Errors `io`
  [[nodiscard]] virtual result<std::string>
  put_blob(std::string_view bytes) = 0;

  // -- keeping house ----------------------------------------------------------

  /// Forgets runs: their events, snapshots, messages, and blobs that no other
  /// run names. All in one transaction. Those that have not ended stay, and so
  /// do those below or above a run that has not: they may still be asked for.
  /// @returns How many are gone. @par Errors `io`, `corrupt`, then none is gone
  [[nodiscard]] virtual result<std::uint64_t>
  erase(std::span<const run_id> runs) = 0;

  /// What is stored, without the space that erased runs have left.
  /// @returns Bytes. @par Errors `io`
  [[nodiscard]] virtual result<std::uint64_t> used_bytes() const = 0;

  /// Gives the space that erased runs have left back to the disk. Writers wait
  /// meanwhile, about as long as it takes to copy what is left, and there has
  /// to be room for a copy. @par Errors `io`
  [[nodiscard]] virtual result<void> reclaim() = 0;

  // -- sharing with other processes -------------------------------------------

  /// Makes a run ours, if nobody who lives owns it. One at rest stays nobody's.
  /// @returns False if another living owner has it.
  /// @par Errors `not_found`, `io`, `corrupt`
  [[nodiscard]] virtual result<bool> claim(const run_id& run) = 0;

  /// Lets go of a run; nothing if it is not ours. @par Errors `io`
  [[nodiscard]] virtual result<void> release(const run_id& run) = 0;

  /// Claims the runs of these agents that are pending or running, in the order
  /// of their ids: what a process takes over at its start. Fewer than `limit`
  /// mean that these are all.
  /// @param after  The last id of the page before.
  /// @returns Those that are ours now; some may have been before.
  /// @par Errors `io`, `corrupt`
  [[nodiscard]] virtual result<std::vector<run_row>>
  claim_unfinished(std::span<const std::string> agents,
                   const std::optional<run_id>& after, std::size_t limit) = 0;

  /// Says that we live: our lease runs anew from now on. To be called several
  /// times in the length of a lease; `append`, `claim` and `claim_unfinished`
  /// renew one of which half is over. If the others had taken us for dead, we
  /// are an owner again, of the runs that nobody took.
  /// @par Errors `io`, `corrupt`
  [[nodiscard]] virtual result<void> renew() = 0;

  /// Leaves messages for runs, for their owners of now or of later; durable,
  /// in one transaction. One that can't be left does not hinder the others.
  /// @returns One result a message, in order: its id. @par Errors `not_found`;
  ///   `refused` if the run has ended; `io`, then nothing was left.
  [[nodiscard]] virtual std::vector<result<std::uint64_t>>
  post_all(std::span<const inbox_post> posts) = 0;

  /// Leaves one message. @par Errors as `post_all`
  [[nodiscard]] result<std::uint64_t> post(const run_id& run,
                                           std::string_view data) {
    const inbox_post one{run, std::string{data}};
    return post_all({&one, 1}).front();
  }

  /// The oldest messages for the runs that are ours and have no answer yet, up
  /// to `inbox_page`, in the order of their posts.
  /// @par Errors `io`, `corrupt`
  [[nodiscard]] virtual result<std::vector<inbox_item>> inbox() const = 0;

  /// Answers messages that no append follows from, in one transaction. Those
  /// that are gone or have an answer stay as they are. @par Errors `io`
  [[nodiscard]] virtual result<void>
  answer(std::span<const inbox_answer> answers) = 0;

  /// What a message that we posted was answered, if it was.
  /// @par Errors `not_found` if it is gone: its run has ended; `io`
  [[nodiscard]] virtual result<std::optional<std::string>>
  find_answer(std::uint64_t id) const = 0;

  /// Forgets a message that has no answer yet; nobody will act on it any more.
  /// @returns False if it has one, or is gone. @par Errors `io`
  [[nodiscard]] virtual result<bool> take_back(std::uint64_t id) = 0;

  /// Forgets messages, answered or not; ids of none are nothing.
  /// @par Errors `io`
  [[nodiscard]] virtual result<void>
  remove(std::span<const std::uint64_t> ids) = 0;

  /// Changes a text that all processes of the store share, in one transaction;
  /// durable. Who changes the same one meanwhile waits.
  /// @param change  Gets what is there, empty at first, and returns what is
  ///   there from now on; if that is equal nothing is written. Called once at
  ///   most. Must not throw or call the store.
  /// @par Errors `io`, then nothing has changed
  [[nodiscard]] virtual result<void> update_shared(
    std::string_view name,
    const std::function<std::string(const std::string&)>& change) = 0;

  /// Grows when another process has committed, or when somebody posted here:
  /// a reason to look into the inbox. Cheap enough for every few milliseconds.
  /// @par Threading Any thread.
  virtual std::uint64_t change_counter() const = 0;

  // -- reading ----------------------------------------------------------------

  /// The events after `after_seq`, to the end; nothing if there are none.
  /// @par Errors `corrupt` at the first row that is not as written (a gap, a
  ///   blob that is gone), named by run and seq; never skips. `io`.
  [[nodiscard]] virtual result<std::vector<stored_event>>
  read(const run_id& run, std::uint64_t after_seq) const = 0;

  /// Compares each event with its hash, and the last with the end of the log
  /// that was noted with the last append.
  /// @par Errors `not_found`, `io`; `corrupt` if the file is so damaged that
  ///   its events can't be told apart
  [[nodiscard]] virtual result<log_check> verify(const run_id& run) const = 0;

  /// @returns Nothing if there is no such run. @par Errors `io`, `corrupt`
  [[nodiscard]] virtual result<std::optional<run_row>>
  find(const run_id& run) const = 0;

  /// The run that was started with this caller's key by this agent.
  /// @returns Nothing if there is none. @par Errors `io`, `corrupt`
  [[nodiscard]] virtual result<std::optional<run_row>>
  find_by_key(std::string_view agent, std::string_view key) const = 0;

  /// In the order of their ids, which is that of their starts.
  /// @par Errors `io`, `corrupt`
  [[nodiscard]] virtual result<std::vector<run_row>>
  list(const run_query& query) const = 0;

  /// The runs whose `wake_at` has come, the earliest first.
  /// @param after  The last one of the page before.
  /// @par Errors `io`, `corrupt`
  [[nodiscard]] virtual result<std::vector<run_row>>
  due(timestamp now, const std::optional<run_row>& after,
      std::size_t limit) const = 0;

  /// The earliest `wake_at` of any run that is later than `now`.
  /// @returns Nothing if there is none. @par Errors `io`
  [[nodiscard]] virtual result<std::optional<timestamp>>
  next_wake(timestamp now) const = 0;

  /// @returns Nothing if there is none. @par Errors `io`, `corrupt`
  [[nodiscard]] virtual result<std::optional<snapshot>>
  find_snapshot(const run_id& run) const = 0;

  /// @par Errors `not_found`; `corrupt` if the bytes do not have that hash;
  /// `io`
  [[nodiscard]] virtual result<std::string>
  get_blob(std::string_view hash) const = 0;
};

/// How long an owner lives after its last sign of life, for all others.
inline constexpr duration lease_default = std::chrono::seconds{10};

/// Opens `sqlite:///relative.db`, `sqlite:////absolute.db` or `memory:`, and
/// creates or migrates what is there.
/// @par Errors `unsupported` for another scheme, for a file that is no store of
///   ours, or one of a newer version; `io` if it can't be opened or written;
///   `invalid_argument` for a URL without a path, or a lease that is not
///   positive.
/// @param lease  Ours, which the others go by; `memory:` has no others.
result<std::unique_ptr<event_store>> open_store(std::string_view url,
                                                duration lease = lease_default);

} // namespace kestrion
