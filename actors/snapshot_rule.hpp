#pragma once

#include <cstddef>

/// When a run is worth a snapshot. Pure.
namespace kestrion {

/// The sizes compare bytes of a snapshot with those of the events after it.
struct snapshot_rule {
  /// A shorter log after the last snapshot is read as fast as one: the log of
  /// about 60 turns with 300 bytes of arguments and result each.
  std::size_t tail_min = 64ULL << 10U;
  /// How much of the last snapshot the log after it has to reach. Of a live
  /// run: all, so that each snapshot is about twice the one before, and all of
  /// them together are linear in the log.
  unsigned percent_live = 100;
  /// Of a run that leaves memory, which will surely be read again: less. It
  /// stays linear.
  unsigned percent_leaving = 25;
};

/// How a run stands to its last snapshot.
struct snapshot_meter {
  std::size_t last = 0; ///< Bytes of the last snapshot; 0: there is none.
  std::size_t tail = 0; ///< Bytes of the events after it.
};

/// @param leaving  The run is about to leave memory.
bool is_snapshot_due(const snapshot_rule& rule, const snapshot_meter& meter,
                     bool leaving);

} // namespace kestrion
