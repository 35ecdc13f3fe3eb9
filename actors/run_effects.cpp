#include <kestrion/actors/run_effects.hpp>

#include <kestrion/actors/compaction.hpp>
#include <kestrion/actors/model_gateway.hpp>
#include <kestrion/actors/run_machine.hpp>
#include <kestrion/actors/run_permits.hpp>
#include <kestrion/actors/run_queries.hpp>
#include <kestrion/messages/match.hpp>
#include <kestrion/providers/models/attachments.hpp>

#include <caf/actor_cast.hpp>

#include <algorithm>
#include <utility>

namespace kestrion::run_effects {

namespace {

/// The same in each life, and for nothing else.
std::string key_of(const run_actor_state& st, const std::string& call) {
  return st.id.str() + "/" + call;
}

/// Whether the conversation has images or documents that are blobs. Looks at
/// each message once, so a turn costs the same however long the conversation
/// is.
bool shows_blobs(run_actor_state& st) {
  const auto& said = st.run.conversation;
  if (st.looked_at > said.size())
    st.looked_at = 0;
  for (; st.looked_at < said.size(); ++st.looked_at)
    st.shows_blobs = st.shows_blobs || has_blobs(*said[st.looked_at]);
  return st.shows_blobs;
}

/// What to ask for: the next answer, or a summary.
model_request request_for(run_actor_state& st, const std::string& call) {
  const auto& p = st.run.progress;
  model_request out;
  if (p.compaction) {
    st.looked_at = 0; // Other messages will stand there.
    out = summary_request(st.run, *st.agent->definition);
  } else {
    out.agent = st.agent->definition;
    out.conversation = st.run.conversation;
    if (p.compacted)
      out.rebased = static_cast<std::size_t>(p.compacted->rebased);
  }
  out.idempotency_key = key_of(st, call);
  return out;
}

void call(run_self self, effect_in_flight& flight) {
  auto& st = self->state;
  const bool sums_up = static_cast<bool>(st.run.progress.compaction);
  if (st.agent->streams && !sums_up)
    flight.draft =
      st.context->drafts->begin(st.id, flight.call, flight.attempt);
  start_model_call({caf::actor_cast<caf::actor_addr>(self), flight.call,
                    flight.attempt, st.agent->model_at(flight.place).model,
                    request_for(st, flight.call), flight.stop.get_token(),
                    !sums_up && shows_blobs(st) ? st.context->store : nullptr,
                    flight.draft ? flight.draft->sink() : delta_sink{}});
}

void start(run_self self, const call_model& x) {
  auto& st = self->state;
  const auto now = st.context->now();
  effect_in_flight flight{x.call, x.attempt, std::stop_source{},
                          x.not_before > now, x.place};
  if (flight.delayed) {
    self->delayed_send(self, x.not_before - now,
                       resume_owed{x.call, x.attempt});
  } else if (run_permits::has_to_ask(st, x.place)) {
    flight.permit =
      run_permits::ask(st, x.place, caf::actor_cast<caf::actor_addr>(self));
    flight.waits = true;
  } else {
    call(self, flight);
  }
  st.in_flight.push_back(std::move(flight));
}

/// The call ends like one that the model failed.
void deny(run_self self, effect_in_flight& flight, const error& why) {
  flight.permit = 0;
  model_done done;
  done.call = flight.call;
  done.attempt = flight.attempt;
  done.outcome = model_failure{why, why.code == errc::unavailable, {}, 0};
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
       tool_context{st.id, x.call, key_of(st, x.call), x.attempt,
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
  request.header.deadline = ours.deadline;
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

} // namespace

void take_up(run_self self, const call_decided& x) {
  auto& st = self->state;
  const auto flight =
    std::find_if(st.in_flight.begin(), st.in_flight.end(), [&](const auto& f) {
      return f.permit == x.permit && f.waits;
    });
  if (flight == st.in_flight.end())
    return; // Not wanted any more; the scheduler was told.
  if (x.denied) {
    deny(self, *flight, *x.denied);
    return;
  }
  flight->waits = false;
  call(self, *flight);
}

void land(run_actor_state& st, const std::string& call, std::int64_t attempt) {
  std::erase_if(st.in_flight, [&](const auto& f) {
    return f.call == call && f.attempt == attempt;
  });
  if (st.in_flight.empty())
    st.in_flight.shrink_to_fit(); // It may wait for days now.
}

void stop_all(std::vector<effect_in_flight>& flights) {
  stop_those(flights, [](const auto&) { return true; });
}

void tell_rest(run_self self) {
  tell_directory(self, settled(self->state));
}

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
  tell_rest(self);
  if (!is_terminal(status))
    return;
  cancel_open_children(self);
  run_permits::leave(*st.context, st.id);
  self->quit();
}

} // namespace kestrion::run_effects
