#include <kestrion/actors/front_actor.hpp>

#include <kestrion/actors/draft_reader_actor.hpp>
#include <kestrion/actors/event_tap.hpp>
#include <kestrion/actors/fan_out_actor.hpp>
#include <kestrion/actors/run_handle_actor.hpp>
#include <kestrion/actors/run_queries.hpp>
#include <kestrion/messages/match.hpp>

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <caf/typed_response_promise.hpp>

#include <vector>

namespace kestrion {

namespace {

using front_self = front_actor::stateful_pointer<front_state>;

constexpr auto step = std::chrono::milliseconds{5};

// -- requests -----------------------------------------------------------------

template <class Message>
bool is_repeatable(const Message&) {
  return true; // Starts have ids; waits and attachments change nothing.
}

bool is_repeatable(const run_command& x) {
  return may_repeat(x.command);
}

void fail(front_self self, std::uint64_t id, const error& why) {
  auto gone = self->state.open.extract(id);
  gone.mapped().fail(why);
}

/// Until somebody is there; in vain for too long, and all hope is lost.
void wait(front_self self, std::uint64_t id) {
  auto& st = self->state;
  auto& request = st.open.at(id);
  const auto now = self->clock().now();
  const bool was_asked = request.last_asked.has_value();
  if (was_asked && !request.may_repeat)
    return fail(self, id,
                {errc::unavailable,
                 "an actor crashed meanwhile; the run's log says whether it "
                 "heard of this"});
  if (!request.gives_up
      || (was_asked && now - *request.last_asked > front_patience))
    request.gives_up = now + front_patience; // The last one lived for a while.
  if (st.context->is_stopping || now >= *request.gives_up)
    return fail(self, id,
                {errc::unavailable,
                 "the runtime has stopped: its actors ended too often, or it "
                 "is being destroyed"});
  request.asked = {};
  ++request.round;
  if (!std::exchange(st.asks_again, true))
    self->delayed_send(self, step, ask_again{});
}

void ask(front_self self, std::uint64_t id) {
  auto& request = self->state.open.at(id);
  request.asked = request.ask(request.round);
  if (request.asked)
    request.last_asked = self->clock().now();
  else
    wait(self, id);
}

void ask_all_again(front_self self) {
  auto& st = self->state;
  st.asks_again = false;
  std::vector<std::uint64_t> waiting;
  for (const auto& [id, request] : st.open)
    if (!request.asked)
      waiting.push_back(id);
  for (const auto id : waiting)
    ask(self, id);
}

void on_error(front_self self, std::uint64_t id, std::uint64_t round,
              const caf::error& e) {
  const auto request = self->state.open.find(id);
  if (request == self->state.open.end() || request->second.round != round)
    return; // Asked again since, or answered.
  const auto why = from_caf(e);
  if (is_ours(e) && why.code != errc::unavailable)
    fail(self, id, why);
  else
    wait(self, id); // Somebody is missing, and being started anew.
}

/// Who died in the middle of requests does not answer them.
void on_death(front_self self, const caf::actor_addr& who) {
  std::vector<std::uint64_t> lost;
  for (const auto& [id, request] : self->state.open)
    if (request.asked == who)
      lost.push_back(id);
  for (const auto id : lost)
    wait(self, id);
}

directory_actor find_directory(front_self self) {
  auto& st = self->state;
  auto directory = strong<directory_actor>(st.context->directory);
  if (directory && directory.address() != st.directory) {
    self->monitor(directory);
    st.directory = directory.address();
  }
  return directory;
}

/// It answers within its turn: who asks hears if it ends before.
event_hub_actor find_hub(front_self self) {
  return self->state.context->events->hub();
}

/// Asks whom `find` finds until there is an answer, which is for who asked us.
template <class Answer, class Message, class Find>
caf::result<Answer> pass_on(front_self self, Message m, Find find) {
  auto& st = self->state;
  const auto id = ++st.last;
  auto promise = self->template make_response_promise<Answer>();
  front_state::pending request;
  request.may_repeat = is_repeatable(m);
  request.fail = [promise](const error& e) mutable {
    promise.deliver(to_caf(e));
  };
  request.ask = [self, id, promise, find,
                 m = std::move(m)](std::uint64_t round) {
    const auto receiver = find(self);
    if (!receiver)
      return caf::actor_addr{};
    self->request(receiver, caf::infinite, m)
      .then(
        [self, id, promise](Answer& a) mutable {
          if (self->state.open.erase(id) != 0)
            promise.deliver(std::move(a));
        },
        [self, id, round](const caf::error& e) {
          on_error(self, id, round, e);
        });
    return receiver.address();
  };
  st.open.emplace(id, std::move(request));
  ask(self, id);
  return promise;
}

/// Ours, so that asking again does not start another one.
void give_id(front_self self, start_request& x) {
  const auto& context = *self->state.context;
  if (!x.id)
    x.id =
      run_id::make(context.now(), static_cast<std::uint16_t>(context.random()),
                   context.random());
}

// -- what has actors of its own -----------------------------------------------

caf::result<run_handle_actor> attach(front_self self, const run_id& id) {
  auto& st = self->state;
  if (const auto there = st.handles.find(id); there != st.handles.end())
    return there->second;
  if (const auto row = find_row(*st.context->store, id); !row)
    return to_caf(row.error());
  auto handle = self->spawn(run_handle, id, caf::actor_cast<front_actor>(self));
  self->monitor(handle);
  st.handles.emplace(id, handle);
  st.attached.emplace(handle.address(), id);
  return handle;
}

/// Begins to watch before it answers, so that nothing falls between.
caf::result<bool> watch(front_self self, watch_drafts& x) {
  const auto& context = *self->state.context;
  if (const auto row = find_row(*context.store, x.run); !row)
    return to_caf(row.error());
  self->spawn(draft_reader, std::shared_ptr{context.drafts->watch(x.run)},
              std::move(x.subscriber), caf::actor_cast<front_actor>(self));
  return true;
}

template <class Request>
auto spread(front_self self, Request& x) {
  return self->delegate(
    self->spawn(fan_out, caf::actor_cast<front_actor>(self)), std::move(x));
}

// -- ends ---------------------------------------------------------------------

void on_down(front_self self, const caf::down_msg& down) {
  auto& st = self->state;
  const auto handle = st.attached.find(down.source);
  if (handle == st.attached.end()) {
    on_death(self, down.source); // A directory; we may know the next by now.
    return;
  }
  st.handles.erase(handle->second);
  st.attached.erase(handle);
}

void shut_down(front_self self, const caf::error& reason) {
  auto& st = self->state;
  for (const auto& [id, request] : std::exchange(st.open, {}))
    request.fail(
      {errc::unavailable, "the runtime has stopped: it is being destroyed"});
  for (const auto& [id, handle] : st.handles)
    self->send(handle, leave_run{});
  self->quit(reason);
}

} // namespace

bool may_repeat(const command& c) {
  return match(
    c, [](const cancel_run&) { return true; },
    [](const approve_call& x) { return !x.decision.call.empty(); },
    [](const deny_call& x) { return !x.decision.call.empty(); },
    [](const answer_question& x) { return !x.answer.call.empty(); },
    [](const auto&) { return false; });
}

front_actor::behavior_type front(front_self self,
                                 std::shared_ptr<const run_context> context) {
  self->state.context = std::move(context);
  self->set_down_handler([self](const caf::down_msg& x) { on_down(self, x); });
  self->set_exit_handler(
    [self](const caf::exit_msg& x) { shut_down(self, x.reason); });
  return {
    [self](start_request& x) {
      give_id(self, x);
      return pass_on<run_receipt>(self, std::move(x), find_directory);
    },
    [self](run_to_end& x) {
      give_id(self, x.start);
      return pass_on<run_result>(self, std::move(x), find_directory);
    },
    [self](const await_run& x) {
      return pass_on<run_result>(self, x, find_directory);
    },
    [self](run_command& x) {
      return pass_on<run_receipt>(self, std::move(x), find_directory);
    },
    [self](const attach_run& x) { return attach(self, x.run); },
    [self](watch_events& x) {
      return pass_on<bool>(self, std::move(x), find_hub);
    },
    [self](watch_drafts& x) { return watch(self, x); },
    [self](start_all_of& x) { return spread(self, x); },
    [self](start_first_of& x) { return spread(self, x); },
    [self](const ask_again&) { ask_all_again(self); },
  };
}

} // namespace kestrion
