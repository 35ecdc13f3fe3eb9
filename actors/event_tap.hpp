#pragma once

#include <kestrion/actors/actor_slot.hpp>
#include <kestrion/actors/embedding.hpp>

#include <atomic>
#include <memory>
#include <utility>

namespace kestrion {

/// Commits that may wait for the hub; more are left out, and are in the store.
inline constexpr long tap_commits_max = 1'024;

/// Between the journal and the hub: tells whether anybody watches, and keeps
/// what waits for the hub bounded.
/// @par Threading All members from any thread.
class event_tap {
public:
  /// Whether somebody watches. The hub opens it before it looks into the store
  /// and the journal asks after it has committed, so nothing falls between.
  bool is_open() const { return is_open_; }
  void open(bool open) { is_open_ = open; }

  event_hub_actor hub() const { return hub_.get(); }

  /// What an earlier one was sent and did not give on is lost.
  void set_hub(event_hub_actor hub) {
    hub_.set(std::move(hub));
    note_loss();
  }

  /// The hub will look for what it did not hear of, with what it hears next.
  void note_loss() { has_lost_ = true; }

  /// To be kept by what is sent to the hub, until it has dealt with that.
  /// @returns Nothing if there is no place: the hub hears that it lost one.
  std::shared_ptr<const void> take_place() {
    if (places_.use_count() <= tap_commits_max)
      return places_;
    note_loss();
    return nullptr;
  }

  /// Whether something was lost since the last question.
  bool exchange_lost() { return has_lost_.exchange(false); }

private:
  std::atomic<bool> is_open_{false};
  std::atomic<bool> has_lost_{false};
  std::shared_ptr<const void> places_ = std::make_shared<char>();
  actor_slot<event_hub_actor> hub_;
};

} // namespace kestrion
