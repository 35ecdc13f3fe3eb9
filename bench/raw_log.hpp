#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// The ceiling of the durable log: the appends that a store was given, made
/// again with nothing but SQLite.
namespace bench {

struct raw_event {
  std::int64_t seq = 0;
  std::int64_t at = 0;
  std::string type;
  std::string data;
};

/// What one append wrote.
struct raw_append {
  std::string run;
  std::string agent; ///< With the first of a run only.
  std::string status;
  std::vector<raw_event> events;
  bool is_last = false; ///< Ends the run.
};

/// What a store was given, and how it was set up.
struct recording {
  std::vector<std::string> schema; ///< Its tables and indices.
  std::int64_t page_size = 0;
  std::vector<raw_append> appends; ///< In their order.
  std::size_t events = 0;
};

/// Reads what is in the store of this file.
/// @throws std::runtime_error  If SQLite fails.
recording record(const std::filesystem::path& store);

/// A store with nothing but SQLite around it; one thread at a time. All members
/// throw std::runtime_error if SQLite fails.
class raw_log {
public:
  /// A new file with the tables and settings of a recorded store.
  raw_log(const std::filesystem::path& file, const recording& like);

  /// A store that exists, with the same settings.
  explicit raw_log(const std::filesystem::path& store);
  ~raw_log();
  raw_log(const raw_log&) = delete;
  raw_log& operator=(const raw_log&) = delete;

  /// Makes these appends, `group` of them a transaction: for each, looks up the
  /// run, inserts the events, updates the run.
  /// @returns The number of transactions.
  std::size_t replay(const std::vector<raw_append>& appends, std::size_t group);

  /// Leaves a message for a run, as another process would: in a transaction of
  /// a connection of its own.
  void post(const std::string& run, const std::string& data);

  /// The run's log, newest event first, with no more decoding than SQLite's.
  std::vector<raw_event> read(const std::string& run);

  /// The number of the newest event: so many were ever written.
  std::int64_t last_event();

  /// All runs, in the order of their starts.
  std::vector<std::string> runs();

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// Counts the writing transactions that this process commits, in whatever
/// connection, from its construction on. At most one at a time.
class commit_counter {
public:
  commit_counter();
  ~commit_counter();
  commit_counter(const commit_counter&) = delete;
  commit_counter& operator=(const commit_counter&) = delete;

  std::size_t count() const;
};

} // namespace bench
