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

struct callbacks {
  std::function<void(const run_event&)> on_event;
  std::function<void(const events_missed&)> on_missed;
  std::atomic<std::thread::id> calling{}; ///< The thread that is in one.
  std::atomic<bool> is_unwanted{false};
  std::atomic<bool> has_ended{false};
};

template <class Callback, class Message>
void call(callbacks& all, const Callback& callback, const Message& m) {
  if (!callback || all.is_unwanted)
    return;
  all.calling = std::this_thread::get_id();
  callback(m);
  all.calling = std::thread::id{};
}

event_subscriber_actor::behavior_type
event_callback(event_subscriber_actor::pointer self, const front_actor& front,
               const std::shared_ptr<callbacks>& all) {
  self->monitor(front);
  self->set_down_handler([self](const caf::down_msg&) { self->quit(); });
  self->attach_functor([all] {
    all->has_ended = true;
    all->has_ended.notify_all();
  });
  return {
    [all](const run_event& x) { call(*all, all->on_event, x); },
    [all](const events_missed& x) { call(*all, all->on_missed, x); },
  };
}

/// The actor may be gone, and its system with it.
void end(callbacks& all, const caf::actor_addr& actor) {
  all.is_unwanted = true;
  if (const auto alive = caf::actor_cast<caf::strong_actor_ptr>(actor))
    caf::anon_send_exit(alive, caf::exit_reason::user_shutdown);
  if (all.calling.load() != std::this_thread::get_id())
    all.has_ended.wait(false); // Else we would wait for ourselves.
}

} // namespace

std::pair<event_subscriber_actor, subscription>
spawn_event_callback(caf::actor_system& system, const front_actor& front,
                     std::function<void(const run_event&)> on_event,
                     std::function<void(const events_missed&)> on_missed) {
  auto all = std::make_shared<callbacks>();
  all->on_event = std::move(on_event);
  all->on_missed = std::move(on_missed);
  auto actor = system.spawn<caf::detached>(event_callback, front, all);
  subscription out{[all, weak = actor.address()] {
    end(*all, weak);
  }};
  return {std::move(actor), std::move(out)};
}

} // namespace kestrion
