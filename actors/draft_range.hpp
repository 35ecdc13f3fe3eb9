#pragma once

#include <kestrion/actors/draft_board.hpp>
#include <kestrion/actors/embedding.hpp>

#include <caf/actor_system.hpp>

#include <memory>

namespace kestrion {

/// What `watch` sees, for somebody who blocks for it, until the front says that
/// the run is at rest.
/// @param watch  Not null; was begun before this is called.
draft_range blocking_drafts(caf::actor_system& system, const front_actor& front,
                            const run_id& run,
                            std::unique_ptr<draft_watch> watch);

} // namespace kestrion
