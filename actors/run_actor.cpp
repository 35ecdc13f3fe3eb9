#include <kestrion/actors/run_actor.hpp>

#include <kestrion/actors/inbox_answers.hpp>
#include <kestrion/actors/model_gateway.hpp>
#include <kestrion/actors/run_machine.hpp>
#include <kestrion/actors/run_permits.hpp>
#include <kestrion/actors/run_queries.hpp>
#include <kestrion/actors/snapshot_codec.hpp>
#include <kestrion/messages/match.hpp>
#include <kestrion/providers/models/images.hpp>

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>
#include <caf/typed_response_promise.hpp>

#include <algorithm>
#include <utility>

namespace kestrion {

namespace {

using run_self = run_actor::stateful_pointer<run_actor_state>;
using answer_fn = std::function<void(const std::optional<error>&)>;

constexpr std::int64_t no_attempt = 0; ///< A child is asked for once a life.

template <class Message>
void tell_directory(run_self self, Message&& m) {
  if (auto directory = strong<directory_actor>(self->state.context->directory))
    self->send(directory, std::forward<Message>(m));
}

// -- effects ------------------------------------------------------------------

/// Whether the conversation has images that are blobs. Looks at each message
/// once, so a turn costs the same however long the conversation is.
bool shows_blobs(run_actor_state& st) {
  const auto& said = st.run.conversation;
  if (st.looked_at > said.size())
    st.looked_at = 0;
  for (; st.looked_at < said.size(); ++st.looked_at)
    st.shows_blobs = st.shows_blobs || has_blobs(*said[st.looked_at]);
  return st.shows_blobs;
}

void call(run_self self, const effect_in_flight& flight) {
  auto& st = self->state;
  start_model_call({caf::actor_cast<caf::actor_addr>(self),
                    flight.call,
                    flight.attempt,
                    st.agent,
                    {st.agent->definition, st.run.conversation,
                     st.id.str() + "/" + flight.call},
                    flight.stop.get_token(),
                    shows_blobs(st) ? st.context->store : nullptr});
}

void start(run_self self, const call_model& x) {
  auto& st = self->state;
  const auto now = st.context->now();
  effect_in_flight flight{x.call, x.attempt, std::stop_source{},
                          x.not_before > now};
  if (flight.delayed) {
    self->delayed_send(self, x.not_before - now,
                       resume_owed{x.call, x.attempt});
  } else if (run_permits::has_to_ask(st)) {
    flight.permit =
      run_permits::ask(st, caf::actor_cast<caf::actor_addr>(self));
    flight.waits = true;
  } else {
    call(self, flight);
  }
  st.in_flight.push_back(std::move(flight));
}

/// Nothing if the call is not wanted any more: then the scheduler was told.
effect_in_flight* find_waiting(run_actor_state& st, std::uint64_t permit) {
  const auto i =
    std::find_if(st.in_flight.begin(), st.in_flight.end(),
                 [&](const auto& f) { return f.permit == permit && f.waits; });
  return i == st.in_flight.end() ? nullptr : &*i;
}

/// The call ends like one that the model failed.
void deny(run_self self, effect_in_flight& flight, const call_denied& x) {
  flight.permit = 0;
  model_done done;
  done.call = flight.call;
  done.attempt = flight.attempt;
  done.outcome = model_failure{x.why, x.why.code == errc::unavailable, {}, 0};
  self->send(self, std::move(done));
}

void start(run_self self, const run_tool& x) {
  auto& st = self->state;
  const auto now = st.context->now();
  effect_in_flight flight{x.call, x.attempt, std::stop_source{},
                          x.not_before > now};
  if (flight.delayed)
    self->delayed_send(self, x.not_before - now,
                       resume_owed{x.call, x.attempt});
  else
    st.context->tools->start(
      {caf::actor_cast<caf::actor_addr>(self), st.agent, x,
       tool_context{st.id, x.call, st.id.str() + "/" + x.call, x.attempt,
                    flight.stop.get_token()}});
  st.in_flight.push_back(std::move(flight));
}

void start(run_self self, const start_child& x) {
  auto& st = self->state;
  const auto& ours = *st.run.header;
  child_request request{st.id, x, {}, {}};
  request.header.tenant = ours.tenant;
  request.header.lane = ours.lane;
  request.header.priority = ours.priority;
  request.header.depth = x.depth;
  if (x.handoff) {
    // It takes our place: our parent waits for its end instead.
    request.header.parent = ours.parent;
    request.header.parent_call = ours.parent_call;
    request.header.handed_from = st.id;
    request.history = handoff_history(st.run, x.call);
  } else {
    request.header.parent = st.id;
    request.header.parent_call = x.call;
  }
  tell_directory(self, std::move(request));
  st.in_flight.push_back({x.call, no_attempt, std::stop_source{}, false});
}

bool is_in_flight(const run_actor_state& st, const std::string& call,
                  std::int64_t attempt) {
  return std::any_of(
    st.in_flight.begin(), st.in_flight.end(),
    [&](const auto& f) { return f.call == call && f.attempt == attempt; });
}

void land(run_actor_state& st, const std::string& call, std::int64_t attempt) {
  std::erase_if(st.in_flight, [&](const auto& f) {
    return f.call == call && f.attempt == attempt;
  });
  if (st.in_flight.empty())
    st.in_flight.shrink_to_fit(); // It may wait for days now.
}

/// Asks effects to stop, the last first: so no call of a run that stops begins
/// because one before it made room.
template <class Predicate>
void stop_those(std::vector<effect_in_flight>& flights, Predicate is_disowned) {
  std::for_each(flights.rbegin(), flights.rend(), [&](effect_in_flight& f) {
    if (is_disowned(f))
      f.stop.request_stop();
  });
}

/// Asks effects to stop that the state does not owe any more.
void stop_disowned(run_actor_state& st, const std::vector<effect>& debts) {
  stop_those(st.in_flight, [&](const effect_in_flight& f) {
    return std::none_of(debts.begin(), debts.end(), [&](const effect& e) {
      return match(
        e, [](const wake_up&) { return false; },
        [&](const start_child& x) {
          return x.call == f.call && f.attempt == no_attempt;
        },
        [&](const auto& x) {
          return x.call == f.call && x.attempt == f.attempt;
        });
    });
  });
  std::erase_if(st.in_flight, [&](const auto& f) {
    if (!f.stop.stop_requested())
      return false;
    run_permits::drop(st, f);
    return true;
  });
}

run_settled settled(const run_actor_state& st) {
  const auto& header = *st.run.header;
  return {result_of(st.id, st.run),
          st.commands_taken,
          header.parent,
          header.parent_call.value_or(""),
          st.run.progress.descendants,
          header.handed_from};
}

/// Nobody waits for them any more.
void cancel_open_children(run_self self) {
  const auto& st = self->state;
  cancel_children orphans{{}, "run " + st.id.str()};
  for (const auto& call : open_children(st.run))
    orphans.runs.push_back(child_id(st.id, call));
  if (!orphans.runs.empty())
    tell_directory(self, std::move(orphans));
}

/// Starts what the state owes and is not in flight; reports rest.
void settle(run_self self) {
  auto& st = self->state;
  const auto debts = owed(st.run);
  stop_disowned(st, debts);
  for (const auto& e : debts)
    match(
      e,
      [&](const wake_up& x) {
        if (st.wake != x.at)
          tell_directory(self, wake_run_at{st.id, x.at});
        st.wake = x.at;
      },
      [&](const start_child& x) {
        if (!is_in_flight(st, x.call, no_attempt))
          start(self, x);
      },
      [&](const auto& x) {
        if (!is_in_flight(st, x.call, x.attempt))
          start(self, x);
      });
  const auto status = st.run.progress.status;
  if (!is_at_rest(status))
    return;
  tell_directory(self, settled(st));
  if (!is_terminal(status))
    return;
  cancel_open_children(self);
  self->quit();
}

// -- the one path -------------------------------------------------------------

void apply(run_actor_state& st, std::vector<event>& events, timestamp at) {
  for (auto& e : events) {
    const auto seq = st.run.progress.seq + 1;
    st.run = fold(std::move(st.run), {seq, at, std::move(e)});
    if (seq == 1)
      st.run.header = st.context->headers->share(st.run.header);
  }
}

/// Nobody waits for it. The state holds acknowledged events only, so it is the
/// fold of a beginning of the log, whoever owns the run by now.
void keep_snapshot_if_due(run_self self, bool leaving) {
  auto& st = self->state;
  if (is_terminal(st.run.progress.status)
      || !is_snapshot_due(st.context->snapshots, st.meter, leaving))
    return;
  run_snapshot kept{
    st.id, {st.run.progress.seq, snapshot_version, encode_snapshot(st.run)}};
  st.meter = {kept.snapshot.data.size(), 0};
  self->send(st.context->journal.get(), std::move(kept));
}

/// The message it came by gets its answer with the append, or else here.
void answer_post(run_self self, std::uint64_t post,
                 const std::optional<error>& refusal) {
  auto& st = self->state;
  const auto outcome =
    refusal ? result<run_receipt>{*refusal}
            : result<run_receipt>{run_receipt{st.id, st.run.progress.seq}};
  self->send(st.context->journal.get(), inbox_answer{post, answer_of(outcome)});
}

/// decide, append, fold, start what is owed: the only way a run changes.
/// @param post  The inbox's message that the command came by.
void take(run_self self, const command& c, timestamp now,
          const answer_fn& answer, std::optional<std::uint64_t> post = {}) {
  auto& st = self->state;
  auto decided = decide(st.run, *st.agent->definition, c);
  if (!decided || decided->events.empty()) {
    const auto refusal =
      decided ? std::move(decided->refusal) : std::optional{decided.error()};
    if (post)
      answer_post(self, *post, refusal);
    answer(refusal);
    if (st.run.progress.seq == 0)
      self->quit(); // Its start was refused: there is no such run.
    else if (is_at_rest(st.run.progress.status))
      tell_directory(self, settled(st)); // It may leave memory again.
    return;
  }
  append_request append;
  append.run = st.id;
  append.expected_seq = st.run.progress.seq;
  append.status = decided->status;
  append.wake_at = decided->wake_at;
  append.events.reserve(decided->events.size());
  std::size_t bytes = 0;
  for (const auto& e : decided->events) {
    append.events.push_back(encode(e, now));
    bytes += append.events.back().data.size();
  }
  if (post) {
    const run_receipt receipt{st.id,
                              append.expected_seq + append.events.size()};
    append.answer = {*post, answer_of(decided->refusal
                                        ? result<run_receipt>{*decided->refusal}
                                        : result<run_receipt>{receipt})};
  }
  if (append.expected_seq == 0) {
    const auto& header = std::get<run_started>(decided->events.front());
    append.created.emplace();
    append.created->agent = header.agent;
    append.created->parent = header.parent;
    append.created->tenant = header.tenant;
    append.created->key = header.key;
  }
  st.unanswered = answer;
  // Before it is durable, not when we hear that it is: what has not begun by
  // then does not begin any more. If the append fails, this life ends anyway.
  if (is_terminal(append.status) || append.status == run_status::parked)
    stop_those(st.in_flight, [](const auto&) { return true; });
  // await, not then: nothing is decided on a state that is about to change.
  self->request(st.context->journal.get(), caf::infinite, std::move(append))
    .await(
      [self, now, bytes, d = std::move(*decided)](std::uint64_t) mutable {
        apply(self->state, d.events, now);
        self->state.meter.tail += bytes;
        std::exchange(self->state.unanswered, nullptr)(d.refusal);
        settle(self);
        keep_snapshot_if_due(self, false);
      },
      [self](const caf::error& e) {
        std::exchange(self->state.unanswered, nullptr)(from_caf(e));
        self->quit(e); // Memory and disk may disagree: live again from disk.
      });
}

void ignore(const std::optional<error>&) {}

/// A life that begins with a log: fold it, then go on as ever.
bool recover(run_self self) {
  auto& st = self->state;
  auto loaded = load_for_life(*st.context->store, st.id);
  if (!loaded) {
    self->quit(to_caf(loaded.error()));
    return false;
  }
  st.run = std::move(loaded->state);
  st.run.header = st.context->headers->share(st.run.header);
  st.meter = loaded->meter;
  const auto now = st.context->now();
  auto decided = decide(st.run, *st.agent->definition, recover_run{now});
  if (decided && decided->events.empty())
    settle(self);
  else
    take(self, recover_run{now}, now, ignore);
  return true;
}

} // namespace

run_actor_state::~run_actor_state() {
  stop_those(in_flight, [](const auto&) { return true; });
  // CAF lets a promise that is not kept wait for ever.
  if (unanswered)
    unanswered(error{errc::unavailable,
                     "the actor of run " + id.str()
                       + " ended before it answered; whether the command was "
                         "carried out is in its log"});
}

run_actor::behavior_type run_agent(run_self self, run_id id,
                                   std::shared_ptr<const run_context> context,
                                   std::shared_ptr<const agent_code> agent,
                                   bool fresh) {
  auto& state = self->state;
  state.id = id;
  state.context = std::move(context);
  state.agent = std::move(agent);
  if (!fresh && !recover(self))
    return run_actor::behavior_type::make_empty_behavior();
  return {
    [self](run_command& c) -> caf::result<run_receipt> {
      auto& st = self->state;
      ++st.commands_taken;
      const auto now = st.context->now();
      std::visit([&](auto& x) { x.now = now; }, c.command);
      if (const auto* child = std::get_if<child_done>(&c.command))
        land(st, child->call, no_attempt);
      auto promise = self->make_response_promise<run_receipt>();
      take(
        self, c.command, now,
        [self, promise](const std::optional<error>& refusal) mutable {
          if (refusal)
            promise.deliver(to_caf(*refusal));
          else
            promise.deliver(
              run_receipt{self->state.id, self->state.run.progress.seq});
        },
        c.post);
      return promise;
    },
    [self](model_done& c) {
      auto& st = self->state;
      for (const auto& flight : st.in_flight)
        if (flight.call == c.call && flight.attempt == c.attempt)
          run_permits::settle(st, flight, c.outcome);
      land(st, c.call, c.attempt);
      c.now = st.context->now();
      c.jitter = static_cast<std::uint32_t>(st.context->random());
      const auto now = c.now;
      take(self, std::move(c), now, ignore);
    },
    [self](tool_done& c) {
      land(self->state, c.call, c.attempt);
      c.now = self->state.context->now();
      c.jitter = static_cast<std::uint32_t>(self->state.context->random());
      const auto now = c.now;
      take(self, std::move(c), now, ignore);
    },
    [self](const call_permitted& x) {
      if (auto* flight = find_waiting(self->state, x.permit)) {
        flight->waits = false;
        call(self, *flight);
      }
    },
    [self](const call_denied& x) {
      if (auto* flight = find_waiting(self->state, x.permit))
        deny(self, *flight, x);
    },
    [self](const run_due&) {
      ++self->state.commands_taken;
      const auto now = self->state.context->now();
      take(self, tick{now}, now, ignore);
    },
    [self](const resume_owed& x) {
      std::erase_if(self->state.in_flight, [&](const auto& f) {
        return f.delayed && f.call == x.call && f.attempt == x.attempt;
      });
      settle(self);
    },
    [self](const meet_directory&) {
      auto& st = self->state;
      st.wake.reset();
      std::erase_if(st.in_flight,
                    [](const auto& f) { return f.attempt == no_attempt; });
      settle(self);
      return true;
    },
    [self](const settle_query&) {
      const auto& st = self->state;
      if (is_at_rest(st.run.progress.status))
        tell_directory(self, settled(st));
    },
    [](const ready_query&) { return true; },
    [self](const passivate&) {
      keep_snapshot_if_due(self, true);
      self->quit();
    },
  };
}

} // namespace kestrion
