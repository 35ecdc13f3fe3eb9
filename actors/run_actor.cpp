#include <kestrion/actors/run_actor.hpp>

#include <kestrion/actors/inbox_answers.hpp>
#include <kestrion/actors/run_effects.hpp>
#include <kestrion/actors/run_machine.hpp>
#include <kestrion/actors/run_permits.hpp>
#include <kestrion/actors/run_queries.hpp>
#include <kestrion/actors/snapshot_codec.hpp>

#include <caf/send.hpp>
#include <caf/typed_response_promise.hpp>

#include <algorithm>
#include <utility>

namespace kestrion {

namespace {

using answer_fn = std::function<void(const std::optional<error>&)>;

using run_effects::run_self;
using run_effects::settle;
using run_effects::tell_directory;

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
      run_effects::tell_rest(self); // It may leave memory again.
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
    run_effects::stop_all(st.in_flight);
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

/// The draft ends when its outcome is durable: who saw it finds the event.
answer_fn ending(std::shared_ptr<draft_pen> draft,
                 const model_outcome& outcome) {
  if (!draft)
    return ignore;
  return [draft = std::move(draft),
          is_reply = std::holds_alternative<model_reply>(outcome)](
           const std::optional<error>& refusal) {
    if (is_reply && !refusal)
      draft->complete();
  };
}

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
  run_effects::stop_all(in_flight);
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
        run_effects::land(st, child->call, run_effects::no_attempt);
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
      std::shared_ptr<draft_pen> draft;
      for (auto& flight : st.in_flight)
        if (flight.call == c.call && flight.attempt == c.attempt) {
          run_permits::settle(st, flight, c.outcome);
          draft = std::move(flight.draft);
        }
      run_effects::land(st, c.call, c.attempt);
      c.now = st.context->now();
      c.jitter = static_cast<std::uint32_t>(st.context->random());
      const auto now = c.now;
      const auto when_durable = ending(std::move(draft), c.outcome);
      take(self, std::move(c), now, when_durable);
    },
    [self](tool_done& c) {
      run_effects::land(self->state, c.call, c.attempt);
      c.now = self->state.context->now();
      c.jitter = static_cast<std::uint32_t>(self->state.context->random());
      const auto now = c.now;
      take(self, std::move(c), now, ignore);
    },
    [self](const call_decided& x) { run_effects::take_up(self, x); },
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
      std::erase_if(st.in_flight, [](const auto& f) {
        return f.attempt == run_effects::no_attempt;
      });
      settle(self);
      return true;
    },
    [self](const settle_query&) {
      const auto& st = self->state;
      if (is_at_rest(st.run.progress.status))
        run_effects::tell_rest(self);
    },
    [](const ready_query&) { return true; },
    [self](const passivate&) {
      keep_snapshot_if_due(self, true);
      run_permits::leave_if_alone(self->state);
      self->quit();
    },
  };
}

} // namespace kestrion
