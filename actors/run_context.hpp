#pragma once

#include <kestrion/actors/protocol.hpp>
#include <kestrion/actors/tool_pool.hpp>

#include <cstdint>
#include <functional>
#include <memory>

namespace kestrion {

/// What all runs of a runtime share.
struct run_context {
  std::shared_ptr<event_store> store; ///< For reading only.
  journal_actor journal;
  std::shared_ptr<tool_pool> tools;
  tool_watch_actor tool_watch;
  caf::actor_addr directory; ///< Weak: the directory holds its runs.
  std::function<timestamp()> now;
  std::function<std::uint64_t()> random; ///< Any thread.
  bool passivates = true;                ///< Runs that wait leave memory.
  bool recovers = true;                  ///< Takes up what is unfinished.
  bool store_is_shared = false;          ///< Other processes may append to it.
};

} // namespace kestrion
