#pragma once

#include <kestrion/messages/model_call.hpp>
#include <kestrion/messages/run_id.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// Seeing the answers of models while they are made. A draft is never logged:
/// what counts is the event of the finished answer.
namespace kestrion {

/// How it stands with a draft.
enum class draft_state : std::uint8_t {
  growing,
  completed, ///< The answer is in the log, durable: `model_call_completed`.
  /// What was shown is void: the attempt failed or was given up, or the run
  /// crashed. If the call is made again, that is another draft.
  dropped,
};
BOOST_DESCRIBE_ENUM(draft_state, growing, completed, dropped)

/// What is new of the answer that the model of a run is making.
struct draft_update {
  run_id run;
  std::string call; ///< `m2`, as in the events.
  std::int64_t attempt = 1;
  /// Its number. Whatever begins an answer anew begins another draft, with a
  /// higher number; also the same attempt, made again after a crash.
  std::uint64_t draft = 0;
  draft_state state = draft_state::growing; ///< After these pieces.
  /// Each goes on exactly where the last of its kind and index ended. None in
  /// the update that says that a draft began, or how it ended.
  std::vector<model_delta> pieces = {};
};

/// The text in an update: what a user reads, without thoughts and tool calls.
std::string text_of(const draft_update& update);

/// How many drafts a subscriber may be behind; older ones, that it has heard
/// nothing of, are left out then.
inline constexpr std::size_t drafts_behind_max = 8;

/// The drafts of a run, to loop over: each step blocks until something is new.
/// It ends when the run does, or waits for a person, or is parked; ask for
/// another one when it goes on.
///
///     for (const auto& x : run.drafts())
///       std::cout << text_of(x) << std::flush;
///
/// Must not outlive its runtime.
/// @par Threading One at a time.
class draft_range {
public:
  using source = std::function<std::optional<draft_update>()>;

  /// @param next  Blocks for the next one; nothing at the end.
  explicit draft_range(source next) : next_(std::move(next)) {}

  /// Blocks until something is new. @returns Nothing at the end.
  /// @throws failure  `unavailable`: the runtime has stopped.
  std::optional<draft_update> next() { return next_(); }

  class iterator {
  public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = draft_update;
    using difference_type = std::ptrdiff_t;

    explicit iterator(draft_range& range)
      : range_(&range), now_(range.next()) {}

    const draft_update& operator*() const { return *now_; }
    const draft_update* operator->() const { return &*now_; }
    iterator& operator++() {
      now_ = range_->next();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return !now_; }

  private:
    draft_range* range_;
    std::optional<draft_update> now_;
  };

  iterator begin() { return iterator{*this}; }
  static std::default_sentinel_t end() { return {}; }

private:
  source next_;
};

} // namespace kestrion
