#pragma once

#include <kestrion/actors/agent.hpp>
#include <kestrion/tests/sim/storm_witness.hpp>

#include <functional>
#include <memory>
#include <random>
#include <vector>

namespace kestrion::test {

/// What the agents of one life of a process act on.
struct storm_stage {
  storm_witness& witness;
  std::mt19937_64& random;
  life_id life;
  bool is_calm = false; ///< Models answer at once, and get to an end.
  bool is_over = false; ///< The process is dead: nothing has an effect.
  std::vector<std::function<void()>> unanswered{};

  bool one_in(unsigned n) { return random() % n == 0; }
  std::size_t below(std::size_t n) { return random() % n; }

  /// Some model answers; nothing if none was asked.
  void answer_one();
};

/// A lead with tools of each contract and gates of each kind, below it an aide,
/// which has a scout; each may hand over and ask people.
std::vector<agent> make_storm_agents(const std::shared_ptr<storm_stage>& stage);

} // namespace kestrion::test
