#pragma once

#include <kestrion/actors/embedding.hpp>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

namespace kestrion {

struct run_handle_state {
  static inline const char* name = "kestrion.run_handle";
  run_id run;
  front_actor front;
  std::string failure;      ///< Of who was linked, once it has failed.
  bool owes_wait = false;   ///< Nobody waits for the end just now.
  bool owes_cancel = false; ///< It did not get through.
};

/// @param run  It exists.
run_handle_actor::behavior_type
run_handle(run_handle_actor::stateful_pointer<run_handle_state> self,
           run_id run, front_actor front);

} // namespace kestrion
