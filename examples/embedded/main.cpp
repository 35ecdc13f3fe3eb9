/// Agents inside a program of actors: the program's own actors start them by
/// message, get their questions, results and events as messages, and are linked
/// to their runs as to any actor.

#include "choose_model.hpp"
#include "stand_in.hpp"

#include <kestrion/caf.hpp>
#include <kestrion/kestrion.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <future>
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

void watch(desk_self self, const k::front_actor& agents,
           const policy_actor& policy, const k::run_id& run);

/// Asks the policy, tells the run, and watches on.
void decide(desk_self self, const k::front_actor& agents,
            const policy_actor& policy, const k::pending_approval& call) {
  self->request(policy, caf::infinite, call.arguments).then([=](bool may_run) {
    // One text a line: other actors print at the same time.
    std::cout << call.tool + ' ' + call.arguments + ": "
                   + (may_run ? "approved" : "denied") + '\n';
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

void watch(desk_self self, const k::front_actor& agents,
           const policy_actor& policy, const k::run_id& run) {
  self->request(agents, caf::infinite, k::await_run{run})
    .then([=](const k::run_result& r) {
      if (!r.approvals.empty()) {
        decide(self, agents, policy, r.approvals.front());
        return;
      }
      std::cout << std::string{to_string(r.status)} + ": "
                     + (r.output.empty() ? r.reason : r.output) + '\n';
      if (--self->state.open == 0)
        self->quit();
    });
}

/// Takes alerts, gives each to an agent, ends when all are dealt with.
caf::behavior desk(desk_self self, const k::front_actor& agents,
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

// -- who watches --------------------------------------------------------------

/// Writes down who decided what. It hears of that once it is durable.
k::event_subscriber_actor::behavior_type book() {
  const auto note = [](const std::string& who, const std::string& what,
                       const k::run_event& x) {
    std::cout << "book: " + who + what + x.run.str() + '\n';
  };
  return {
    [=](const k::run_event& x) {
      if (const auto* yes = std::get_if<k::approval_granted>(&x.event.event))
        note(yes->by, " agreed to " + yes->call + " of ", x);
      if (const auto* no = std::get_if<k::approval_denied>(&x.event.event))
        note(no->by, " denied " + no->call + " of ", x);
    },
    [=](const k::events_missed& x) { // We were too slow; the store has them.
      std::cout << "book: " + std::to_string(x.count) + " left out\n";
    },
  };
}

// -- whose runs end with it ---------------------------------------------------

/// Wants an answer, but does not live to hear it: nobody needs the run then.
caf::behavior visitor(caf::event_based_actor* self,
                      const k::front_actor& agents, const k::run_id& run) {
  self->request(agents, caf::infinite, k::attach_run{run})
    .then([=](const k::run_handle_actor& handle) {
      self->link_to(handle); // Or monitor it: the run is an actor like others.
      self->quit(caf::exit_reason::unhandled_exception);
    });
  return {[](int) {
  }};
}

[[noreturn]] void throw_it(const caf::error& e) {
  throw k::failure(k::from_caf(e));
}

// -- without actors -----------------------------------------------------------

/// The same for code that is no actor.
void plain(k::runtime& rt) {
  // Two at a time. After a crash, the same key finds the runs that exist.
  const auto greetings =
    rt.all_of({{"greeter", k::user_message("Hello, Ana.")},
               {"greeter", k::user_message("Hello, Ben.")},
               {"greeter", k::user_message("Hello, Cem.")}},
              {.at_once = 2, .key = "this morning"});
  std::cout << greetings.size() << " greetings\n";

  // Whoever answers first; the other is cancelled.
  const auto first = rt.first_of({{"greeter", k::user_message("Hello?")},
                                  {"greeter", k::user_message("Anybody?")}});
  std::cout << "the first: " << first.output << '\n';

  const auto run = rt.start("greeter", "Good night.");
  std::promise<std::uint64_t> heard; // From its first event on, each once.
  const auto watching =
    rt.watch({.run = run.id(), .kinds = {"run_completed"}, .from_seq = 1},
             [&](const k::run_event& x) { heard.set_value(x.event.seq); });
  std::cout << "in the future: " << to_string(run.ended().get().status)
            << " with event " << heard.get_future().get() << '\n';
}

} // namespace

int main() try {
  caf::actor_system_config config;
  caf::actor_system system{config}; // The program's own, with its own actors.
  k::runtime rt{system, {.store = "memory:"}, {on_call_agent(), greeter()}};

  const auto agents = k::front_of(rt); // Good as long as `rt`.
  caf::scoped_actor self{system};
  self
    ->request(agents, caf::infinite,
              k::watch_events{{.agent = "on_call"}, system.spawn(book)})
    .receive([](bool) {}, [](const caf::error& e) { throw_it(e); });

  const auto front_desk = system.spawn(desk, agents, system.spawn(policy));
  for (const auto* alert :
       {"checkout-api: 500s since 10:02", "orders-db: the disk is full",
        "search-index: it hangs"})
    caf::anon_send(front_desk, std::string{alert});
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

  const auto asked = rt.start("on_call", "mail-relay: it bounces");
  system.spawn(visitor, agents, asked.id());
  const auto left = asked.wait_until_ended();
  std::cout << "the visitor's: " << to_string(left.status) << '\n';
  plain(rt);
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
