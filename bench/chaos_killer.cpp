#include "chaos_killer.hpp"

#include <caf/actor_cast.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>

#include <algorithm>
#include <random>
#include <vector>

namespace bench {

/// Whom to kill next.
enum class kill_target : std::uint8_t { runs, infrastructure };

} // namespace bench

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(bench::kill_target)

namespace bench {

namespace {

using namespace std::chrono_literals;

constexpr auto run_interval = 100ms;
constexpr std::size_t runs_at_once = 10;
/// Between deaths of infrastructure, milliseconds.
constexpr int pause_min = 1'050;
constexpr int pause_max = 1'950;

struct killer_state {
  static inline const char* name = "bench.killer";
  std::shared_ptr<const kestrion::run_context> context;
  caf::actor root;
  std::shared_ptr<kill_counts> counts;
  std::mt19937_64 random;
  std::vector<std::string> next; ///< Kinds of infrastructure, the last first.
  std::map<caf::actor_addr, std::string> doomed; ///< By whom: what it is.
};
using killer = caf::stateful_actor<killer_state>*;

void kill(killer self, const caf::actor_addr& victim, const std::string& kind) {
  const auto actor = caf::actor_cast<caf::actor>(victim);
  if (!actor)
    return; // It has ended already.
  self->state.doomed[victim] = kind;
  self->monitor(actor);
  caf::anon_send_exit(actor, caf::exit_reason::kill);
}

void kill_some_runs(killer self, const kestrion::children_there& runs) {
  std::vector<kestrion::supervised_actor> victims;
  std::sample(runs.children.begin(), runs.children.end(),
              std::back_inserter(victims), runs_at_once, self->state.random);
  for (const auto& each : victims)
    kill(self, each.actor, "run");
}

/// Each kind once, in some order; then in another one.
void kill_next(killer self, const kestrion::children_there& all) {
  auto& st = self->state;
  if (st.next.empty()) {
    for (const auto& each : all.children)
      st.next.push_back(each.name);
    std::shuffle(st.next.begin(), st.next.end(), st.random);
  }
  const auto victim =
    std::find_if(all.children.begin(), all.children.end(),
                 [&](const auto& each) { return each.name == st.next.back(); });
  if (victim != all.children.end()) { // Else it is being started anew.
    kill(self, victim->actor, victim->name);
    st.next.pop_back();
  }
}

void look_for(killer self, kill_target what) {
  auto& st = self->state;
  if (what == kill_target::infrastructure) {
    std::uniform_int_distribution<int> pause{pause_min, pause_max};
    self->delayed_send(self, std::chrono::milliseconds{pause(st.random)}, what);
    self->request(st.root, caf::infinite, kestrion::which_children{})
      .then([self](const kestrion::children_there& x) { kill_next(self, x); });
    return;
  }
  self->delayed_send(self, run_interval, what);
  const auto supervisor =
    kestrion::strong<kestrion::supervisor_actor>(st.context->supervisor);
  if (supervisor)
    self->request(supervisor, caf::infinite, kestrion::which_children{})
      .then(
        [self](const kestrion::children_there& x) { kill_some_runs(self, x); },
        [](const caf::error&) {
          // It was killed before it could answer.
        });
}

caf::behavior killing(killer self,
                      std::shared_ptr<const kestrion::run_context> context,
                      const caf::actor& root, std::uint64_t seed,
                      std::shared_ptr<kill_counts> counts) {
  auto& st = self->state;
  st.context = std::move(context);
  st.root = root;
  st.counts = std::move(counts);
  st.random.seed(seed);
  self->set_down_handler([self](const caf::down_msg& down) {
    const auto one = self->state.doomed.extract(down.source);
    if (!one.empty() && down.reason == caf::exit_reason::kill)
      self->state.counts->add(one.mapped());
  });
  self->send(self, kill_target::runs);
  self->send(self, kill_target::infrastructure);
  return {[self](kill_target what) {
    look_for(self, what);
  }};
}

} // namespace

caf::actor spawn_killer(caf::actor_system& system,
                        const kestrion::engine& engine, std::uint64_t seed,
                        std::shared_ptr<kill_counts> counts) {
  return system.spawn(
    killing, std::shared_ptr<const kestrion::run_context>{engine.context},
    engine.root, seed, std::move(counts));
}

} // namespace bench
