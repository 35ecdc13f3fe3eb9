#include <kestrion/tests/sim/storm.hpp>

#include <kestrion/actors/directory_actor.hpp>
#include <kestrion/actors/supervision_tree.hpp>
#include <kestrion/store/sqlite_store.hpp>
#include <kestrion/tests/support/temp_folder.hpp>

#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>

namespace kestrion::test {

namespace {

using namespace std::chrono_literals;

constexpr auto steps_max = 130;

template <class State>
const State* state_of(const caf::actor& handle) {
  auto* actor = caf::actor_cast<caf::abstract_actor*>(handle);
  if (!actor || actor->getf(caf::abstract_actor::is_terminated_flag)
      || actor->getf(caf::abstract_actor::is_cleaned_up_flag))
    return nullptr;
  auto* typed = dynamic_cast<caf::stateful_actor<State>*>(actor);
  return typed ? &typed->state : nullptr;
}

} // namespace

storm::storm(std::uint64_t seed, storm_disk disk)
  : random_(seed), lease_(std::chrono::seconds{2 + random_() % 9}),
    witness_(lease_), is_alone_(one_in(5)) {
  const auto now = [this] {
    return witness_.now;
  };
  if (disk == storm_disk::memory) {
    open_ = [all = std::make_shared<shared_disk>(lease_, now)] {
      return all->open();
    };
  } else {
    open_ = [folder = std::make_shared<temp_folder>(), lease = lease_, now] {
      return std::shared_ptr<event_store>{
        open_sqlite_store(*folder / "runs.db", {lease, now}).value()};
    };
  }
  eye_ = open_();
  const auto often = [&](unsigned n) {
    return one_in(3) ? 0 : n + static_cast<unsigned>(below(n));
  };
  weather_ = {often(30), often(30), often(80), often(60), often(150)};
}

storm::~storm() {
  for (auto& p : processes_)
    if (p)
      crash(p);
}

// -- the world ----------------------------------------------------------------

void storm::boot(process& p) {
  p.life = witness_.born();
  p.store =
    std::make_shared<storm_store>(open_(), p.life, witness_, weather_, random_);
  p.stage = std::make_shared<storm_stage>(
    storm_stage{witness_, random_, p.life, is_calm_});
  engine_options options;
  options.store_is_shared = !is_alone_;
  options.supervision.intensity = one_in(4) ? 10 : 1'000;
  if (one_in(2))
    options.snapshots = {1, 0, 0}; // After each event.
  p.world = std::make_unique<sim>(p.store, make_storm_agents(p.stage),
                                  static_cast<std::uint32_t>(random_()),
                                  begin + witness_.now, options);
}

void storm::crash(process& p) {
  p.store->kill();
  p.stage->is_over = true;
  p.stage->unanswered.clear();
  p.world.reset();
  witness_.died(p.life);
  p = {};
}

void storm::pass(duration d) {
  witness_.now += d;
  for (auto& p : processes_)
    if (p && !p.hangs)
      p.world->stall(d);
    else if (p)
      p.behind += d;
}

void storm::hang(process& p) {
  p.hangs = true;
  ++witness_.counts.hangs;
  witness_.note("life " + std::to_string(p.life) + " hangs");
}

void storm::wake(process& p) {
  p.hangs = false;
  witness_.note("life " + std::to_string(p.life) + " goes on");
  p.world->stall(std::exchange(p.behind, duration{}));
}

/// Its actors died too often: it is of no use any more.
bool storm::has_stopped(const process& p) const {
  return state_of<supervision_tree_state>(p.world->actors().root) == nullptr;
}

bool storm::take_turns(process& p, std::size_t n) {
  const auto journal = p.world->actors().context->journal.get();
  for (; n > 0; --n) {
    const auto* held =
      p.is_slow ? caf::actor_cast<caf::abstract_actor*>(journal) : nullptr;
    if (!p.world->turn(held)) {
      if (!p.is_slow && !p.store->dead())
        witness_.look_at(p.life, p.world->actors());
      return false;
    }
    ++witness_.counts.turns;
    if (p.store->dead() || witness_.is_violated())
      return true;
  }
  return true;
}

void storm::drain(process& p) {
  for (int i = 0; i < 10'000 && !witness_.is_violated(); ++i) {
    if (take_turns(p, 1'000) || p.world->run_tool())
      continue;
    if (p.stage->unanswered.empty())
      return;
    p.stage->answer_one();
  }
  witness_.expect(witness_.is_violated(), "a process never comes to rest");
}

void storm::kill_actor(process& p) {
  ++witness_.counts.kills;
  const auto& actors = p.world->actors();
  const auto* tree = state_of<supervision_tree_state>(actors.root);
  if (!tree)
    return;
  if (one_in(2)) {
    const auto& child = tree->children[below(tree->children.size())];
    witness_.note("life " + std::to_string(p.life) + ": killed is the "
                  + child.spec.name);
    if (child.actor)
      caf::anon_send_exit(child.actor, caf::exit_reason::kill);
    return;
  }
  std::vector<run_id> running;
  for (const auto& [id, log] : witness_.logs())
    if (log.writer == p.life && !is_terminal(log.state.progress.status))
      running.push_back(id);
  if (running.empty())
    return;
  const auto& victim = running[below(running.size())];
  for (const auto& [id, actor] : live_runs(p.world->actors()))
    if (id == victim) {
      witness_.note("life " + std::to_string(p.life) + ": killed is "
                    + witness_.name_of(id));
      caf::anon_send_exit(actor, caf::exit_reason::kill);
    }
}

// -- the course ---------------------------------------------------------------

void storm::play() {
  boot(processes_[0]);
  if (!is_alone_)
    boot(processes_[1]);
  start(processes_[0]);
  for (int i = 0; i < steps_max && !witness_.is_violated(); ++i)
    step();
  calm_down();
  witness_.counts.seeds = 1;
}

void storm::step() {
  ++witness_.counts.steps;
  auto& p = processes_[is_alone_ ? 0 : below(2)];
  if (!p) {
    if (one_in(4))
      boot(p);
    pass(std::chrono::milliseconds{below(300)});
    return;
  }
  const auto dice = below(100);
  if (dice < 14)
    return pass(std::chrono::milliseconds{below(one_in(6) ? 8'000 : 400)});
  if (p.hangs)
    return one_in(8) ? wake(p) : void();
  if (dice < 52)
    take_turns(p, 1 + below(40));
  else if (dice < 64)
    p.stage->answer_one();
  else if (dice < 72)
    p.world->run_tool();
  else if (dice < 84)
    meddle(p);
  else if (dice < 90)
    start(p);
  else if (dice < 92)
    p.store->kill();
  else if (dice < 93 && !is_alone_)
    hang(p);
  else if (dice < 96)
    kill_actor(p);
  else
    p.is_slow = !p.is_slow;
  if (p.store->dead() || has_stopped(p)) {
    ++witness_.counts.crashes;
    crash(p);
    witness_.look_at(*eye_);
  }
}

void storm::calm_down() {
  witness_.note("calm");
  is_calm_ = true;
  weather_ = {};
  for (auto& p : processes_) {
    if (is_alone_ && &p != processes_.data())
      continue;
    if (p && has_stopped(p))
      crash(p);
    if (!p)
      boot(p);
    if (p.hangs)
      wake(p);
    p.is_slow = false;
    p.stage->is_calm = true;
    drain(p);
  }
  await_all(processes_[0]);
  for (int i = 0; i < 150 && !witness_.is_violated(); ++i) {
    if (witness_.all_ended() && waits_over_ == waits_)
      break;
    auto& p = processes_[is_alone_ ? 0 : below(2)];
    for (const auto& [id, log] : witness_.logs())
      decide(p, id);
    for (auto& each : processes_)
      if (each)
        drain(each);
    pass(i < 30 ? 200ms : 2s);
  }
  if (waits_over_ != waits_)
    for (const auto& [id, actor] : live_runs(processes_[0].world->actors()))
      witness_.note("life " + std::to_string(processes_[0].life) + " still has "
                    + witness_.name_of(id) + " in memory");
  witness_.note(std::to_string(waits_over_) + " of " + std::to_string(waits_)
                + " waits are over");
  witness_.expect(witness_.is_violated() || waits_over_ == waits_,
                  "somebody waits for a run that has ended");
  witness_.look_at(*eye_);
  witness_.look_at_end();
  look_back();
}

void storm::look_back() {
  if (witness_.is_violated())
    return;
  std::map<std::string, agent_definition> known;
  const auto agents = processes_[0].stage;
  for (const auto& each : make_storm_agents(agents))
    known.emplace(each.name(), *each.build().value()->definition);
  witness_.look_back(
    *eye_, [&](const std::string& name) -> const auto& {
      return known.at(name);
    });
}

} // namespace kestrion::test
