#pragma once

#include <kestrion/actors/drafts.hpp>
#include <kestrion/providers/models/model.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace kestrion {

class draft_desk;   // Where one run writes, and who watches it reads.
struct draft_page;  // One draft.
struct draft_place; // How far one who watches has read.

/// The side that writes a draft. When it goes, the draft is dropped unless it
/// was completed before: so it is whatever becomes of a run.
/// @par Threading Any thread, one at a time; what `sink` gave, at any time.
class draft_pen {
public:
  draft_pen(std::shared_ptr<draft_desk> desk, std::string call,
            std::int64_t attempt, std::uint64_t number);
  ~draft_pen();
  draft_pen(const draft_pen&) = delete;
  draft_pen& operator=(const draft_pen&) = delete;

  /// What shows pieces. It may outlive the pen: then they are ignored.
  delta_sink sink() const;

  /// The answer is in the log.
  void complete();

private:
  std::shared_ptr<draft_desk> desk_;
  std::shared_ptr<draft_page> page_;
};

/// The side that reads the drafts of one run, from the one that is being made
/// on. It never makes the writer wait: what it has not taken yet is merged.
/// @par Threading Any thread, one at a time.
class draft_watch {
public:
  explicit draft_watch(std::shared_ptr<draft_desk> desk);
  ~draft_watch();
  draft_watch(const draft_watch&) = delete;
  draft_watch& operator=(const draft_watch&) = delete;

  /// @param wake  If there is nothing, called once as soon as there is: from
  ///   any thread, also before this returns; must not block or throw. One that
  ///   was given before is forgotten.
  /// @returns What is new since the last time.
  std::optional<draft_update> take(std::function<void()> wake);

private:
  std::shared_ptr<draft_desk> desk_;
  std::unique_ptr<draft_place> reader_;
};

/// Desks last as long as somebody sits at them.
struct draft_desks {
  std::mutex mutex;
  std::unordered_map<run_id, std::weak_ptr<draft_desk>> by_run;
};

/// Where the runs of a runtime write the drafts of their models' answers, and
/// others read them. A run costs nothing here while no model writes for it and
/// nobody watches it; a draft costs its text, once, and each reader a few
/// numbers.
/// @par Threading Any thread.
class draft_board {
public:
  /// Begins a draft. A run writes one at a time.
  std::unique_ptr<draft_pen> begin(const run_id& run, std::string call,
                                   std::int64_t attempt);

  /// Who watches a run sees the draft that is being made, whole, and all that
  /// follow.
  std::unique_ptr<draft_watch> watch(const run_id& run);

  /// Runs that are written for or watched.
  std::size_t runs() const;

private:
  std::shared_ptr<draft_desk> desk_of(const run_id& run);

  std::shared_ptr<draft_desks> desks_ = std::make_shared<draft_desks>();
  std::atomic<std::uint64_t> last_number_{0};
};

} // namespace kestrion
