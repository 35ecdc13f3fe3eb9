#include <kestrion/actors/event_hub_actor.hpp>

#include <kestrion/actors/event_tap.hpp>
#include <kestrion/actors/run_queries.hpp>

#include <algorithm>

namespace kestrion {

namespace {

using hub_self = event_hub_actor::stateful_pointer<event_hub_state>;
using sub_id = std::uint64_t;

/// After the store failed.
constexpr auto look_again_after = std::chrono::seconds{1};

void go_on(hub_self self, sub_id id);

// -- sending ------------------------------------------------------------------

bool has_room(const event_subscription& sub) {
  return sub.in_flight < events_in_flight_max;
}

/// Its answer, which is the end of its handler, makes room for the next.
template <class Message>
void send(hub_self self, sub_id id, event_subscription& sub, Message m) {
  ++sub.in_flight;
  const auto dealt_with = [self, id] {
    auto& all = *self->state.subscriptions;
    const auto there = all.find(id);
    if (there == all.end())
      return;
    --there->second.in_flight;
    go_on(self, id);
  };
  self->request(sub.subscriber, caf::infinite, std::move(m))
    .then([dealt_with] { dealt_with(); },
          [dealt_with](const caf::error&) { dealt_with(); });
}

void leave_out(event_subscription& sub, const run_id& run, std::uint64_t seq,
               std::uint64_t count) {
  sub.missed.try_emplace(run, events_missed{run, seq, 0}).first->second.count +=
    count;
}

// -- who watches a single run -------------------------------------------------

/// It can't be read any further: only what comes can be heard.
void skip_log(hub_self self, sub_id id, event_subscription& sub) {
  const auto& run = *sub.filter.run;
  send(self, id, sub, events_missed{run, sub.next_seq, 0});
  if (const auto row = find_row(*self->state.context->store, run))
    sub.next_seq = row->last_seq + 1;
  sub.is_behind = false;
}

/// @returns Whether there was more in the store.
bool read_on(hub_self self, sub_id id, event_subscription& sub) {
  auto events =
    load_events(*self->state.context->store, *sub.filter.run, sub.next_seq - 1);
  if (!events && events.error().code == errc::corrupt) {
    skip_log(self, id, sub);
    return false;
  }
  if (!events) {
    self->delayed_send(self, look_again_after, look_at_store{});
    return false;
  }
  sub.is_behind = false;
  sub.read.assign(std::make_move_iterator(events->begin()),
                  std::make_move_iterator(events->end()));
  return !sub.read.empty();
}

void send_next(hub_self self, sub_id id, event_subscription& sub,
               recorded_event e) {
  sub.next_seq = e.seq + 1;
  if (is_wanted(sub.filter, tag_of(e.event)))
    send(self, id, sub, run_event{*sub.filter.run, std::move(e)});
}

/// Sends what is in the store, as far as there is room.
void catch_up(hub_self self, sub_id id, event_subscription& sub) {
  while (has_room(sub)) {
    if (sub.read.empty() && !(sub.is_behind && read_on(self, id, sub)))
      return;
    auto next = std::move(sub.read.front());
    sub.read.pop_front();
    send_next(self, id, sub, std::move(next));
  }
}

/// What has just been appended, unless it comes out of turn.
void follow(hub_self self, sub_id id, event_subscription& sub,
            const recorded_event& e) {
  if (e.seq < sub.next_seq)
    return; // Heard from the store.
  if (sub.is_behind || !sub.read.empty() || e.seq > sub.next_seq
      || !has_room(sub))
    sub.is_behind = true;
  else
    send_next(self, id, sub, e);
}

void look_again(hub_self self) {
  for (auto& [id, sub] : *self->state.subscriptions)
    if (sub.filter.run) {
      sub.is_behind = true;
      catch_up(self, id, sub);
    }
}

// -- all ----------------------------------------------------------------------

void tell_missed(hub_self self, sub_id id, event_subscription& sub) {
  while (has_room(sub) && !sub.missed.empty())
    send(self, id, sub, sub.missed.extract(sub.missed.begin()).mapped());
}

void go_on(hub_self self, sub_id id) {
  auto& sub = self->state.subscriptions->at(id);
  if (sub.filter.run)
    catch_up(self, id, sub);
  else
    tell_missed(self, id, sub);
}

/// Nothing if the store fails.
const run_facts* facts_of(hub_self self, const run_id& run) {
  auto& st = self->state;
  if (const auto known = st.facts.find(run); known != st.facts.end())
    return &known->second;
  const auto row = find_row(*st.context->store, run);
  if (!row)
    return nullptr;
  run_facts facts{row->agent, row->tenant, {}};
  for (auto parent = row->parent; parent;) {
    facts.above.push_back(*parent);
    const auto above = find_row(*st.context->store, *parent);
    if (!above)
      return nullptr;
    parent = above->parent;
  }
  return &st.facts.emplace(run, std::move(facts)).first->second;
}

/// Decodes an event when the first who wants it asks.
class lazy_event {
public:
  lazy_event(std::uint64_t seq, const encoded_event& from)
    : seq_(seq), from_(from) {}

