#include <kestrion/actors/directory_parts.hpp>
#include <kestrion/actors/inbox_answers.hpp>

/// Commands between processes: each acts on its own runs only, and asks the
/// others by messages in the store.
namespace kestrion::directory_parts {

namespace {

using posted = directory_state::posted;

void forget(directory_self self, std::uint64_t id) {
  self->state.posted_commands.erase(id);
  self->send(self->state.context->journal.get(), forget_messages{{id}});
}

void finish(directory_self self, std::uint64_t id, const std::string& answer) {
  auto& x = self->state.posted_commands.at(id);
  auto outcome = outcome_in(x.command.run, answer);
  if (outcome)
    x.promise.deliver(*outcome);
  else
    x.promise.deliver(to_caf(outcome.error()));
  forget(self, id);
}

/// Nobody acts on it any more: its run is looked for anew, as for a command
/// that has just come.
void start_over(directory_self self, std::uint64_t id) {
  auto& all = self->state.posted_commands;
  const auto x = all.extract(id).mapped();
  forward(self, x.command, x.promise);
}

void take_back(directory_self self, std::uint64_t id) {
  self
    ->request(self->state.context->journal.get(), caf::infinite,
              take_back_message{id})
    .then(
      [self, id](bool taken) {
        if (taken && self->state.posted_commands.contains(id))
          start_over(self, id);
      },
      [](const caf::error&) {
        // It is tried again.
      });
}

/// Whether no living process acts on the run's messages.
bool is_abandoned(directory_self self, const run_id& run) {
  const auto& store = *self->state.context->store;
  const auto row = find_row(store, run);
  if (!row)
    return false;
  const auto claimed = self->state.context->store->claim(run);
  return is_at_rest(row->status) || (claimed && *claimed);
}

void look_for_answers(directory_self self, bool may_take_over) {
  auto& st = self->state;
  std::vector<std::uint64_t> ids;
  for (const auto& [id, ignored] : st.posted_commands)
    ids.push_back(id);
  for (const auto id : ids) {
    const auto answer = st.context->store->find_answer(id);
    if (!answer) {
      if (answer.error().code == errc::not_found)
        start_over(self, id); // Its run has ended: that is the answer.
    } else if (*answer) {
      finish(self, id, **answer);
    } else if (may_take_over
               && is_abandoned(self, st.posted_commands.at(id).command.run)) {
      take_back(self, id);
    }
  }
}

void refuse(directory_self self, const inbox_item& item, const error& why) {
  self->send(self->state.context->journal.get(),
             inbox_answer{item.id, answer_of(why)});
}

void act_on(directory_self self, const inbox_item& item) {
  auto& st = self->state;
  auto command = decode_command(item.data);
  if (!command)
    return refuse(self, item, command.error());
  const auto row = find_row(*st.context->store, item.run);
  if (!row || is_terminal(row->status))
    return; // With its end, the store forgets its messages.
  const auto run = wake(self, *row);
  if (!run) {
    if (run.error().code != errc::conflict)
      refuse(self, item, run.error());
    return;
  }
  st.inbox_under_way.insert(item.id);
  ++(*run)->commands_sent;
  const auto done = [self, id = item.id] {
    self->state.inbox_under_way.erase(id);
  };
  self
    ->request((*run)->actor, caf::infinite,
              run_command{item.run, std::move(*command), item.id})
    .then([done](const run_receipt&) { done(); },
          [done](const caf::error&) {
            done(); // Refused, and answered; or else it is found again.
          });
}

} // namespace

void post(directory_self self, const run_command& c, receipt_promise promise) {
  auto text = encode_command(c.command);
  if (!text) {
    promise.deliver(to_caf(text.error()));
    return;
  }
  if (const auto& redaction = self->state.context->redaction)
    *text = redaction->without_secrets(std::move(*text));
  self
    ->request(self->state.context->journal.get(), caf::infinite,
              inbox_post{c.run, std::move(*text)})
    .then(
      [self, c, promise](std::uint64_t id) {
        self->state.posted_commands.insert_or_assign(id, posted{c, promise});
      },
      [self, c, promise](const caf::error& e) mutable {
        // It has ended in the meantime: then this is not the way to it.
        if (from_caf(e).code == errc::refused)
          forward(self, c, promise);
        else
          promise.deliver(e);
      });
}

void look_at_inbox(directory_self self, bool may_take_over) {
  auto& st = self->state;
  look_for_answers(self, may_take_over);
  const auto items = st.context->store->inbox();
  if (!items)
    return; // Next time.
  for (const auto& item : *items)
    if (!st.inbox_under_way.contains(item.id))
      act_on(self, item);
}

} // namespace kestrion::directory_parts
