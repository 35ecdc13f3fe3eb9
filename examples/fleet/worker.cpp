#include "worker.hpp"

#include "agents.hpp"

#include <kestrion/caf.hpp>
#include <kestrion/kestrion.hpp>

#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <sys/prctl.h>

#include <csignal>
#include <map>
#include <stdexcept>

namespace k = kestrion;

namespace {

/// Starts all cases and waits for them; is editor and operator besides.
struct desk_state {
  k::directory_actor agents;
  /// What ran before this process: all that can be in doubt.
  std::map<std::string, int> ran_before;
  int open = 0;
};
using desk_self = caf::stateful_actor<desk_state>*;

void watch(desk_self self, const k::run_id& run);

k::resolve_doubt honest_answer(const desk_state& st,
                               const k::doubtful_call& call) {
  k::resolve_doubt out{{.call = call.call, .by = "operator"}, {}};
  if (st.ran_before.contains(call.tool + ' ' + call.run.str() + '/'
                             + call.call)) {
    out.decision.answer = k::doubt_answer::happened;
    out.decision.content = result_of(call.tool);
  } else {
    out.decision.answer = k::doubt_answer::run_again;
  }
  return out;
}

/// Decides about all that a run and those below it wait for; then waits on.
void decide(desk_self self, const k::run_result& r) {
  std::vector<k::run_command> decisions;
  for (const auto& call : r.approvals)
    decisions.push_back(
      {call.run, k::approve_call{
                   {.call = call.call, .by = "policy", .role = "editor"}, {}}});
  for (const auto& call : r.in_doubt)
    decisions.push_back({call.run, honest_answer(self->state, call)});
  auto left = std::make_shared<std::size_t>(decisions.size());
  const auto settled = [self, left, run = r.id] {
    if (--*left == 0)
      watch(self, run);
  };
  for (auto& each : decisions)
    self->request(self->state.agents, caf::infinite, std::move(each))
      .then([settled](const k::run_receipt&) { settled(); },
            [settled](const caf::error&) {
              settled(); // It was decided meanwhile; the next look will show.
            });
}

void watch(desk_self self, const k::run_id& run) {
  self->request(self->state.agents, caf::infinite, k::await_run{run})
    .then([self](const k::run_result& r) {
      if (!r.approvals.empty() || !r.in_doubt.empty())
        return decide(self, r);
      if (r.status != k::run_status::completed)
        throw std::runtime_error(r.id.str() + " is "
                                 + std::string{to_string(r.status)} + ": "
                                 + r.reason);
      if (--self->state.open == 0)
        self->quit();
    });
}

caf::behavior desk(desk_self self, const k::directory_actor& agents,
                   std::map<std::string, int> ran_before, int cases) {
  self->state = {agents, std::move(ran_before), cases};
  for (int i = 0; i < cases; ++i) {
    k::start_request start{"lead", k::user_message(prompt_of(i)), {}};
    start.options.key = key_of(i);
    self->request(agents, caf::infinite, std::move(start))
      .then([self](const k::run_receipt& r) { watch(self, r.run); });
  }
  return {};
}

} // namespace

void work(const std::filesystem::path& folder, int cases) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL); // No worker without a supervisor.
  const notes world{notes_in(folder)};
  auto ran_before = world.count();
  k::runtime rt{{.store = store_in(folder)},
                {lead_agent(world), scout_agent(world)}};
  const auto agents = k::directory_of(rt);
  caf::scoped_actor self{agents.home_system()};
  self->monitor(self->spawn(desk, agents, std::move(ran_before), cases));
  self->receive([](const caf::down_msg& x) {
    if (x.reason)
      throw std::runtime_error("the desk ended: "
                               + k::from_caf(x.reason).detail);
  });
}

std::string store_in(const std::filesystem::path& folder) {
  return "sqlite:///" + (folder / "runs.db").string();
}

std::filesystem::path notes_in(const std::filesystem::path& folder) {
  return folder / "notes.txt";
}

std::string key_of(int number) {
  return "case " + std::to_string(number);
}
