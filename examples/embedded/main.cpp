/// Agents inside a program of actors: the program's own actor starts them by
/// message, several at once, and gets their questions and results as messages.

#include "choose_model.hpp"
#include "stand_in.hpp"

#include <kestrion/caf.hpp>
#include <kestrion/kestrion.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <iostream>

namespace {

namespace k = kestrion;

struct target {
  std::string service;
};
BOOST_DESCRIBE_STRUCT(target, (), (service))

k::agent on_call_agent() {
  return k::agent("on_call")
    .model(examples::choose_model(stand_in))
    .system("You look after services. Read the logs, then restart what is "
            "broken; answer in one sentence.")
    .tool(
      "read_logs", "The last lines of a service's log.",
      [](const target& t) { return t.service + ": out of memory"; },
      k::effect_contract::pure)
    .tool(
      "restart", "Restarts a service.",
      [](const target& t) { return "restarted " + t.service; },
      k::requires_approval("on-call"));
}

k::agent greeter() {
  return k::agent("greeter")
    .model(examples::choose_model(stand_in))
    .system("You greet who comes in the morning, in one sentence.");
}

// -- who decides --------------------------------------------------------------

/// May this run? Gets a tool's arguments.
using policy_actor = caf::typed_actor<caf::replies_to<std::string>::with<bool>>;

policy_actor::behavior_type policy() {
  return {
    [](const std::string& arguments) {
      return arguments.find("-db") == std::string::npos; // Never a database.
    },
  };
}

// -- who asks -----------------------------------------------------------------

struct desk_state {
  int open = 0; ///< Alerts that are not dealt with.
};
using desk_self = caf::stateful_actor<desk_state>*;

void watch(desk_self self, const k::directory_actor& agents,
           const policy_actor& policy, const k::run_id& run);

/// Asks the policy, tells the run, and watches on.
void decide(desk_self self, const k::directory_actor& agents,
            const policy_actor& policy, const k::pending_approval& call) {
  self->request(policy, caf::infinite, call.arguments).then([=](bool may_run) {
    std::cout << call.tool << ' ' << call.arguments << ": "
              << (may_run ? "approved" : "denied") << '\n';
    k::run_command answer{call.run, {}};
    if (may_run)
      answer.command = k::approve_call{
        {.call = call.call, .by = "policy", .role = "on-call"}, {}};
    else
      answer.command = k::deny_call{{.call = call.call,
                                     .by = "policy",
                                     .role = "on-call",
                                     .reason = "databases stay up"},
                                    {}};
    self->request(agents, caf::infinite, std::move(answer))
      .then(
        [=](const k::run_receipt& r) { watch(self, agents, policy, r.run); });
  });
}

void watch(desk_self self, const k::directory_actor& agents,
           const policy_actor& policy, const k::run_id& run) {
  self->request(agents, caf::infinite, k::await_run{run})
    .then([=](const k::run_result& r) {
      if (!r.approvals.empty()) {
        decide(self, agents, policy, r.approvals.front());
        return;
      }
      std::cout << to_string(r.status) << ": "
                << (r.output.empty() ? r.reason : r.output) << '\n';
      if (--self->state.open == 0)
        self->quit();
    });
}

/// Takes alerts, gives each to an agent, ends when all are dealt with.
caf::behavior desk(desk_self self, const k::directory_actor& agents,
                   const policy_actor& policy) {
  return {
    [=](const std::string& alert) {
      ++self->state.open;
      self
        ->request(agents, caf::infinite,
                  k::start_request{"on_call", k::user_message(alert), {}})
        .then(
          [=](const k::run_receipt& r) { watch(self, agents, policy, r.run); });
    },
  };
}

} // namespace

int main() try {
  caf::actor_system_config config;
  caf::actor_system system{config}; // The program's own, with its own actors.
  k::runtime rt{system, {.store = "memory:"}, {on_call_agent(), greeter()}};

  const auto agents = k::directory_of(rt);
  const auto front_desk = system.spawn(desk, agents, system.spawn(policy));
  for (const auto* alert :
       {"checkout-api: 500s since 10:02", "orders-db: the disk is full",
        "search-index: it hangs"})
    caf::anon_send(front_desk, std::string{alert});

  caf::scoped_actor self{system};
  self->wait_for(front_desk);

  // An agent without questions: one message does all of it. What can't be done
  // is a message as well.
  for (const auto* name : {"greeter", "nobody"})
    self
      ->request(agents, caf::infinite,
                k::run_to_end{{name, k::user_message("Hello?"), {}}})
      .receive([](const k::run_result& r) { std::cout << r.output << '\n'; },
               [](const caf::error& e) {
                 std::cout << "error: " << k::from_caf(e).detail << '\n';
               });
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
