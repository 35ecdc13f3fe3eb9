#pragma once

#include <kestrion/actors/actor_slot.hpp>
#include <kestrion/actors/call_desk.hpp>
#include <kestrion/actors/draft_board.hpp>
#include <kestrion/actors/event_tap.hpp>
#include <kestrion/actors/protocol.hpp>
#include <kestrion/actors/run_header.hpp>
#include <kestrion/actors/snapshot_rule.hpp>
#include <kestrion/actors/tool_pool.hpp>

#include <caf/actor_cast.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <kestrion/messages/redactor.hpp>

namespace kestrion {

/// Nothing if it has ended and is not back yet.
template <class Handle>
Handle strong(const actor_slot<caf::actor_addr>& slot) {
  if (auto hdl = caf::actor_cast<caf::strong_actor_ptr>(slot.get()))
    return caf::actor_cast<Handle>(hdl);
  return {};
}

/// What all runs of a runtime share.
struct run_context {
  /// For reading, and for what processes share; the journal appends.
  std::shared_ptr<event_store> store;
  std::shared_ptr<tool_pool> tools;
  std::shared_ptr<call_desk> calls = std::make_shared<call_desk>();
  std::shared_ptr<event_tap> events = std::make_shared<event_tap>();
  std::shared_ptr<draft_board> drafts = std::make_shared<draft_board>();
  std::shared_ptr<header_pool> headers = std::make_shared<header_pool>();
  // Started anew when they end, so ask each time.
  actor_slot<journal_actor> journal;
  actor_slot<tool_watch_actor> tool_watch;
  actor_slot<scheduler_actor> scheduler;
  actor_slot<caf::actor_addr> supervisor;    ///< Weak: it holds this context.
  actor_slot<caf::actor_addr> directory;     ///< Weak: it holds its runs.
  actor_slot<caf::actor_addr> schedules;     ///< Weak: it holds this context.
  std::shared_ptr<const redactor> redaction; ///< Nothing: none.
  std::function<timestamp()> now;
  std::function<std::uint64_t()> random; ///< Any thread.
  std::string process;          ///< Its name where processes share limits.
  bool passivates = true;       ///< Runs that wait leave memory.
  bool recovers = true;         ///< Takes up what is unfinished.
  bool store_is_shared = false; ///< Other processes may append to it.
  duration clock_check{};       ///< How often to see whether it was set.
  snapshot_rule snapshots;      ///< When runs take one.
  std::atomic<bool> is_stopping{false};
};

} // namespace kestrion
