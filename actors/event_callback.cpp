#include <kestrion/actors/event_callback.hpp>

#include <caf/actor_addr.hpp>
#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <atomic>
#include <memory>
#include <thread>

namespace kestrion {

namespace {

/// Between an actor that calls and whoever ends that.
struct call_gate {
  std::atomic<std::thread::id> calling{}; ///< The thread that is in a call.
  std::atomic<bool> is_unwanted{false};
  std::atomic<bool> has_ended{false};
};
using shared_gate = std::shared_ptr<call_gate>;

/// A handler of messages that passes them to `callback`.
template <class Message>
auto passing_to(std::function<void(const Message&)> callback,
                shared_gate gate) {
  return
    [callback = std::move(callback), gate = std::move(gate)](const Message& m) {
      if (!callback || gate->is_unwanted)
        return;
      gate->calling = std::this_thread::get_id();
      callback(m);
      gate->calling = std::thread::id{};
    };
}

/// The actor may be gone, and its system with it.
void end(call_gate& gate, const caf::actor_addr& actor) {
  gate.is_unwanted = true;
  if (const auto alive = caf::actor_cast<caf::strong_actor_ptr>(actor))
    caf::anon_send_exit(alive, caf::exit_reason::user_shutdown);
  if (gate.calling.load() != std::this_thread::get_id())
    gate.has_ended.wait(false); // Else we would wait for ourselves.
}

/// @param callbacks  One for each message that `Subscriber` takes.
template <class Subscriber, class... Message>
std::pair<Subscriber, subscription>
spawn_callback(caf::actor_system& system, const front_actor& front,
               std::function<void(const Message&)>... callbacks) {
  auto gate = std::make_shared<call_gate>();
  auto actor = system.spawn<caf::detached>(
    [=](typename Subscriber::pointer self) ->
    typename Subscriber::behavior_type {
      self->monitor(front);
      self->set_down_handler([self](const caf::down_msg&) { self->quit(); });
      self->attach_functor([gate] {
        gate->has_ended = true;
        gate->has_ended.notify_all();
      });
      return {passing_to<Message>(callbacks, gate)...};
    });
  subscription out{[gate, weak = actor.address()] {
    end(*gate, weak);
  }};
  return {std::move(actor), std::move(out)};
}

} // namespace

std::pair<event_subscriber_actor, subscription>
spawn_event_callback(caf::actor_system& system, const front_actor& front,
                     std::function<void(const run_event&)> on_event,
                     std::function<void(const events_missed&)> on_missed) {
  return spawn_callback<event_subscriber_actor, run_event, events_missed>(
    system, front, std::move(on_event), std::move(on_missed));
}

std::pair<draft_subscriber_actor, subscription>
spawn_draft_callback(caf::actor_system& system, const front_actor& front,
                     std::function<void(const draft_update&)> on_update) {
  return spawn_callback<draft_subscriber_actor, draft_update>(
    system, front, std::move(on_update));
}

} // namespace kestrion
