#pragma once

#include "chaos_world.hpp"

#include <kestrion/store/event_store.hpp>

#include <string>

namespace bench {

/// What the store and the world hold in the end.
struct chaos_evidence {
  std::size_t runs = 0;
  std::size_t completed = 0;
  std::size_t events = 0;
  std::size_t recoveries = 0; ///< Lives that began with work under way.
  std::size_t parkings = 0;
  std::size_t once_calls = 0; ///< That were started.
  std::size_t in_doubt = 0;   ///< Of these.
  std::size_t gaps = 0;       ///< Logs that are not 1, 2, 3 …
  std::size_t lost = 0;       ///< Calls with a result that never happened.
  std::size_t doubled = 0;    ///< `once` calls that happened twice.
  std::size_t unfounded = 0;  ///< What happened without a durable start.
  std::size_t unresolved = 0; ///< Calls without a result.
};

/// Reads and compares all. @throws kestrion::failure
chaos_evidence gather(const kestrion::event_store& store, const ledger& world);

/// @param started  Runs whose start was acknowledged.
/// @throws std::runtime_error  Unless nothing was lost and nothing happened
///   twice; says what.
void demand_proof(const chaos_evidence& e, std::size_t started);

} // namespace bench