  std::uint64_t seq() const { return seq_; }
  std::string_view tag() const { return from_.type; }
  const recorded_event& get() {
    if (!decoded_)
      decoded_ = {seq_, from_.at, decode_event(from_.type, from_.data).value()};
    return *decoded_;
  }

private:
  std::uint64_t seq_;
  const encoded_event& from_;
  std::optional<recorded_event> decoded_;
};

void give(hub_self self, sub_id id, event_subscription& sub, const run_id& run,
          lazy_event& e) {
  if (sub.filter.run)
    follow(self, id, sub, e.get());
  else if (!is_wanted(sub.filter, e.tag()))
    return;
  else if (has_room(sub) && !sub.missed.contains(run))
    send(self, id, sub, run_event{run, e.get()});
  else
    leave_out(sub, run, e.seq(), 1);
}

void give_all(hub_self self, const appended_events::part& x) {
  auto& st = self->state;
  const auto* facts = facts_of(self, x.run);
  std::vector<lazy_event> events;
  for (std::size_t i = 0; i < x.events.size(); ++i)
    events.emplace_back(x.first_seq + i, x.events[i]);
  for (auto& [id, sub] : *st.subscriptions) {
    if (!facts && !sub.filter.run)
      leave_out(sub, x.run, x.first_seq, 0);
    else if (facts && is_wanted(sub.filter, x.run, *facts))
      for (auto& e : events)
        give(self, id, sub, x.run, e);
    go_on(self, id);
  }
  if (is_terminal(x.status))
    st.facts.erase(x.run);
}

/// Some commits did not come to us.
void make_up(hub_self self) {
  if (!self->state.context->events->exchange_lost())
    return;
  look_again(self);
  for (auto& [id, sub] : *self->state.subscriptions)
    if (!sub.filter.run) {
      leave_out(sub, {}, 0, 0);
      tell_missed(self, id, sub);
    }
}

void remove(hub_self self, const caf::actor_addr& subscriber) {
  auto& st = self->state;
  std::erase_if(*st.subscriptions, [&](const auto& x) {
    return x.second.subscriber == subscriber;
  });
  if (!st.subscriptions->empty())
    return;
  st.context->events->open(false);
  st.facts.clear();
}

caf::result<bool> add(hub_self self, watch_events& x) {
  auto& st = self->state;
  if (const auto checked = check(x.filter); !checked)
    return to_caf(checked.error());
  // Before the store is read: what is committed from now on comes to us.
  st.context->events->open(true);
  event_subscription sub{std::move(x.filter), std::move(x.subscriber)};
  if (sub.filter.run) {
    const auto row = find_row(*st.context->store, *sub.filter.run);
    if (!row) {
      st.context->events->open(!st.subscriptions->empty());
      return to_caf(row.error());
    }
    sub.is_behind = sub.filter.from_seq.has_value();
    sub.next_seq = sub.filter.from_seq.value_or(row->last_seq + 1);
  }
  auto& all = *st.subscriptions;
  const auto id = all.empty() ? 1 : all.rbegin()->first + 1;
  self->monitor(sub.subscriber);
  all.emplace(id, std::move(sub));
  go_on(self, id);
  return true;
}

} // namespace

event_hub_actor::behavior_type
event_hub(hub_self self, std::shared_ptr<const run_context> context,
          std::shared_ptr<event_subscriptions> left) {
  auto& state = self->state;
  state.context = std::move(context);
  state.subscriptions = std::move(left);
  self->set_down_handler(
    [self](const caf::down_msg& x) { remove(self, x.source); });
  for (auto& [id, sub] : *state.subscriptions) {
    sub.in_flight = 0; // They answered somebody who is gone.
    self->monitor(sub.subscriber);
  }
  return {
    [self](watch_events& x) { return add(self, x); },
    [self](const appended_events& x) {
      make_up(self);
      for (const auto& each : x.parts)
        give_all(self, each);
    },
    [self](const look_at_store&) {
      make_up(self);
      look_again(self);
    },
  };
}

} // namespace kestrion
